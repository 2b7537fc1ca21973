/** Every check there is, in the order in which they are shown. */
import type { Check } from "./check.ts";
import { dnsChecks } from "./checks/dns.ts";
import { firewallChecks, natChecks, routingChecks } from "./checks/forwarding.ts";
import { guestPathChecks } from "./checks/guest-path.ts";
import { ipv6Checks } from "./checks/ipv6.ts";
import { limitChecks } from "./checks/limits.ts";
import { mtuChecks } from "./checks/mtu.ts";
import { networkChecks } from "./checks/network.ts";
import { privacyChecks } from "./checks/privacy.ts";
import { reachabilityChecks } from "./checks/reachability.ts";
import { relayChecks } from "./checks/relay.ts";
import { storageChecks } from "./checks/storage.ts";
import { systemChecks } from "./checks/system.ts";
import { wireguardChecks } from "./checks/wireguard.ts";

export const allChecks: readonly Check[] = [
  ...systemChecks,
  ...networkChecks,
  ...wireguardChecks,
  ...natChecks,
  ...routingChecks,
  ...firewallChecks,
  ...guestPathChecks,
  ...reachabilityChecks,
  ...relayChecks,
  ...dnsChecks,
  ...ipv6Checks,
  ...mtuChecks,
  ...limitChecks,
  ...privacyChecks,
  ...storageChecks,
];
