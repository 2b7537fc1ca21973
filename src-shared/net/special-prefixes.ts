/**
 * Prefixes with a special meaning, after the IANA special-purpose registries (RFC 6890 and its updates).
 */
import { type Prefix, prefix } from "./address.ts";

/** Where guest prefixes may lie: RFC 1918, RFC 6598, and RFC 4193 for IPv6. */
export const PRIVATE_IPV4: readonly Prefix[] = [
  prefix("10.0.0.0/8"),
  prefix("172.16.0.0/12"),
  prefix("192.168.0.0/16"),
  prefix("100.64.0.0/10"),
];

export const UNIQUE_LOCAL_IPV6: Prefix = prefix("fc00::/7");

/**
 * Destinations no guest may reach unless the owner allows one of them: everything that is not the
 * public internet. The NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056) forms of private IPv4
 * addresses are in it, because a translator in the home network would carry them into the LAN.
 */
export const BLOCKED_IPV4: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

export const BLOCKED_IPV6: readonly string[] = [
  "::/96",
  "::ffff:0:0/96",
  "64:ff9b::a00:0/104",
  "64:ff9b::6440:0/106",
  "64:ff9b::7f00:0/104",
  "64:ff9b::a9fe:0/112",
  "64:ff9b::ac10:0/108",
  "64:ff9b::c0a8:0/112",
  "64:ff9b:1::/48",
  "100::/64",
  "2002:a00::/24",
  "2002:6440::/26",
  "2002:7f00::/24",
  "2002:a9fe::/32",
  "2002:ac10::/28",
  "2002:c0a8::/32",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];
