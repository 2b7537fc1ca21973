/** Whether an address can be one's own on the public internet. */
import { type Address, isInAny, type Prefix, prefix } from "./address.ts";
import { BLOCKED_IPV4, BLOCKED_IPV6 } from "./special-prefixes.ts";

const NOT_PUBLIC: readonly Prefix[] = [...BLOCKED_IPV4, ...BLOCKED_IPV6].map(prefix);

/**
 * False for private, shared (RFC 6598), link-local, loopback, multicast and reserved addresses. The documentation
 * prefixes (RFC 5737) count as public: nobody has one by accident.
 */
export function isPublicAddress(address: Address): boolean {
  return !isInAny(address, NOT_PUBLIC);
}
