/** A box that translates addresses, and maps ports on request where it is told to. */
import type { LabHost } from "./lab-host.ts";
import { Miniupnpd, type MiniupnpdOptions } from "./miniupnpd.ts";
import { type NatRules, natRules } from "./nat-rules.ts";

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

  /** A power cut: connections, mappings and leases forgotten. */
  async reboot(): Promise<void> {
    await this.mapping?.stop();
    await this.host.exec(["rm", "-f", `${this.host.folder}/miniupnpd.leases`]);
    await this.loadRules();
    await this.host.exec(["conntrack", "-F"]);
    await this.mapping?.start();
  }
}
