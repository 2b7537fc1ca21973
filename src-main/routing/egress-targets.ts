/** The addresses beyond the home network that the owner lets the node try (`egressTargets` in the settings). */
import { type Family, parseAddress } from "../../src-shared/net/address.ts";
import { type Endpoint, parseEndpoint } from "../../src-shared/net/endpoint.ts";

/** Those of one family, in the owner's order. `texts`: `address:port`, both families mixed; names and what cannot be read are left out. */
export function egressTargetsOf(texts: readonly string[], family: Family): Endpoint[] {
  return texts.flatMap((text) => parseEndpoint(text) ?? []).filter(({ host }) => parseAddress(host)?.family === family);
}
