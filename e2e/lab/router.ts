/** A box that translates addresses, and maps ports on request where it is told to. */
import type { LabHost } from "./lab-host.ts";
import { Miniupnpd, type MiniupnpdOptions } from "./miniupnpd.ts";
import { type NatRules, natRules } from "./nat-rules.ts";

const NOTHING_PASSES = `flush ruleset
table inet off {
  chain forward { type filter hook forward priority 0; policy drop; }
  chain input { type filter hook input priority 0; policy drop; }
}
`;

export class Router {
  readonly host: LabHost;
  /** Undefined where the router offers no port mapping protocol. */
  readonly mapping: Miniupnpd | undefined;
  #rules: NatRules;

  constructor(host: LabHost, rules: NatRules, mapping: MiniupnpdOptions | undefined) {
    this.host = host;
    this.#rules = rules;
    this.mapping = mapping === undefined ? undefined : new Miniupnpd(host, mapping);
  }

  async start(): Promise<void> {
    await this.host.mustExec(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
    await this.loadRules();
    await this.mapping?.start();
  }

  /** The router's rules as after switching it on: every mapping is gone. */
  async loadRules(): Promise<void> {
    await this.host.mustExec(["nft", "-f", "-"], { input: natRules(this.#rules) });
  }

  /** The plug is pulled: whoever is wired to it loses the carrier, nothing passes, mappings and leases are forgotten. */
  async powerOff(): Promise<void> {
    await this.#setPorts("down");
    await this.host.mustExec(["nft", "-f", "-"], { input: NOTHING_PASSES });
    await this.mapping?.stop();
    await this.host.exec(["rm", "-f", `${this.host.folder}/miniupnpd.leases`]);
    await this.host.exec(["conntrack", "-F"]);
  }

  /** Resolves when it serves again. */
  async powerOn(): Promise<void> {
    await this.loadRules();
    await this.#setPorts("up");
    await this.mapping?.start();
  }

  /** Whether the cable of a host in the home is plugged in at this end. */
  async setCable(host: string, state: "up" | "down"): Promise<void> {
    await this.host.ip([`link set dev ${host} ${state}`]);
  }

  async #setPorts(state: "up" | "down"): Promise<void> {
    const printed = await this.host.mustExec(["ip", "-j", "link", "show", "type", "bridge_slave"]);
    // ip prints an empty object for every link of another kind.
    const ports = (JSON.parse(printed) as { ifname?: string }[]).flatMap(({ ifname }) => ifname ?? []);
    await this.host.ip(ports.map((name) => `link set dev ${name} ${state}`));
  }

  /** A power cut: connections, mappings and leases forgotten. */
  async reboot(): Promise<void> {
    await this.mapping?.stop();
    await this.host.exec(["rm", "-f", `${this.host.folder}/miniupnpd.leases`]);
    await this.loadRules();
    await this.host.exec(["conntrack", "-F"]);
    await this.mapping?.start();
  }
}
