/** Which boxes stand between the home network and the internet, and how they are wired. */
import { GUESTS, INTERNET, LAN, TRANSIT, WAN, WIREGUARD_PORT } from "./addresses.ts";
import type { LabHost } from "./lab-host.ts";
import type { MappingProtocol, MiniupnpdOptions } from "./miniupnpd.ts";
import type { NatRules } from "./nat-rules.ts";
import { Router } from "./router.ts";
import { bridge, configure, connect, plugIn } from "./wiring.ts";

/**
 * `single`: the router has the public address. `double`: a second home router, which maps ports too, has it.
 * `cgnat`: the provider's NAT has it, and maps nothing for customers.
 */
export type Topology = "single" | "double" | "cgnat";

export interface RouterOptions {
  mapping: "miniupnpd" | "none";
  /** UDP 51820 forwarded to the node by hand, on every box the owner can configure. */
  portForward51820: boolean;
  igd: 1 | 2;
  /** What miniupnpd speaks; all of it by default. */
  protocols: readonly MappingProtocol[];
  /** More lines for miniupnpd.conf. */
  extraConfig: readonly string[];
}

export interface Wiring {
  topology: Topology;
  router: RouterOptions;
  ipv6: boolean;
}

/** Names of the hosts a topology has, guests left out. */
export function hostNames(topology: Topology): string[] {
  const names = ["inet", "router", "node", "neighbour", "rival"];
  return topology === "single" ? names : [...names, "isp"];
}

export interface Boxes {
  router: Router;
  isp: Router | undefined;
}

/** Wires the hosts and starts the routers. */
export async function wire(hosts: ReadonlyMap<string, LabHost>, wiring: Wiring): Promise<Boxes> {
  const host = (name: string) => hosts.get(name) ?? missing(name);
  const router = new Router(host("router"), homeRules(wiring), homeMapping(wiring));
  const isp = wiring.topology === "single" ? undefined : new Router(host("isp"), ispRules(wiring), ispMapping(wiring));
  await Promise.all([wireLan(router.host, hosts, wiring.ipv6), wireInternet(host("inet"), wiring.ipv6)]);
  if (isp === undefined) {
    await connect({ host: router.host, name: "wan" }, { host: host("inet"), name: "line" });
    await router.host.ip(customerLines(wiring.ipv6));
  } else {
    await connect({ host: router.host, name: "wan" }, { host: isp.host, name: "lan" });
    await connect({ host: isp.host, name: "wan" }, { host: host("inet"), name: "line" });
    await wireTransit(router.host, isp.host, wiring);
  }
  await host("inet").ip(lineEndLines(wiring.ipv6));
  await Promise.all([router.start(), isp?.start()]);
  return { router, isp };
}

function missing(name: string): never {
  throw new Error(`the lab has no host ${name}`);
}

async function wireLan(router: LabHost, hosts: ReadonlyMap<string, LabHost>, ipv6: boolean): Promise<void> {
  await bridge(router, "br-lan");
  await router.ip([
    `address add ${LAN.router.ipv4}/24 dev br-lan`,
    ...(ipv6 ? [`address add ${LAN.router.ipv6}/64 dev br-lan nodad`] : []),
  ]);
  for (const name of ["node", "neighbour", "rival"] as const) {
    const host = hosts.get(name) ?? missing(name);
    await plugIn(host, router, "br-lan");
    await configure(host, LAN[name], LAN.router, ipv6);
  }
}

