/**
 * A cluster over NATS. Core subjects carry datagrams (lost ones stay lost, as on any network), JetStream
 * key-value buckets say who is where:
 *
 *   PREFIX-ports      `node.ID` → port, `port.N` → node: claimed once, with create(), and kept
 *   PREFIX-places     `ID` → instance and port: where a node is connected; the last writer is right
 *   PREFIX-instances  `INSTANCE` → now: rewritten every 2 s, gone 6 s after an instance died
 *
 *   PREFIX.node.ID          datagrams for a node: `16 bytes instance, u32be edge session, payload`
 *   PREFIX.node-closed.ID   the same without payload: that session has ended
 *   PREFIX.edge.INSTANCE    datagrams for a guest: `u32be edge session, payload`
 *   PREFIX.proofs           hashes of proven sources, 16 bytes each
 *
 * A home subscribes to its nodes' subjects, so a datagram finds a node that moved without any table being
 * right at that moment. While NATS cannot be reached, an instance goes on serving what it has itself.
 */
import { randomBytes } from "node:crypto";
import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { connect, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { z } from "zod";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { errorOf, fail, ok, type Result } from "../../src-shared/result.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { PortRange } from "../store.ts";
import type { Cluster, ClusterHandlers } from "./cluster.ts";

const INSTANCE_BYTES = 16;
const EDGE_SESSION_BYTES = 4;
const PROOF_BYTES = 16;
/** An instance that has not been heard of for three of its heartbeats is dead. */
const HEARTBEAT_MS = 2_000;
const INSTANCE_LIFETIME_MS = 6_000;
/** How long guests of a dead instance's node find its port open elsewhere. */
const NODE_KEPT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Ports are few and races rare; more losses than this in a row mean that the range is full. */
const MAX_CLAIM_ATTEMPTS = 200;

const placeSchema = z.strictObject({
  instance: z.string().regex(/^[0-9a-f]{32}$/),
  port: z.int().min(1).max(65535),
});
type Place = z.infer<typeof placeSchema>;

interface Buckets {
  readonly ports: KV;
  readonly places: KV;
  readonly instances: KV;
}

export class NatsCluster implements Cluster {
  readonly instance: string;
  #instanceBytes: Buffer;
  #connection: NatsConnection;
  #buckets: Buckets;
  #range: PortRange;
  #clock: Clock;
  #log: Log;
  #prefix: string;
  #proofKey: Buffer;
  #handlers: ClusterHandlers | undefined;
  #here = new Map<string, { port: number; subscriptions: Subscription[] }>();
  #elsewhere = new Map<string, Place>();
  #alive = new Map<string, number>();
  #cancelHeartbeat: CancelTimer | undefined;
  #connected = true;
  #closed = false;

  private constructor(
    connection: NatsConnection,
    buckets: Buckets,
    proofKey: Buffer,
    prefix: string,
    range: PortRange,
    clock: Clock,
    log: Log,
  ) {
    this.#instanceBytes = randomBytes(INSTANCE_BYTES);
    this.instance = this.#instanceBytes.toString("hex");
    this.#connection = connection;
    this.#buckets = buckets;
    this.#proofKey = proofKey;
    this.#prefix = prefix;
    this.#range = range;
    this.#clock = clock;
    this.#log = log;
  }

  /** Fails with `nats-unreachable`, also when JetStream is off. */
  static async connect(
    config: NonNullable<Config["nats"]>,
    range: PortRange,
    clock: Clock,
    log: Log,
  ): Promise<Result<NatsCluster>> {
    let connection: NatsConnection | undefined;
    try {
      connection = await connect({
        servers: config.url.split(","),
        name: "bosonserver",
        timeout: CONNECT_TIMEOUT_MS,
        // -1: for as long as this instance lives.
        maxReconnectAttempts: -1,
        reconnectTimeWait: 500,
        ...(config.user === undefined ? {} : { user: config.user }),
        ...(config.password === undefined ? {} : { pass: config.password }),
        ...(config.token === undefined ? {} : { token: config.token }),
      });
      const kvm = new Kvm(jetstream(connection, { timeout: CONNECT_TIMEOUT_MS }));
      const { prefix } = config;
      const buckets = {
        ports: await kvm.create(`${prefix}-ports`, { history: 1 }),
        places: await kvm.create(`${prefix}-places`, { history: 1 }),
        instances: await kvm.create(`${prefix}-instances`, { history: 1, ttl: INSTANCE_LIFETIME_MS }),
      };
      const proofKey = await sharedSecret(buckets.ports, "secret.proofs");
      return ok(new NatsCluster(connection, buckets, proofKey, prefix, range, clock, log));
    } catch (error) {
      await connection?.close();
      return fail(
        "nats-unreachable",
        `cannot use the NATS server: ${errorOf(error).message}`,
        "Check nats.url, and that the server runs with JetStream (nats-server -js).",
      );
    }
  }

  get proofKey(): Buffer {
    return this.#proofKey;
  }

  get healthy(): boolean {
    return this.#connected && !this.#closed;
  }

  async start(handlers: ClusterHandlers): Promise<void> {
    this.#handlers = handlers;
    this.#follow();
    this.#listen(`edge.${this.instance}`, (data) => {
      if (data.length <= EDGE_SESSION_BYTES) return;
      handlers.onDatagramForGuest(data.readUInt32BE(0), data.subarray(EDGE_SESSION_BYTES));
    });
    this.#listen("proofs", (data) => {
      const hashes: Buffer[] = [];
      for (let at = 0; at + PROOF_BYTES <= data.length; at += PROOF_BYTES) {
        hashes.push(Buffer.from(data.subarray(at, at + PROOF_BYTES)));
      }
      handlers.onProofs(hashes);
    });
    await this.#buckets.instances.put(this.instance, "");
    const instances = await this.#buckets.instances.watch();
    this.#consume(instances, (entry) => {
      if (entry.operation === "PUT") this.#alive.set(entry.key, this.#clock.monotonicMs());
      else this.#alive.delete(entry.key);
    });
    const places = await this.#buckets.places.watch();
    this.#consume(places, (entry) => {
      if (entry.operation === "PUT") this.#placed(entry.key, entry.string());
      else this.#gone(entry.key);
    });
    this.#beat();
  }

  async portFor(node: string): Promise<Result<number>> {
    const { ports } = this.#buckets;
    const known = await ports.get(`node.${node}`);
    if (known !== null && known.operation === "PUT") {
      const port = Number(known.string());
      if (port >= this.#range.portMin && port <= this.#range.portMax) return ok(port);
    }
    const size = this.#range.portMax - this.#range.portMin + 1;
    const start = Buffer.from(node, "base64url").readUInt32BE(0) % size;
    for (let step = 0; step < Math.min(size, MAX_CLAIM_ATTEMPTS); step++) {
      const port = this.#range.portMin + ((start + step) % size);
      try {
        await ports.create(`port.${port}`, node);
      } catch {
        // Somebody has it; it is ours all the same when an earlier claim was cut short after this step.
        const holder = await ports.get(`port.${port}`);
        if (holder === null || holder.string() !== node) continue;
      }
      await ports.put(`node.${node}`, String(port));
      return ok(port);
    }
    return fail("ports-exhausted", "no UDP port is left for another node", "Widen udp.portMin to udp.portMax.");
  }

  async nodeAt(port: number): Promise<string | undefined> {
    const entry = await this.#buckets.ports.get(`port.${port}`);
    return entry !== null && entry.operation === "PUT" ? entry.string() : undefined;
  }

  async announce(node: string, port: number): Promise<void> {
    if (!this.#here.has(node)) {
      const subscriptions = [
        this.#listen(`node.${node}`, (data) => {
          if (data.length <= INSTANCE_BYTES + EDGE_SESSION_BYTES) return;
          const [instance, edgeSession] = readOrigin(data);
          const payload = data.subarray(INSTANCE_BYTES + EDGE_SESSION_BYTES);
          this.#handlers?.onDatagramForNode(node, instance, edgeSession, payload);
        }),
        this.#listen(`node-closed.${node}`, (data) => {
          if (data.length !== INSTANCE_BYTES + EDGE_SESSION_BYTES) return;
          const [instance, edgeSession] = readOrigin(data);
          this.#handlers?.onEdgeSessionClosed(node, instance, edgeSession);
        }),
      ];
      this.#here.set(node, { port, subscriptions });
    }
    this.#elsewhere.delete(node);
    await this.#buckets.places.put(node, JSON.stringify({ instance: this.instance, port }));
  }

  async withdraw(node: string): Promise<void> {
    if (this.#leave(node) && this.healthy) await this.#forgetPlace(node, this.instance);
  }

  sendToNode(node: string, edgeSession: number, payload: Uint8Array): void {
    const message = Buffer.allocUnsafe(INSTANCE_BYTES + EDGE_SESSION_BYTES + payload.length);
    this.#writeOrigin(message, edgeSession);
    message.set(payload, INSTANCE_BYTES + EDGE_SESSION_BYTES);
    this.#publish(`node.${node}`, message);
  }

  closeEdgeSession(node: string, edgeSession: number): void {
    const message = Buffer.allocUnsafe(INSTANCE_BYTES + EDGE_SESSION_BYTES);
    this.#writeOrigin(message, edgeSession);
    this.#publish(`node-closed.${node}`, message);
  }

  sendToGuest(instance: string, edgeSession: number, payload: Uint8Array): void {
    const message = Buffer.allocUnsafe(EDGE_SESSION_BYTES + payload.length);
    message.writeUInt32BE(edgeSession, 0);
    message.set(payload, EDGE_SESSION_BYTES);
    this.#publish(`edge.${instance}`, message);
  }

  shareProofs(hashes: readonly Buffer[]): void {
    this.#publish("proofs", Buffer.concat(hashes));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelHeartbeat?.();
    // Bounded by the connection's own close: a server that cannot be reached is not waited for.
    if (this.#connected) await this.#buckets.instances.delete(this.instance).catch(() => undefined);
    await this.#connection.close();
  }

  #placed(node: string, text: string): void {
    const place = parsePlace(text);
    if (place === undefined) return;
    if (place.instance === this.instance) {
      this.#elsewhere.delete(node);
      return;
    }
    if (this.#leave(node)) this.#handlers?.onNodeTaken(node);
    this.#elsewhere.set(node, place);
    this.#handlers?.onNodeElsewhere(node, place.port);
  }

  #gone(node: string): void {
    if (this.#elsewhere.delete(node)) this.#handlers?.onNodeGone(node);
  }

  /** Stops listening for a node; false when it was not here. */
  #leave(node: string): boolean {
    const had = this.#here.get(node);
    if (had === undefined) return false;
    this.#here.delete(node);
    for (const subscription of had.subscriptions) subscription.unsubscribe();
    return true;
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.after(HEARTBEAT_MS, () => {
      if (this.#closed) return;
      if (this.#connected) {
        this.#buckets.instances.put(this.instance, "").catch((error: unknown) => {
          this.#log.warn("nats-heartbeat-failed", { message: errorOf(error).message });
        });
        this.#forgetDead();
      }
      this.#beat();
    });
  }

  /** Keeps the port of a dead instance's node for a while: the node is on its way to another one. */
  #forgetDead(): void {
    const nowMs = this.#clock.monotonicMs();
    const places = [...this.#elsewhere];
    for (const { instance } of this.#elsewhere.values()) {
      if (!this.#alive.has(instance)) this.#alive.set(instance, nowMs);
    }
    for (const [instance, heardMs] of [...this.#alive]) {
      if (nowMs - heardMs <= NODE_KEPT_MS) continue;
      this.#alive.delete(instance);
      for (const [node, place] of places) {
        if (place.instance !== instance) continue;
        this.#gone(node);
        this.#forgetPlace(node, instance).catch((error: unknown) => {
          this.#log.warn("nats-forget-failed", { message: errorOf(error).message });
        });
      }
    }
  }

  /** Removes a node's place, unless another instance has announced the node since. */
  async #forgetPlace(node: string, instance: string): Promise<void> {
    const entry = await this.#buckets.places.get(node);
    if (entry === null || entry.operation !== "PUT" || parsePlace(entry.string())?.instance !== instance) return;
    await this.#buckets.places.delete(node, { previousSeq: entry.revision }).catch(() => undefined);
  }

  #listen(subject: string, onData: (data: Buffer) => void): Subscription {
    return this.#connection.subscribe(`${this.#prefix}.${subject}`, {
      callback: (error, message) => {
        if (error !== null) return;
        const { buffer, byteOffset, byteLength } = message.data;
        onData(Buffer.from(buffer, byteOffset, byteLength));
      },
    });
  }

  #publish(subject: string, data: Buffer): void {
    // While disconnected the client would keep everything; datagrams are not worth keeping.
    if (!this.healthy) return;
    this.#connection.publish(`${this.#prefix}.${subject}`, data);
  }

  #writeOrigin(message: Buffer, edgeSession: number): void {
    this.#instanceBytes.copy(message, 0);
    message.writeUInt32BE(edgeSession, INSTANCE_BYTES);
  }

  #follow(): void {
    this.#consume(this.#connection.status(), (status) => {
      if (status.type === "disconnect") {
        this.#connected = false;
        this.#log.warn("nats-disconnected");
      } else if (status.type === "reconnect") {
        this.#connected = true;
        this.#log.info("nats-reconnected");
        this.#announceAgain();
      }
    });
  }

  /** A NATS server that lost its memory learns again who is here. */
  #announceAgain(): void {
    for (const [node, { port }] of this.#here) {
      this.#buckets.places.put(node, JSON.stringify({ instance: this.instance, port })).catch((error: unknown) => {
        this.#log.warn("nats-announce-failed", { message: errorOf(error).message });
      });
    }
  }

  #consume<T>(iterable: AsyncIterable<T>, each: (item: T) => void): void {
    const run = async () => {
      for await (const item of iterable) each(item);
    };
    run().catch((error: unknown) => {
      if (!this.#closed) this.#log.error("nats-watch-ended", { message: errorOf(error).message });
    });
  }
}

function readOrigin(data: Buffer): [instance: string, edgeSession: number] {
  return [data.toString("hex", 0, INSTANCE_BYTES), data.readUInt32BE(INSTANCE_BYTES)];
}

function parsePlace(text: string): Place | undefined {
  try {
    const parsed = placeSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** A secret made by whoever comes first. */
async function sharedSecret(bucket: KV, key: string): Promise<Buffer> {
  const mine = randomBytes(32);
  try {
    await bucket.create(key, new Uint8Array(mine));
    return mine;
  } catch (error) {
    const entry = await bucket.get(key);
    if (entry === null) throw error;
    return Buffer.from(entry.value);
  }
}
