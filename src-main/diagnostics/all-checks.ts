/** Every check there is, in the order in which they are shown. */
import type { Check } from "./check.ts";
import { firewallChecks, natChecks, routingChecks } from "./checks/forwarding.ts";
import { networkChecks } from "./checks/network.ts";
import { systemChecks } from "./checks/system.ts";
import { wireguardChecks } from "./checks/wireguard.ts";

export const allChecks: readonly Check[] = [
  ...systemChecks,
  ...networkChecks,
  ...wireguardChecks,
  ...natChecks,
  ...routingChecks,
  ...firewallChecks,
];
