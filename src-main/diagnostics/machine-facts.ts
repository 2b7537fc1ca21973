/** Root's view of the machine for a diagnosis, through the helper. */
import { fail, ok, type Result } from "../../src-shared/result.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import type { MachineFacts, MachineProbe } from "./check.ts";

/** Errors: those of the helper. Without the rules as text where this helper cannot read them. */
export async function readMachineFacts(helper: Pick<HelperLink, "call">): Promise<Result<MachineFacts>> {
  const capabilities = await helper.call("capabilities", {});
  if (!capabilities.ok) return capabilities;
  const [observation, inspection, firewall] = await Promise.all([
    helper.call("observe", {}),
    helper.call("inspect-firewall", {}),
    helper.call("read-firewall", {}),
  ]);
  if (!observation.ok) return observation;
  if (!inspection.ok) return inspection;
  return ok({
    capabilities: capabilities.value,
    observation: observation.value,
    inspection: inspection.value,
    ...(firewall.ok ? { firewall: firewall.value } : {}),
  });
}

/** The same, but without asking a person for permission: `not-permitted` where no helper runs and one could only be had so. */
export async function readMachineFactsUnasked(
  helper: Pick<HelperLink, "call" | "findRunning">,
  isRoot = process.getuid?.() === 0,
): Promise<Result<MachineFacts>> {
  const running = await helper.findRunning();
  if (running.ok || isRoot) return readMachineFacts(helper);
  return fail("not-permitted", "What only root can see was not looked at.", "Turn sharing on first.");
}

/** What the helper looks up or tries on demand. */
export function machineProbe(helper: Pick<HelperLink, "call">): MachineProbe {
  return {
    lookUpRoute: (question) => helper.call("look-up-route", question),
    pathMtu: (to) => helper.call("path-mtu", { to }),
  };
}
