/** A real miniupnpd on one of the lab's routers: UPnP IGD, NAT-PMP and PCP. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab-host.ts";
import { poll, pollUntil } from "./poll.ts";

/** RFC 6886 and RFC 6887: NAT-PMP and PCP share this port. */
const NAT_PMP_PORT = 5351;
const START_TIMEOUT_MS = 5_000;
const SSDP_PORT = 1900;
/** It now and then starts without its sockets, or refuses for the pid file of the run before. */
const START_ATTEMPTS = 3;

export const MAPPING_PROTOCOLS = ["pcp", "nat-pmp", "upnp"] as const;
export type MappingProtocol = (typeof MAPPING_PROTOCOLS)[number];

export interface MiniupnpdOptions {
  wanInterface: string;
  lanInterface: string;
  /** Prefix whose hosts may map ports. */
  lanPrefix: string;
  /** Version of the Internet Gateway Device that is announced. */
  igd: 1 | 2;
  /** What it speaks. PCP and NAT-PMP are one to miniupnpd; the router's own rules drop the one that is not wanted. */
  protocols: readonly MappingProtocol[];
  /** Told apart by this where two routers answer. */
  uuid: string;
  /** Lines added to the configuration file. */
  extraConfig?: readonly string[];
}

export class Miniupnpd {
  #router: LabHost;
  #options: MiniupnpdOptions;

  constructor(router: LabHost, options: MiniupnpdOptions) {
    this.#router = router;
    this.#options = options;
  }

  get #pidFile(): string {
    return join(this.#router.folder, "miniupnpd.pid");
  }

  /** Starts it and waits until it listens. Mappings of an earlier run come back from its lease file, as on a router. */
  async start(): Promise<void> {
    const configuration = this.#router.writePrivateFile("miniupnpd.conf", this.#configuration());
    let last: unknown;
    for (let attempt = 1; attempt <= START_ATTEMPTS; attempt++) {
      rmSync(this.#pidFile, { force: true });
      const igd = this.#options.igd === 1 ? ["-1"] : [];
      await this.#router.mustExec(["miniupnpd", "-f", configuration, "-P", this.#pidFile, ...igd]);
      try {
        await poll("miniupnpd to listen", () => (this.#isReady() ? true : undefined), { timeoutMs: START_TIMEOUT_MS });
        return;
      } catch (error) {
        last = error;
        await this.stop();
      }
    }
    throw last;
  }

  /** Stops it; the mappings it made stay in the kernel, as when a router's daemon dies. Idempotent. */
  async stop(): Promise<void> {
    const pid = this.#pid();
    if (pid === undefined) return;
    const isGone = () => !this.#router.processes().some((process) => process.pid === pid);
    this.#router.kill(pid, "SIGTERM");
    try {
      await pollUntil("miniupnpd to stop", isGone, { timeoutMs: 2_000 });
    } catch {
      this.#router.kill(pid, "SIGKILL");
      await pollUntil("miniupnpd to be killed", isGone, { timeoutMs: 15_000 });
    }
    rmSync(this.#pidFile, { force: true });
  }

  /** The rules it made for mappings, as nft(8) prints them. */
  async rules(): Promise<string> {
    const chains = ["miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"];
    const texts = await Promise.all(
      chains.map((chain) => this.#router.mustExec(["nft", "list", "chain", "inet", "filter", chain])),
    );
    return texts.join("");
  }

  #isReady(): boolean {
    const { protocols } = this.#options;
    const ports = [
      ...(protocols.includes("upnp") ? [SSDP_PORT] : []),
      ...(speaksNatPmp(protocols) ? [NAT_PMP_PORT] : []),
    ];
    return this.#pid() !== undefined && ports.every((port) => this.#router.listensOnUdp(port));
  }

  #pid(): number | undefined {
    if (!existsSync(this.#pidFile)) return undefined;
    const pid = Number(readFileSync(this.#pidFile, "utf8").trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  }

  #configuration(): string {
    const { wanInterface, lanInterface, lanPrefix, uuid, protocols, extraConfig } = this.#options;
    return [
      `ext_ifname=${wanInterface}`,
      `listening_ip=${lanInterface}`,
      "http_port=5000",
      `enable_natpmp=${speaksNatPmp(protocols) ? "yes" : "no"}`,
      `enable_upnp=${protocols.includes("upnp") ? "yes" : "no"}`,
      "secure_mode=yes",
      "min_lifetime=120",
      "max_lifetime=86400",
      "system_uptime=no",
      "notify_interval=60",
      `uuid=${uuid}`,
      `lease_file=${join(this.#router.folder, "miniupnpd.leases")}`,
      "upnp_table_name=filter",
      "upnp_nat_table_name=filter",
      "upnp_forward_chain=miniupnpd",
      "upnp_nat_chain=prerouting_miniupnpd",
      "upnp_nat_postrouting_chain=postrouting_miniupnpd",
      ...(extraConfig ?? []),
      `allow 1024-65535 ${lanPrefix} 1024-65535`,
      "deny 0-65535 0.0.0.0/0 0-65535",
      "",
    ].join("\n");
  }
}

function speaksNatPmp(protocols: readonly MappingProtocol[]): boolean {
  return protocols.includes("pcp") || protocols.includes("nat-pmp");
}
