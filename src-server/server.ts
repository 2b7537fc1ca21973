/** bosonserver, composed: the only place of this program that says `new` to its parts. */
import type { WebSocket } from "ws";
import { type Clock, delay } from "../src-shared/clock.ts";
import { CLOSE_CODE } from "../src-shared/relay/control.ts";
import { QueueBudget } from "../src-shared/relay/drop-oldest-queue.ts";
import { SlabPool } from "../src-shared/relay/slab-pool.ts";
import { ok, type Result } from "../src-shared/result.ts";
import { Admin, type Health } from "./admin.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { NatsCluster } from "./cluster/nats-cluster.ts";
import { SingleInstance } from "./cluster/single-instance.ts";
import type { Config } from "./config.ts";
import { Counters } from "./counters.ts";
import { type Endpoint, Gate, type Source } from "./gate.ts";
import { GuestConnection } from "./guest-connection.ts";
import { HalfOpenConnections } from "./half-open.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { NodeAuthenticator } from "./node-authenticator.ts";
import { NodeConnection } from "./node-connection.ts";
import { Prober } from "./probe.ts";
import { Relay } from "./relay.ts";
import { Store } from "./store.ts";
import { StunServer } from "./stun.ts";

/** How often a draining server looks whether everyone has left. */
const DRAIN_CHECK_MS = 50;

export interface ServerAddresses {
  /** Where nodes and guests connect. */
  readonly url: string;
  readonly admin: string | null;
  readonly udp: { readonly host: string; readonly portMin: number; readonly portMax: number };
  /** Where STUN is answered; null where it is not. */
  readonly stun: { readonly host: string; readonly port: number } | null;
}

export class BosonServer {
  readonly counters = new Counters();
  #config: Config;
  #clock: Clock;
  #log: Log;
  #store: Store;
  #cluster: Cluster;
  #relay: Relay;
  #budget: QueueBudget;
  #halfOpen: HalfOpenConnections;
  #pool = new SlabPool((bytes) => Buffer.allocUnsafeSlow(bytes));
  #authenticator: NodeAuthenticator;
  #prober: Prober;
  #stun: StunServer | undefined;
  #gate: Gate | undefined;
  #admin: Admin | undefined;
  #nodes = new Set<NodeConnection>();
  #guests = new Set<GuestConnection>();
  #draining = false;
  #stopped: Promise<void> | undefined;

  private constructor(config: Config, clock: Clock, log: Log, store: Store, cluster: Cluster) {
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
    this.#store = store;
    this.#cluster = cluster;
    this.#budget = new QueueBudget(config.limits.queueBytes);
    this.#authenticator = new NodeAuthenticator(config);
    this.#prober = new Prober({ config, clock });
    this.#halfOpen = new HalfOpenConnections(config.limits, config.handshakeTimeoutMs, clock, this.counters);
    this.#relay = new Relay({ config, clock, log, counters: this.counters, store, cluster });
  }

  /** Starts everything, or nothing: what was opened is closed again when a later part fails. */
  static async start(config: Config, clock: Clock, log: Log): Promise<Result<BosonServer>> {
    const store = Store.open(config.dataDir);
    if (!store.ok) return store;
    const cluster: Result<Cluster> =
      config.nats === undefined
        ? ok(new SingleInstance(store.value, config.udp, clock))
        : await NatsCluster.connect(config.nats, config.udp, clock, log);
    if (!cluster.ok) {
      store.value.close();
      return cluster;
    }
    const server = new BosonServer(config, clock, log, store.value, cluster.value);
    const opened = await server.#open();
    if (opened.ok) return ok(server);
    await server.stop();
    return opened;
  }

  get addresses(): ServerAddresses {
    const scheme = this.#config.tls === undefined ? "ws" : "wss";
    return {
      url: `${scheme}://${this.#gate === undefined ? "" : hostPort(this.#gate.address)}`,
      admin: this.#admin === undefined ? null : `http://${hostPort(this.#admin.address)}`,
      udp: this.#config.udp,
      stun: this.#stun === undefined ? null : { host: this.#stun.address.address, port: this.#stun.address.port },
    };
  }

  get halfOpenCount(): number {
    return this.#halfOpen.size;
  }

  get queuedBytes(): number {
    return this.#budget.usedBytes;
  }

  get sessionCount(): number {
    return this.#relay.sessionCount;
  }

  reloadCertificate(): Result<void> {
    return this.#gate?.reloadCertificate() ?? ok(undefined);
  }

