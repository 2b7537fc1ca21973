/** Whether another network of this machine has come to overlap the guests' since the exit was set up. Pure. */
import { formatPrefix, parsePrefix } from "../../src-shared/net/address.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { conflictsWith } from "../routing/network-route-manager.ts";

/** One sentence that names the first conflict; undefined without one. */
export function addressConflict(
  { guests, wireguard }: Pick<NetworkSpec, "guests" | "wireguard">,
  observation: Pick<NetworkObservation, "links" | "routes">,
): string | undefined {
  for (const text of [guests.ipv4, guests.ipv6]) {
    const prefix = text === null ? undefined : parsePrefix(text);
    const [conflict] = prefix === undefined ? [] : conflictsWith(prefix, observation, wireguard.interfaceName);
    if (conflict === undefined) continue;
    const where = conflict.interfaceName === null ? "" : ` on ${conflict.interfaceName}`;
    return `The guests' network ${text} overlaps the network ${formatPrefix(conflict.prefix)}${where}.`;
  }
  return undefined;
}
