/**
 * Every address of the lab. 11.22.x.x and 2a0a:… are ordinary public space on purpose: miniupnpd refuses to map
 * on a WAN address that is private, and counts the documentation prefixes (RFC 5737) as private.
 */

export const LAN = {
  ipv4: "192.168.77.0/24",
  ipv6: "2a0a:77::/64",
  router: { ipv4: "192.168.77.1", ipv6: "2a0a:77::1" },
  node: { ipv4: "192.168.77.10", ipv6: "2a0a:77::10" },
  neighbour: { ipv4: "192.168.77.11", ipv6: "2a0a:77::11" },
  rival: { ipv4: "192.168.77.12", ipv6: "2a0a:77::12" },
} as const;

/** The line between the internet and whoever is first behind it: the router, or the provider's NAT. */
export const WAN = {
  ipv6: "2a0a:99::/64",
  inet: { ipv4: "11.22.33.1", ipv6: "2a0a:99::1" },
  customer: { ipv4: "11.22.33.2", ipv6: "2a0a:99::2" },
} as const;

/** The line between the home router and the provider's NAT, where there is one. */
export const TRANSIT = {
  double: { ipv4Prefix: "192.168.88.0/24", isp: "192.168.88.1", router: "192.168.88.2" },
  cgnat: { ipv4Prefix: "100.64.0.0/24", isp: "100.64.0.1", router: "100.64.0.2" },
  ipv6: "2a0a:88::/64",
  ispIpv6: "2a0a:88::1",
  routerIpv6: "2a0a:88::2",
} as const;

/** A second way out of the node's home, beside the first: another router, on another line. */
export const SECOND_UPLINK = {
  router: { ipv4: "192.168.78.1", ipv6: "2a0a:78::1" },
  node: { ipv4: "192.168.78.10", ipv6: "2a0a:78::10" },
  lanIpv6: "2a0a:78::/64",
  line: { ipv4: "11.22.34.1", ipv6: "2a0a:9a::1" },
  customer: { ipv4: "11.22.34.2", ipv6: "2a0a:9a::2" },
} as const;

/** Servers out in the internet. */
export const INTERNET = {
  web: { ipv4: "11.22.44.80", ipv6: "2a0a:98::80" },
  dns: { ipv4: "11.22.44.53", ipv6: "2a0a:98::53" },
} as const;

/**
 * Where guests are at home. Not where the servers are: wg-quick leaves what is on the guest's own link outside the
 * tunnel, so the tunnel would never be used.
 */
export const GUESTS = {
  gateway: { ipv4: "11.22.55.1", ipv6: "2a0a:97::1" },
} as const;

export const WEB_NAME = "www.example.test";
/** Its TXT answer does not fit a UDP answer of 512 bytes, so a resolver has to ask again over TCP. */
export const BIG_NAME = "big.example.test";
export const WIREGUARD_PORT = 51820;

/** Address of the n-th guest, n from 1 to 100. */
export function guestAddress(n: number): { ipv4: string; ipv6: string } {
  if (!Number.isInteger(n) || n < 1 || n > 100) throw new RangeError("the lab has room for 100 guests");
  return { ipv4: `11.22.55.${100 + n}`, ipv6: `2a0a:97::${100 + n}` };
}
