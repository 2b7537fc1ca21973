/** A machine's network as a test writes it down. */
import type { NetworkObservation, ObservedLink, ObservedRoute } from "../../../src-shared/network-observation.ts";

/** @param text `default via 192.168.1.1 dev eth0 metric 100`, or `192.168.1.0/24 dev eth0`, as `ip route` prints it */
export function route(text: string): ObservedRoute {
  const [destination = "", ...words] = text.split(" ");
  const after = (word: string) => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined) ?? null;
  const gateway = after("via");
  const interfaceName = after("dev");
  return {
    family: text.includes(":") ? 6 : 4,
    destination,
    gateway,
    interfaceName,
    metric: Number(after("metric") ?? 0),
    onLink: gateway === null && interfaceName !== null,
  };
}

export function link(name: string, addresses: string[], up = true): ObservedLink {
  return { name, up, kind: null, mtu: 1500, addresses };
}

export function observation(links: ObservedLink[], routes: string[]): NetworkObservation {
  return {
    atMs: 0,
    applied: null,
    wireguard: { state: "absent" },
    forwarding: { ipv4: {}, ipv6: null },
    firewall: { ipv4: { state: "absent" }, ipv6: { state: "absent" } },
    links,
    routes: routes.map(route),
  };
}

/** An ordinary home: one router, both families. */
export const HOME = observation(
  [
    link("lo", ["127.0.0.1/8", "::1/128"]),
    link("eth0", ["192.168.1.20/24", "fe80::20/64", "2001:db8:1:2::20/64", "fd00:aaaa:bbbb:1::20/64"]),
  ],
  [
    "default via 192.168.1.1 dev eth0 metric 100",
    "192.168.1.0/24 dev eth0 metric 100",
    "default via fe80::1 dev eth0 metric 1024",
    "2001:db8:1:2::/64 dev eth0 metric 256",
    "fd00:aaaa:bbbb:1::/64 dev eth0 metric 256",
    "fe80::/64 dev eth0 metric 256",
  ],
);
