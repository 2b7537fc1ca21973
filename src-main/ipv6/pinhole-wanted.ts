/** What an observation of the machine says about letting guests in over IPv6. Pure. */
import type { Settings } from "../../src-shared/model/settings.ts";
import { formatPrefix, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import type { Surroundings } from "../port-forwarding/home-network.ts";
import { linkOf, type SeenNetworks } from "../routing/default-routes.ts";
import type { Uplinks } from "../routing/network-route-manager.ts";
import type { PinholeWanted } from "./ipv6-pinhole.ts";

/** Undefined where there is no global address, or no router of the home's in front of it. */
export function pinholeWanted(
  { listenPort, portMapping }: Pick<Settings, "listenPort" | "portMapping">,
  { ipv6 }: Pick<Uplinks, "ipv6">,
  surroundings: Surroundings,
  observation: SeenNetworks,
): PinholeWanted | undefined {
  // A public IPv4 address of its own says that the next router is the provider's.
  if (portMapping === "off" || ipv6 === null || surroundings.kind === "public") return undefined;
  const address = ipv6.addresses.find((text) => {
    const parsed = parseAddress(text);
    return parsed !== undefined && isPublicAddress(parsed);
  });
  const own = linkOf(observation, ipv6.interfaceName)?.addresses.find((text) => text.split("/", 1)[0] === address);
  const onLink = own === undefined ? undefined : parsePrefix(own);
  if (address === undefined || onLink === undefined) return undefined;
  return { address, onLink: formatPrefix(onLink), gateway: ipv6.gateway, port: listenPort };
}
