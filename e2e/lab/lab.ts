/**
 * A home network, its router, its provider and a small internet, on one Linux machine.
 *
 *  guest(s) ── inet ─────────── isp ─────────── router ──┬── node
 *              web, DNS         (double, cgnat)          ├── neighbour
 *                                                        └── rival
 *
 * Whoever creates a lab disposes of it; when the holding process dies without doing so, the kernel does.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GUESTS, guestAddress, INTERNET } from "./addresses.ts";
import { Guest } from "./guest.ts";
import { claimFolder, FOLDER_PREFIX, sweepAbandonedFolders } from "./lab-folder.ts";
import { LabHost } from "./lab-host.ts";
import { MAPPING_PROTOCOLS } from "./miniupnpd.ts";
import { namespacesOf } from "./processes.ts";
import type { Router } from "./router.ts";
import { wireSecondUplink } from "./second-uplink.ts";
import type { DnsQuery } from "./servers/dns-server.ts";
import { nodeProgram } from "./support.ts";
import { hostNames, type RouterOptions, type Topology, wire } from "./topology.ts";
import { configure, plugIn } from "./wiring.ts";

/** Node.js starts in 0.1 s; a machine busy with tests takes longer. */
const SERVER_START_TIMEOUT_MS = 15_000;

export interface LabOptions {
  topology?: Topology;
  /** Default: miniupnpd as IGD version 2, nothing forwarded by hand. */
  router?: Partial<RouterOptions>;
  /** Default: true. */
  ipv6?: boolean;
}

export class Lab {
  readonly topology: Topology;
  readonly ipv6: boolean;
  /** Temporary folder of this lab alone, the same path in every host. */
  readonly folder: string;
  #hosts = new Map<string, LabHost>();
  #guests = 0;
  #router: Router | undefined;
  #isp: Router | undefined;
  #disposed: Promise<void> | undefined;

  private constructor(topology: Topology, ipv6: boolean) {
    this.topology = topology;
    this.ipv6 = ipv6;
    sweepAbandonedFolders();
    this.folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
    claimFolder(this.folder);
  }

  /** Brings a lab up, complete, or leaves nothing behind and throws. */
  static async create(options: LabOptions = {}): Promise<Lab> {
    const topology = options.topology ?? "single";
    const lab = new Lab(topology, options.ipv6 ?? true);
    try {
      const router = {
        mapping: "miniupnpd",
        portForward51820: false,
        igd: 2,
        protocols: MAPPING_PROTOCOLS,
        extraConfig: [],
        ...options.router,
      } as const;
      await lab.#bringUp({ topology, router, ipv6: lab.ipv6 });
      return lab;
    } catch (error) {
      await lab.dispose();
      throw error;
    }
  }

  async #bringUp(wiring: Parameters<typeof wire>[1]): Promise<void> {
    await Promise.all(hostNames(wiring.topology).map((name) => this.#startHost(name)));
    const { router, isp } = await wire(this.#hosts, wiring);
    this.#router = router;
    this.#isp = isp;
    const program = join(import.meta.dirname, "servers/internet.ts");
    const mode = this.ipv6 ? "ipv6" : "ipv4-only";
    const servers = this.host("inet").spawn([nodeProgram(), program, this.#queryLog, mode]);
    await servers.line((line) => line.includes('"ready":true'), SERVER_START_TIMEOUT_MS);
  }

  /** A host by name: inet, router, node, neighbour, rival, isp where there is one, and the guests. */
  host(name: string): LabHost {
    const host = this.#hosts.get(name);
    if (host === undefined)
      throw new Error(`the lab has no host ${name}, it has ${[...this.#hosts.keys()].join(", ")}`);
    return host;
  }

  get hosts(): LabHost[] {
    return [...this.#hosts.values()];
  }

  get router(): Router {
    if (this.#router === undefined) throw new Error("the lab is not up");
    return this.#router;
  }

  /** The provider's NAT; undefined in the single topology. */
  get isp(): Router | undefined {
    return this.#isp;
  }

  /** A further machine out in the internet, with a stock WireGuard client, not yet connected to any node. */
  async addGuest(name = `guest${this.#guests + 1}`): Promise<Guest> {
    if (this.#hosts.has(name)) throw new Error(`the lab has a host ${name} already`);
    const own = guestAddress(++this.#guests);
    const host = await this.#startHost(name);
    await plugIn(host, this.host("inet"), "guests");
    await configure(host, own, GUESTS.gateway, this.ipv6);
    return Guest.on(host, own);
  }

  /** Plugs the node's eth1 into a second router with a line of its own; the default route stays where it is. */
  async addSecondUplink(): Promise<Router> {
    return wireSecondUplink({
      node: this.host("node"),
      inet: this.host("inet"),
      router: await this.#startHost("second-router"),
      ipv6: this.ipv6,
    });
  }

  /** What the lab's name server has been asked so far, oldest first. */
  dnsQueries(): DnsQuery[] {
    if (!existsSync(this.#queryLog)) return [];
    const lines = readFileSync(this.#queryLog, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as DnsQuery);
  }

  /** The namespaces of all hosts, as /proc/PID/ns names them: what nothing may use any more once the lab is gone. */
  namespaces(): string[] {
    return this.hosts.flatMap((host) => namespacesOf(host.pid));
  }

  /** Ends every host with everything in it and removes the folder. Idempotent. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #dispose(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startHost(name: string): Promise<LabHost> {
    mkdirSync(this.folder, { recursive: true });
    const host = await LabHost.start(name, this.folder);
    this.#hosts.set(name, host);
    await host.useResolvers([INTERNET.dns.ipv4]);
    return host;
  }

  get #queryLog(): string {
    return join(this.folder, "dns-queries.jsonl");
  }
}
