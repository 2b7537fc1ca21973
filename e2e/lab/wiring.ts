/** Cables between hosts. */
import type { LabHost } from "./lab-host.ts";
import { run } from "./program.ts";
import { PROGRAM_PATH } from "./support.ts";

export interface Plug {
  host: LabHost;
  /** Name of the interface at this end. */
  name: string;
}

/** A veth pair, both ends up. Only the network namespace is entered: the other end's process id is ours, not the host's. */
export async function connect(a: Plug, b: Plug): Promise<void> {
  const enter = ["nsenter", "-t", String(a.host.pid), "--net", "--"];
  const pair = ["type", "veth", "peer", "name", b.name, "netns", String(b.host.pid)];
  const result = await run(["nsenter", ...enter.slice(1), "ip", "link", "add", a.name, ...pair], {
    env: { PATH: PROGRAM_PATH, LC_ALL: "C" },
    timeoutMs: 10_000,
  });
  if (result.code !== 0) throw new Error(`no cable from ${a.host.name} to ${b.host.name}: ${result.stderr.trim()}`);
  await Promise.all([a.host.ip([`link set dev ${a.name} up`]), b.host.ip([`link set dev ${b.name} up`])]);
}

/** A bridge in `host`, up. */
export function bridge(host: LabHost, name: string): Promise<void> {
  return host.ip([`link add ${name} type bridge`, `link set dev ${name} up`]);
}

/** Plugs `host`'s eth0 into a bridge of `hub`. */
export async function plugIn(host: LabHost, hub: LabHost, bridgeName: string): Promise<void> {
  await connect({ host, name: "eth0" }, { host: hub, name: host.name });
  await hub.ip([`link set dev ${host.name} master ${bridgeName}`]);
}

export interface Addresses {
  ipv4: string;
  ipv6: string;
}

/** Gives eth0 its addresses and the default routes, both static. */
export function configure(host: LabHost, own: Addresses, gateway: Addresses, ipv6: boolean): Promise<void> {
  const lines = [`address add ${own.ipv4}/24 dev eth0`, `route add default via ${gateway.ipv4}`];
  if (ipv6) lines.push(`address add ${own.ipv6}/64 dev eth0 nodad`, `route add default via ${gateway.ipv6}`);
  return host.ip(lines);
}
