/** Relays out in the lab's internet, and a node behind carrier-grade NAT that nothing but a relay can reach. */
import { join } from "node:path";
import type { RelayLinkState } from "../src-shared/model/relay-link.ts";
import { RELAY_PROTOCOL } from "../src-shared/relay/frame.ts";
import { type Guest, type LabHost, type LabOptions, nodeProgram, type Program, poll } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

const SERVER = join(import.meta.dirname, "../dist/server.mjs");
const CLI = join(import.meta.dirname, "../dist/cli.mjs");
const START_TIMEOUT_MS = 20_000;
/** The relays' own addresses, beside the lab's other servers. */
export const RELAYS = [
  { name: "relay1.example.test", ipv4: "11.22.44.91" },
  { name: "relay2.example.test", ipv4: "11.22.44.92" },
] as const;
const [FIRST] = RELAYS;

export type RelayPlace = (typeof RELAYS)[number];
type Connected = Extract<RelayLinkState, { state: "connected" }>;

export class RelayLab {
  readonly sharing: Sharing;
  readonly inet: LabHost;
  readonly caFile: string;
  readonly #folder: string;

  private constructor(sharing: Sharing) {
    this.sharing = sharing;
    this.inet = sharing.lab.host("inet");
    this.#folder = this.inet.folder;
    this.caFile = join(this.#folder, "ca.pem");
  }

  /**
   * Lab, node (not sharing yet) and certificates; no relay runs. The node knows `relays`, in this order. By default it is
   * behind carrier-grade NAT, and no router maps anything.
   */
  static async create(
    relays: readonly RelayPlace[] = [FIRST],
    home: LabOptions = { topology: "cgnat", router: { mapping: "none", portForward51820: false } },
  ): Promise<RelayLab> {
    const sharing = await Sharing.create(home);
    try {
      const made = new RelayLab(sharing);
      await made.inet.ip(RELAYS.map(({ ipv4 }) => `address add ${ipv4}/24 dev servers`));
      await made.#makeCertificates();
      const lines = RELAYS.map(({ name, ipv4 }) => `${ipv4} ${name}`).join("\n");
      await sharing.node.host.mustExec(["sh", "-c", 'printf "%s\\n" "$1" >> /etc/hosts', "sh", lines]);
      await sharing.node.mustRun([
        "settings",
        "set",
        `relayServers=${JSON.stringify(relays.map(({ name }) => `wss://${name}`))}`,
        `relayCaFile=${made.caFile}`,
      ]);
      return made;
    } catch (error) {
      await sharing.dispose();
      throw error;
    }
  }

  dispose(): Promise<void> {
    return this.sharing.dispose();
  }

  /** Runs bosonserver on 443/tcp of one of the relays' addresses. The port guests use is the same after a restart. */
  async startRelay(place: RelayPlace, more: readonly string[] = []): Promise<Program> {
    const { name, ipv4 } = place;
    const program = this.inet.spawn([
      ...[nodeProgram(), SERVER, "start", "--listen", `${ipv4}:443`, "--admin", "off", "--server-name", name],
      ...["--public-host", ipv4, "--udp-host", ipv4, "--udp-ports", "40000-40009"],
      ...["--data-dir", join(this.#folder, name), "--log-level", "debug"],
      ...["--tls-cert", join(this.#folder, "server.pem"), "--tls-key", join(this.#folder, "server.key"), ...more],
    ]);
    await program.line((line) => line.includes('"ready":true'), START_TIMEOUT_MS);
    return program;
  }

  /** Turns sharing on, and waits until the node is at a relay. */
  async share(): Promise<Connected> {
    await this.sharing.node.mustRun(["on"]);
    await this.sharing.waitForPhase("running");
    return this.waitForRelay();
  }

  async relayState(): Promise<RelayLinkState> {
    const printed = await this.sharing.node.mustRun(["status", "--json"]);
    return (JSON.parse(printed) as { relay: RelayLinkState }).relay;
  }

  /** Waits until the node is connected to a relay, to `place` where one is given. */
  async waitForRelay(place?: RelayPlace, timeoutMs = START_TIMEOUT_MS): Promise<Connected> {
    let last: RelayLinkState | undefined;
    try {
      return await poll(
        `the node to be at ${place?.name ?? "a relay"}`,
        async () => {
          last = await this.relayState();
          const wanted = place === undefined ? undefined : `wss://${place.name}`;
          return last.state === "connected" && (wanted === undefined || last.url === wanted) ? last : undefined;
        },
        { timeoutMs, intervalMs: 100 },
      );
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}; it is ${JSON.stringify(last)}`);
    }
  }

  /** A new client's configuration through the relay's UDP port. */
  async relayedConfig(name: string): Promise<string> {
    await this.sharing.node.mustRun(["client", "add", name]);
    return this.sharing.node.mustRun(["client", "config", name, "--relay"]);
  }

  /** A stranger's machine with nothing but that configuration, connected. */
  async connectGuest(name: string): Promise<Guest> {
    const configuration = await this.relayedConfig(name);
    const guest = await this.sharing.lab.addGuest();
    await guest.up(configuration);
    await guest.waitForHandshake();
    return guest;
  }

  /** Starts the bridge with the command in the first lines of a `--websocket` configuration, and waits until it is up. */
  async startBridge(guest: Guest, configuration: string): Promise<Program> {
    const command = /^#\s+higgsnode (connect .*)$/m.exec(configuration)?.[1];
    if (command === undefined) throw new Error(`the configuration names no command:\n${configuration}`);
    const words = command.split(" ");
    const bridge = guest.host.spawn([nodeProgram(), CLI, ...words, "--ca", this.caFile]);
    await bridge.line((line) => line.includes('"ready":true'), START_TIMEOUT_MS);
    return bridge;
  }

  /** A test authority, and one certificate for all relays. */
  async #makeCertificates(): Promise<void> {
    const names = RELAYS.flatMap(({ name, ipv4 }) => [`DNS:${name}`, `IP:${ipv4}`]).join(",");
    this.inet.writePrivateFile("server.ext", `subjectAltName=${names}\n`);
    const openssl = (...args: string[]) => this.inet.mustExec(["openssl", ...args], { cwd: this.#folder });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test");
    await openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", `/CN=${RELAY_PROTOCOL}`);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "server.ext"];
    await openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", ...signing);
  }
}
