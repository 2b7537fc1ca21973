/** What an observation of the machine says about the router in front of it. Pure. */
import { containsAddress, formatPrefix, parseAddress, parsePrefix, splitPrefix } from "../../src-shared/net/address.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import type { SeenNetworks } from "../routing/default-routes.ts";
import type { Uplink } from "../routing/network-route-manager.ts";
import type { HomeNetwork } from "./mapping.ts";

export type Surroundings =
  | { kind: "router"; network: HomeNetwork }
  /** No gateway, or one that is no home router. */
  | { kind: "no-router" }
  /** The machine has a public address of its own: there is nothing to map, and the gateway is the provider's. */
  | { kind: "public" };

/** @param uplink the IPv4 one, as `readUplinks` tells it */
export function surroundingsOf(uplink: Uplink | null, { links }: Pick<SeenNetworks, "links">): Surroundings {
  if (uplink === null) return { kind: "no-router" };
  const gateway = uplink.gateway === null ? undefined : parseAddress(uplink.gateway);
  const prefixes = (links.find(({ name }) => name === uplink.interfaceName)?.addresses ?? []).flatMap((text) => {
    const own = splitPrefix(text);
    return own === undefined ? [] : [{ text: text.split("/", 1)[0] ?? "", prefix: parsePrefix(text) }];
  });
  const beside = prefixes.find(
    ({ text, prefix }) =>
      uplink.addresses.includes(text) && gateway !== undefined && prefix && containsAddress(prefix, gateway),
  );
  const address = beside?.text ?? uplink.addresses[0];
  const own = address === undefined ? undefined : parseAddress(address);
  if (address === undefined || own === undefined) return { kind: "no-router" };
  if (isPublicAddress(own)) return { kind: "public" };
  if (uplink.gateway === null || gateway === undefined || isPublicAddress(gateway)) return { kind: "no-router" };
  const lanPrefix = beside?.prefix === undefined ? null : formatPrefix(beside.prefix);
  return { kind: "router", network: { gateway: uplink.gateway, address, lanPrefix } };
}
