/** IPv6 addresses that the internet can route (RFC 4291, section 2.4). */
import { containsPrefix, overlaps, type Prefix, prefix } from "./address.ts";

const GLOBAL_UNICAST = prefix("2000::/3");
/** 6to4 (RFC 7526) and Teredo (RFC 4380): IPv4 addresses in disguise, which nobody routes to a home as a prefix. */
const TUNNELS = [prefix("2002::/16"), prefix("2001::/32")];

/** Whether a prefix is one that can be routed to a home. */
export function isGlobalUnicast(candidate: Prefix): boolean {
  return containsPrefix(GLOBAL_UNICAST, candidate) && !TUNNELS.some((tunnel) => overlaps(tunnel, candidate));
}