async function wireInternet(inet: LabHost, ipv6: boolean): Promise<void> {
  await inet.mustExec(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
  await bridge(inet, "servers");
  await bridge(inet, "guests");
  const places = [
    { ...INTERNET.web, bridge: "servers" },
    { ...INTERNET.dns, bridge: "servers" },
    { ...GUESTS.gateway, bridge: "guests" },
  ];
  await inet.ip([
    ...places.map((place) => `address add ${place.ipv4}/24 dev ${place.bridge}`),
    ...(ipv6 ? places.map((place) => `address add ${place.ipv6}/64 dev ${place.bridge} nodad`) : []),
  ]);
}

/** The customer's end of the line: whoever has the public address. */
function customerLines(ipv6: boolean): string[] {
  return [
    `address add ${WAN.customer.ipv4}/24 dev wan`,
    `route add default via ${WAN.inet.ipv4}`,
    ...(ipv6 ? [`address add ${WAN.customer.ipv6}/64 dev wan nodad`, `route add default via ${WAN.inet.ipv6}`] : []),
  ];
}

/** The provider's end of the line. The home network's IPv6 prefix is routed, its IPv4 prefix is not known out here. */
function lineEndLines(ipv6: boolean): string[] {
  return [
    `address add ${WAN.inet.ipv4}/24 dev line`,
    ...(ipv6
      ? [
          `address add ${WAN.inet.ipv6}/64 dev line nodad`,
          `route add ${LAN.ipv6} via ${WAN.customer.ipv6}`,
          `route add ${TRANSIT.ipv6} via ${WAN.customer.ipv6}`,
        ]
      : []),
  ];
}

async function wireTransit(router: LabHost, isp: LabHost, { topology, ipv6 }: Wiring): Promise<void> {
  const transit = TRANSIT[topology === "cgnat" ? "cgnat" : "double"];
  await router.ip([
    `address add ${transit.router}/24 dev wan`,
    `route add default via ${transit.isp}`,
    ...(ipv6 ? [`address add ${TRANSIT.routerIpv6}/64 dev wan nodad`, `route add default via ${TRANSIT.ispIpv6}`] : []),
  ]);
  await isp.ip([
    `address add ${transit.isp}/24 dev lan`,
    ...customerLines(ipv6),
    ...(ipv6
      ? [`address add ${TRANSIT.ispIpv6}/64 dev lan nodad`, `route add ${LAN.ipv6} via ${TRANSIT.routerIpv6}`]
      : []),
  ]);
}

function homeRules({ router }: Wiring): NatRules {
  const rules: NatRules = { wanInterface: "wan", lanInterface: "br-lan", ipv6: "filtered", deafTo: deafTo(router) };
  if (!router.portForward51820) return rules;
  return { ...rules, forward: { port: WIREGUARD_PORT, toIpv4: LAN.node.ipv4, toIpv6: LAN.node.ipv6 } };
}

/** Versions that miniupnpd would answer and is not to. */
function deafTo({ protocols }: RouterOptions): number[] {
  return [...(protocols.includes("pcp") ? [] : [2]), ...(protocols.includes("nat-pmp") ? [] : [0])];
}

function homeMapping({ router }: Wiring): MiniupnpdOptions | undefined {
  if (router.mapping === "none") return undefined;
  return {
    wanInterface: "wan",
    lanInterface: "br-lan",
    lanPrefix: LAN.ipv4,
    igd: router.igd,
    protocols: router.protocols,
    uuid: "00000000-0000-4000-8000-000000000077",
    extraConfig: router.extraConfig,
  };
}

function ispRules({ topology, router }: Wiring): NatRules {
  const rules: NatRules = { wanInterface: "wan", lanInterface: "lan", ipv6: "routed", deafTo: deafTo(router) };
  if (topology !== "double" || !router.portForward51820) return rules;
  return {
    ...rules,
    forward: { port: WIREGUARD_PORT, toIpv4: TRANSIT.double.router, toIpv6: TRANSIT.routerIpv6 },
  };
}

function ispMapping({ topology, router }: Wiring): MiniupnpdOptions | undefined {
  if (topology !== "double" || router.mapping === "none") return undefined;
  return {
    wanInterface: "wan",
    lanInterface: "lan",
    lanPrefix: TRANSIT.double.ipv4Prefix,
    igd: router.igd,
    protocols: router.protocols,
    uuid: "00000000-0000-4000-8000-00000000015b",
  };
}
