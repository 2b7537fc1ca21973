/** Root's view of the machine for a diagnosis, through the helper. */
import type { Result } from "../../src-shared/result.ts";
import { ok } from "../../src-shared/result.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import type { MachineFacts, MachineProbe } from "./check.ts";

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

/** What the helper looks up or tries on demand. */
export function machineProbe(helper: Pick<HelperLink, "call">): MachineProbe {
  return {
    lookUpRoute: (question) => helper.call("look-up-route", question),
    pathMtu: (to) => helper.call("path-mtu", { to }),
  };
}