  /** Tells everyone to move, waits for it up to `drainMs`, and stops. */
  async drain(): Promise<void> {
    if (this.#draining) return this.stop();
    this.#draining = true;
    this.#log.info("draining", { nodes: this.#nodes.size, guests: this.#guests.size });
    this.#gate?.stopListening();
    const withinMs = this.#config.drainMs;
    for (const connection of [...this.#nodes, ...this.#guests]) connection.drain(withinMs);
    const untilMs = this.#clock.monotonicMs() + withinMs;
    while (this.#nodes.size + this.#guests.size > 0 && this.#clock.monotonicMs() < untilMs && !this.#stopped) {
      await delay(this.#clock, DRAIN_CHECK_MS);
    }
    return this.stop();
  }

  /** Closes every connection and port. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#draining = true;
    this.#gate?.stopListening();
    for (const connection of [...this.#nodes, ...this.#guests]) connection.close(CLOSE_CODE.restart, "server-stopped");
    this.#prober.dispose();
    this.#stun?.close();
    await this.#relay.dispose();
    // Close frames leave with the next turn; then the sockets can go.
    await delay(this.#clock, 10);
    this.#gate?.close();
    this.#admin?.close();
    await this.#cluster.close();
    this.#store.close();
  }

  async #open(): Promise<Result<void>> {
    await this.#relay.start();
    const stun = await this.#openStun();
    if (!stun.ok) return stun;
    const gate = await Gate.open(this.#config, this.#halfOpen, this.counters, {
      onSocket: (endpoint, socket, source, settled) => this.#accept(endpoint, socket, source, settled),
      health: () => this.#health(),
    });
    if (!gate.ok) return gate;
    this.#gate = gate.value;
    if (this.#config.admin === null) return ok(undefined);
    const registry = createMetrics(this.counters, () => this.#gauges());
    const admin = await Admin.open(this.#config.admin, registry, () => this.#health());
    if (!admin.ok) return admin;
    this.#admin = admin.value;
    return ok(undefined);
  }

  async #openStun(): Promise<Result<void>> {
    const { stun, udp } = this.#config;
    if (stun === null) return ok(undefined);
    const { host = udp.host, port } = stun;
    const opened = await StunServer.open({ host, port, clock: this.#clock, counters: this.counters });
    if (opened.ok) this.#stun = opened.value;
    return opened.ok ? ok(undefined) : opened;
  }

  #accept(endpoint: Endpoint, socket: WebSocket, { address, network }: Source, settled: () => void): void {
    const { limits, publicHost, serverName } = this.#config;
    const stunPort = this.#stun?.address.port;
    const context = {
      config: this.#config,
      clock: this.#clock,
      log: this.#log,
      counters: this.counters,
      pool: this.#pool,
      budget: this.#budget,
      relay: this.#relay,
      authenticator: this.#authenticator,
      prober: this.#prober,
      stun: stunPort === undefined ? undefined : { host: publicHost ?? serverName, port: stunPort },
      hasRoomForNode: () => !this.#draining && this.#nodes.size < limits.nodes,
      hasRoomForGuest: () => !this.#draining && this.#guests.size < limits.guests,
    };
    if (endpoint === "node") {
      const connection: NodeConnection = new NodeConnection(
        socket,
        address,
        context,
        () => {
          settled();
          this.#nodes.add(connection);
        },
        () => this.#nodes.delete(connection),
      );
    } else {
      const connection: GuestConnection = new GuestConnection(
        socket,
        network,
        context,
        () => {
          settled();
          this.#guests.add(connection);
        },
        () => this.#guests.delete(connection),
      );
    }
  }

  #health(): Health {
    const healthy = !this.#draining && this.#cluster.healthy;
    const status = this.#draining ? "draining" : healthy ? "ok" : "cluster-unreachable";
    return { ok: healthy, body: `${JSON.stringify({ status })}\n` };
  }

  #gauges() {
    const { connected, inGrace } = this.#relay.nodeCounts;
    return {
      nodes: connected,
      nodesInGrace: inGrace,
      guests: this.#guests.size,
      sessions: this.#relay.sessionCount,
      halfOpen: this.#halfOpen.size,
      queuedBytes: this.#budget.usedBytes,
      trackedSources: this.#relay.trackedSources,
    };
  }
}

function hostPort({ address, port, family }: { address: string; port: number; family: string }): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
