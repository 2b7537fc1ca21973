/**
 * A UDP port on this computer that stands for a node behind a relay: WireGuard's datagrams go in and out there, and
 * travel over a WebSocket. For guests whose network lets only TCP through.
 *
 *   WireGuard ──UDP on loopback──▶ bridge ──WebSocket, 443/tcp──▶ relay ──▶ node
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { formatRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { QueueBudget } from "../../src-shared/relay/drop-oldest-queue.ts";
import { SlabPool } from "../../src-shared/relay/slab-pool.ts";
import { wireguardMessageType } from "../../src-shared/relay/wireguard-message.ts";
import { errorOf, fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { backoffMs } from "./backoff.ts";
import type { Dialer } from "./dialer.ts";
import { GuestRelay, type RelayTarget } from "./guest-relay.ts";
import { rankServers } from "./rank-servers.ts";

/** A connection that lasts this long has earned a fresh start of the backoff. */
const STABLE_AFTER_MS = 10_000;
/** Backoff beyond this window helps nobody: a person waits, and a relay has few guests of this kind. */
const MAX_ATTEMPT = 5;
/** Asked for, not promised: the kernel's default holds only a few milliseconds of a fast flow. */
const BUFFER_BYTES = 1024 * 1024;
/** Beyond this WireGuard is what is slow; queueing more only delays. */
const MAX_SEND_QUEUE_BYTES = 1024 * 1024;

export type BridgeState =
  | { readonly state: "connected"; readonly url: string }
  | { readonly state: "waiting"; readonly error: HiggsError; readonly inMs: number };

export interface BridgeOptions {
  readonly clock: Clock;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly dialer: Dialer;
  readonly servers: readonly RelayUrl[];
  readonly target: RelayTarget;
  /** A loopback address; port 0 takes any that is free. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly agent: string;
  readonly onState: (state: BridgeState) => void;
}

export class GuestBridge {
  readonly #options: BridgeOptions;
  readonly #udp: Socket;
  readonly #slabs = new SlabPool((bytes) => Buffer.allocUnsafeSlow(bytes));
  readonly #budget = new QueueBudget();
  #relay: GuestRelay | undefined;
  /** Where WireGuard sent from last: its port changes when its interface is made anew. */
  #guest: { readonly address: string; readonly port: number } | undefined;
  #attempt = 0;
  #cancelWait: CancelTimer | undefined;
  #cancelStable: CancelTimer | undefined;
  #closed = false;

  private constructor(options: BridgeOptions, udp: Socket) {
    this.#options = options;
    this.#udp = udp;
    udp.on("message", (payload, from) => this.#fromGuest(payload, from));
    // An ICMP answer to one of our datagrams: WireGuard is away, and sends again when it is back.
    udp.on("error", () => undefined);
  }

  /** Listens and begins to connect. Fails with `listen-failed`. */
  static async open(options: BridgeOptions): Promise<Result<GuestBridge>> {
    const { host, port } = options.listen;
    const family = isIPv6(host) ? 6 : 4;
    const udp = createSocket({
      type: `udp${family}`,
      // An address is a number already; the default goes through the resolver's queue for every datagram.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    try {
      await new Promise<void>((resolve, reject) => {
        udp.once("error", reject);
        udp.bind({ address: host, port, exclusive: true }, () => {
          udp.off("error", reject);
          resolve();
        });
      });
    } catch (error) {
      udp.close();
      return fail(
        "listen-failed",
        `cannot listen on UDP port ${port}: ${errorOf(error).message}`,
        "Choose another port.",
      );
    }
    try {
      udp.setRecvBufferSize(BUFFER_BYTES);
    } catch {
      // The default works too, with more loss in bursts.
    }
    const bridge = new GuestBridge(options, udp);
    void bridge.#connect();
    return ok(bridge);
  }

  /** Where WireGuard's Endpoint points. */
  get endpoint(): Endpoint {
    const { address, port } = this.#udp.address();
    return { host: address, port };
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelWait?.();
    this.#cancelStable?.();
    this.#relay?.close();
    this.#udp.close();
  }

  #fromGuest(payload: Uint8Array, { address, port }: RemoteInfo): void {
    if (wireguardMessageType(payload) === undefined) return;
    this.#guest = { address, port };
    this.#relay?.sendData(payload);
  }

  #toGuest(payload: Uint8Array): void {
    if (this.#guest === undefined || this.#udp.getSendQueueSize() > MAX_SEND_QUEUE_BYTES) return;
    this.#udp.send(payload, this.#guest.port, this.#guest.address, ignoreError);
  }

  async #connect(): Promise<void> {
    const { clock, dialer, servers } = this.#options;
    const candidates = servers.map((url) => ({ name: formatRelayUrl(url), url, standing: "plain" as const }));
    let last: HiggsError = { code: "relay-none", message: "No relay is named." };
    for (const { name, url } of await rankServers(candidates, dialer, clock)) {
      if (this.#closed) return;
      const error = await this.#ask(name, url);
      if (error === undefined || this.#closed) return;
      last = error;
    }
    if (!this.#closed) this.#wait(last);
  }

  /** Resolves with undefined when the relay has connected us, with the error when it has not. */
  #ask(name: string, url: RelayUrl): Promise<HiggsError | undefined> {
    const { clock, dialer, target, agent, onState } = this.#options;
    const socket = dialer.open(url, "connect");
    if (!socket.ok) return Promise.resolve(socket.error);
    return new Promise((resolve) => {
      let connected = false;
      this.#relay = new GuestRelay(
        { socket: socket.value, target, agent, clock, pool: this.#slabs, budget: this.#budget },
        {
          onConnected: () => {
            connected = true;
            this.#cancelStable = clock.after(STABLE_AFTER_MS, () => {
              this.#attempt = 0;
            });
            onState({ state: "connected", url: name });
            resolve(undefined);
          },
          onDatagram: (payload) => this.#toGuest(payload),
          onClosed: (error) => {
            this.#relay = undefined;
            this.#cancelStable?.();
            if (connected && !this.#closed) this.#wait(error);
            else resolve(error);
          },
        },
      );
    });
  }

  #wait(error: HiggsError): void {
    const inMs = backoffMs(this.#attempt, this.#options.random);
    this.#attempt = Math.min(this.#attempt + 1, MAX_ATTEMPT);
    this.#options.onState({ state: "waiting", error, inMs });
    this.#cancelWait = this.#options.clock.after(inMs, () => void this.#connect());
  }
}

function ignoreError(): void {}
