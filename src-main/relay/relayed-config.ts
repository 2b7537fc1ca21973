/** What a guest's configuration has to say differently when it goes through a relay. */
import { type Endpoint, formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { allowedIpsWithout } from "./allowed-ips.ts";
import { BRIDGE_ENDPOINT } from "./bridge-endpoint.ts";
import type { RelayPlace } from "./relay-memory.ts";

/** Largest tunnel packet that, with everything around it, still fits one TCP segment of a TLS connection. */
const RELAYED_MTU = 1380;

export interface RelayedParts {
  readonly endpoint: Endpoint;
  readonly mtu: number;
  readonly allowedIps?: readonly string[];
  /** Comment lines for the top of the configuration. */
  readonly heading: readonly string[];
}

/** Through the relay's UDP port: nothing but WireGuard is needed. */
export function throughUdp(place: RelayPlace, mtu: number): RelayedParts {
  return { endpoint: place.endpoint, mtu: Math.min(mtu, RELAYED_MTU), heading: [] };
}

/** Through `higgsnode connect` on the guest's computer. Fails with `relay-address-unknown`. */
export function throughBridge({ url, nodeId, addresses }: RelayPlace, mtu: number): Result<RelayedParts> {
  if (addresses.length === 0) {
    return fail(
      "relay-address-unknown",
      "The relay's addresses are not known here, and the guest's tunnel must leave them out.",
      "Check that this computer can look up the relay's name, and turn sharing off and on.",
    );
  }
  const pinned = addresses.map((address) => ` --relay-address ${address}`).join("");
  return ok({
    endpoint: BRIDGE_ENDPOINT,
    mtu: Math.min(mtu, RELAYED_MTU),
    allowedIps: allowedIpsWithout(addresses),
    heading: [
      "# For a network that blocks UDP. Start this first, and leave it running:",
      // With an equals sign: an id is base64url, and one in 64 begins with a hyphen.
      `#   higgsnode connect --relay ${url} --node=${nodeId}${pinned}`,
      `# It listens on ${formatEndpoint(BRIDGE_ENDPOINT)}. AllowedIPs is everything but the relay's own addresses.`,
    ],
  });
}
