/** A machine in a temporary folder: what a helper server needs to serve it, and the link of a node that finds the server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../src-shared/clock.ts";
import type { Capabilities, FirewallInspection } from "../../../src-shared/network-observation.ts";
import type { NetworkSpec } from "../../../src-shared/network-spec.ts";
import { fail, unwrap } from "../../../src-shared/result.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import { HelperLink } from "../../helper/helper-link.ts";
import { FakeHelper } from "./fake-helper.ts";

export const CAPABILITIES: Capabilities = {
  platform: "linux",
  kernelRelease: "6.1.0",
  programs: {
    ip: { path: "/sbin/ip", version: "6.1" },
    wg: { path: "/usr/bin/wg", version: "1.0" },
    iptables: { path: "/sbin/iptables", version: "1.8" },
  },
  wireguard: "kernel",
  nat: { ipv4: true, ipv6: true },
  ipv6: true,
  tunDevice: true,
};

export const INSPECTION: FirewallInspection = { owners: [], policies: {}, obstacles: [], unreadable: [] };

const TOKEN = "secret";

/** A helper server, as a test makes it. */
interface Server {
  listen(path: string): Promise<void>;
  close(): Promise<void>;
}

export class FakeMachine {
  readonly folder: string;
  /** What the machine has, and how it fails. */
  readonly network = new FakeHelper();
  readonly #endpoint: { socketPath: string; tokenPath: string };
  #server: Server | undefined;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "higgs-node-"));
    this.#endpoint = { socketPath: join(this.folder, "helper.sock"), tokenPath: join(this.folder, "helper.token") };
    writeFileSync(this.#endpoint.tokenPath, TOKEN);
  }

  /** Options of a helper server with this machine behind it, which stays until it is stopped. */
  get serverOptions() {
    const { network } = this;
    return {
      backend: {
        ownsNetwork: () => network.applied !== undefined,
        capabilities: async () => CAPABILITIES,
        apply: (spec: NetworkSpec) => network.call("apply", { spec }),
        observe: async () => unwrap(await network.call("observe", {})),
        observePeers: async () => unwrap(await network.call("observe-peers", {})),
        observeLimit: async () => ({ atMs: 0, down: null, up: null }),
        restore: async () => unwrap(await network.call("restore", {})),
        inspectFirewall: async () => INSPECTION,
        watch: () => () => {},
        watchConnections: () => () => {},
      },
      clock: new FakeClock(),
      log: { write: () => {} },
      token: TOKEN,
      version: "1",
      graceMs: 30_000,
      stayWhenIdle: true,
      onDone: () => {},
    };
  }

  async serve(server: Server): Promise<void> {
    this.#server = server;
    await server.listen(this.#endpoint.socketPath);
  }

  /** A link that finds this helper, and could start none. */
  link(clock: Clock): HelperLink {
    return new HelperLink({
      endpoint: this.#endpoint,
      clock,
      launch: () => fail("helper-not-started", "This machine starts none."),
      readyWithinMs: 1_000,
    });
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
