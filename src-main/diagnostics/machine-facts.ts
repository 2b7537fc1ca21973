/** Root's view of the machine for a diagnosis, through the helper. */
import type { Result } from "../../src-shared/result.ts";
import { ok } from "../../src-shared/result.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import type { MachineFacts } from "./check.ts";

export async function readMachineFacts(helper: Pick<HelperLink, "call">): Promise<Result<MachineFacts>> {
  const capabilities = await helper.call("capabilities", {});
  if (!capabilities.ok) return capabilities;
  const [observation, inspection] = await Promise.all([
    helper.call("observe", {}),
    helper.call("inspect-firewall", {}),
  ]);
  if (!observation.ok) return observation;
  if (!inspection.ok) return inspection;
  return ok({ capabilities: capabilities.value, observation: observation.value, inspection: inspection.value });
}
