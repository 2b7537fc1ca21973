/**
 * Keeps the node connected to one of several relays for as long as it is wanted.
 *
 *   connecting ──registered──▶ connected ──lost, or asked to move──┐
 *      ▲   └─ nobody took us ─▶ waiting ─┐                         │
 *      └────── backoff over ─────────────┴──◀──────────────────────┘
 *
 * Sessions and their sockets belong to the pool: a connection that comes back within the relay's grace time
 * finds them as they were. A relay that was restarted meanwhile has forgotten them; it gets back the guests'
 * addresses, which it has had us keep under its seal.
 */
import { networkInterfaces } from "node:os";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { formatRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { type ProbeResult, type Registered, SEALS_FEATURE } from "../../src-shared/relay/control.ts";
import { QueueBudget } from "../../src-shared/relay/drop-oldest-queue.ts";
import { SlabPool } from "../../src-shared/relay/slab-pool.ts";
import { fail, type HiggsError, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { type Outside, type OutsideView, viewOf } from "../reachability/outside.ts";
import type { ProbeQuestion } from "../reachability/probe-exchange.ts";
import { backoffMs } from "./backoff.ts";
import type { Dialer } from "./dialer.ts";
import { type ProbeVisit, visitForProbe } from "./probe-visit.ts";
import { type Candidate, rankServers } from "./rank-servers.ts";
import type { RelayIdentity } from "./relay-identity.ts";
import { RelaySessions } from "./relay-sessions.ts";
import { WebSocketRelay } from "./websocket-relay.ts";

/** Round trip and counters change all the time; nobody looks more often than this. */
const STATE_EVERY_MS = 2_000;
/** A connection that lasts this long has earned a fresh start of the backoff. */
const STABLE_AFTER_MS = 10_000;
/** Where the backoff begins for what a few seconds do not change: a refusal, a second node with the same identity. */
const STUBBORN_ATTEMPT = 31;
const STUBBORN: ReadonlySet<string> = new Set([
  "relay-refused",
  "relay-replaced",
  "relay-other-name",
  "relay-untrusted",
]);
/** A change of network is told in several events; attempts that they call for are at least this far apart. */
const LEAST_BETWEEN_HURRIES_MS = 1_000;
/** A relay that drains is not asked again until it has had time to restart. */
const AFTER_DRAIN_MS = 10_000;
/** Longest time a relay may have us keep sessions, or stay away from it. */
const MAX_RELAY_WAIT_MS = 10 * 60_000;

export interface RelayPoolOptions {
  readonly clock: Clock;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly dialer: Dialer;
  /** Asked for with every attempt, so that a key that was put right is found. */
  readonly identity: () => Result<RelayIdentity>;
  readonly servers: readonly RelayUrl[];
  /** WireGuard's port on 127.0.0.1. */
  readonly wireguardPort: number;
  /** Program and version, for the relay's operator. */
  readonly agent: string;
  readonly logger: Logger;
  readonly onState: (state: RelayLinkState) => void;
  readonly onRegistered?: (at: { url: RelayUrl; nodeId: string; endpoint: Endpoint }) => void;
  readonly maxSessions?: number;
  /** The machine's own addresses at present. */
  readonly ownAddresses?: () => ReadonlySet<string>;
}

interface Connected {
  readonly relay: WebSocketRelay;
  readonly url: RelayUrl;
  readonly name: string;
  readonly nodeId: string;
  readonly since: string;
  readonly endpoint: Endpoint;
  readonly view: OutsideView;
}

type Outcome = { readonly ok: true } | { readonly ok: false; readonly error: HiggsError };

export class RelayPool implements Outside {
  readonly #options: RelayPoolOptions;
  readonly #sessions: RelaySessions;
  readonly #slabs = new SlabPool((bytes) => Buffer.allocUnsafeSlow(bytes));
  readonly #budget = new QueueBudget();
  readonly #leavingUntilMs = new Map<string, number>();
  #state: RelayLinkState = { state: "connecting" };
  #dialling: WebSocketRelay | undefined;
  #connected: Connected | undefined;
  /** Which relay holds our sessions, and the word that gets them back. */
  #resumable: { readonly name: string; readonly resume: string; graceMs: number } | undefined;
  #droppedBefore = 0;
  #attempt = 0;
  #cancelWait: CancelTimer | undefined;
  readonly #visits = new Set<ProbeVisit>();
  #hurriedMs = Number.NEGATIVE_INFINITY;
  /** The network has changed during an attempt, which began in another one. */
  #isOutdated = false;
  #cancelState: CancelTimer | undefined;
  #cancelStable: CancelTimer | undefined;
  #cancelGrace: CancelTimer | undefined;
  #disposed = false;

  constructor(options: RelayPoolOptions) {
    this.#options = options;
    this.#sessions = new RelaySessions({
      clock: options.clock,
      wireguardPort: options.wireguardPort,
      onAnswer: (session, payload) => {
        if (this.#connected === undefined) this.#droppedBefore++;
        else this.#connected.relay.sendData(session, payload);
      },
      onIdle: (session) => this.#connected?.relay.sendControl({ type: "session-close", session, reason: "idle" }),
      ...(options.maxSessions === undefined ? {} : { maxSessions: options.maxSessions }),
    });
  }

  get state(): RelayLinkState {
    return this.#state;
  }

  get view(): OutsideView | undefined {
    return this.#connected?.view;
  }

  probe(question: ProbeQuestion): Promise<Result<ProbeResult>> {
    if (this.#connected !== undefined) return this.#connected.relay.probe(question);
    return Promise.resolve(fail("relay-not-connected", "The node is not connected to a relay."));
  }

  async probeFrom(address: string, question: ProbeQuestion): Promise<Result<ProbeResult>> {
    const { dialer, identity, agent, clock } = this.#options;
    const connected = this.#connected;
    if (connected === undefined) return fail("relay-not-connected", "The node is not connected to a relay.");
    const { url, view } = connected;
    if (view.probesElsewhere !== true) {
      return fail("relay-cannot-probe", "This relay tries only the address that the node is connected from.");
    }
    const self = identity();
    if (!self.ok) return self;
    const socket = dialer.open(url, "node", address);
    if (!socket.ok) return socket;
    const parts = { clock, pool: this.#slabs, budget: this.#budget, agent, identity: self.value, host: url.host };
    const visit = visitForProbe({ ...parts, socket: socket.value }, view.probeKey, question);
    this.#visits.add(visit);
    const result = await visit.result;
    this.#visits.delete(visit);
    return result;
  }

  /** Begins to connect. Call once. */
  start(): void {
    void this.#connect();
  }

  /**
   * The machine's network has changed: a connection whose own address is gone is given up, and one that waits to be tried
   * again is tried at once.
   */
  networkChanged(): void {
    if (this.#disposed) return;
    const addresses = (this.#options.ownAddresses ?? ownAddresses)();
    this.#connected?.relay.leaveIfStranded(addresses);
    this.#dialling?.leaveIfStranded(addresses);
    if (this.#state.state === "connecting") this.#isOutdated = true;
    if (this.#state.state === "waiting") this.#hurry(this.#state.error);
  }

  /** Leaves the relay and closes every socket. Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const cancel of [this.#cancelWait, this.#cancelState, this.#cancelStable, this.#cancelGrace]) cancel?.();
    for (const visit of this.#visits) visit.close();
    this.#dialling?.close();
    this.#connected?.relay.close();
    this.#connected = undefined;
    this.#sessions.dispose();
    this.#state = { state: "off" };
  }

  /** @param before how the last attempt or connection ended, where it failed */
  async #connect(before?: HiggsError): Promise<void> {
    const { dialer, clock, servers, logger } = this.#options;
    this.#isOutdated = false;
    this.#enter(before === undefined ? { state: "connecting" } : { state: "connecting", error: before });
    let last: HiggsError = { code: "relay-none", message: "No relay is named in the settings." };
    for (const candidate of await rankServers(
      servers.map((url) => this.#candidate(url)),
      dialer,
      clock,
    )) {
      if (this.#disposed) return;
      const outcome = await this.#register(candidate);
      if (outcome.ok || this.#disposed) return;
      last = outcome.error;
      logger.info("relay not reached", { host: candidate.url.host, code: last.code, reason: last.message });
    }
    if (this.#disposed) return;
    this.#wait(last);
    if (this.#isOutdated) this.#hurry(last);
  }

  #candidate(url: RelayUrl): Candidate {
    const name = formatRelayUrl(url);
    const leaving = (this.#leavingUntilMs.get(name) ?? 0) > this.#options.clock.monotonicMs();
    const resumable = this.#resumable?.name === name && this.#sessions.size > 0;
    return { name, url, standing: leaving ? "leaving" : resumable ? "resumable" : "plain" };
  }

  /** Resolves when the relay has taken us, or has not. */
  #register({ name, url }: Candidate): Promise<Outcome> {
    const { dialer, identity, clock, agent } = this.#options;
    const self = identity();
    if (!self.ok) return Promise.resolve(self);
    const socket = dialer.open(url, "node");
    if (!socket.ok) return Promise.resolve(socket);
    const resume = this.#resumable?.name === name ? this.#resumable.resume : undefined;
    return new Promise((resolve) => {
      const relay = new WebSocketRelay(
        {
          socket: socket.value,
          host: url.host,
          identity: self.value,
          resume,
          agent,
          clock,
          pool: this.#slabs,
          budget: this.#budget,
        },
        {
          onRegistered: (registered) => {
            this.#dialling = undefined;
            if (this.#disposed) return;
            this.#registered(relay, { name, url, nodeId: self.value.id, registered });
            resolve({ ok: true });
          },
          onSessionOpen: (session) => {
            if (!this.#sessions.open(session)) refuse(relay, session);
          },
          onSessionSeal: (session, seal) => this.#sessions.keepSeal(session, seal),
          onSessionClose: (session) => this.#sessions.close(session),
          onDatagram: (session, payload) => this.#sessions.deliver(session, payload),
          onDrain: (withinMs) => this.#drain(relay, name, withinMs),
          onClosed: (error) => {
            if (this.#dialling === relay) this.#dialling = undefined;
            if (this.#connected?.relay === relay) this.#lost(error);
            else resolve({ ok: false, error });
          },
        },
      );
      this.#dialling = relay;
    });
  }

  #registered(
    relay: WebSocketRelay,
    { name, url, nodeId, registered }: { name: string; url: RelayUrl; nodeId: string; registered: Registered },
  ): void {
    const { clock, logger, onRegistered } = this.#options;
    const { udp: endpoint, resume, resumed } = registered;
    this.#cancelGrace?.();
    this.#connected = { relay, url, name, nodeId, since: this.#at(0), endpoint, view: viewOf(name, registered) };
    const seals =
      !resumed && this.#resumable?.name === name && registered.features.includes(SEALS_FEATURE)
        ? this.#sessions.sealed
        : [];
    this.#resumable = { name, resume, graceMs: Math.min(registered.graceMs, MAX_RELAY_WAIT_MS) };
    const kept = resumed ? registered.sessions : seals.map(({ session }) => session);
    for (const session of this.#sessions.keepOnly(kept)) refuse(relay, session);
    // Before anything else is sent: what WireGuard has for these sessions follows.
    relay.restore(seals);
    this.#cancelStable = clock.after(STABLE_AFTER_MS, () => {
      this.#attempt = 0;
    });
    logger.info("relay connected", { host: url.host, resumed, sessions: this.#sessions.size });
    this.#publishRegularly();
    onRegistered?.({ url, nodeId, endpoint });
  }

  #lost(error: HiggsError): void {
    this.#droppedBefore += this.#connected?.relay.dropped ?? 0;
    this.#connected = undefined;
    this.#cancelState?.();
    this.#cancelStable?.();
    if (this.#disposed) return;
    this.#options.logger.info("relay lost", { code: error.code, reason: error.message });
    // The relay forgets our sessions after this, so that their sockets would only wait for nobody.
    this.#cancelGrace = this.#options.clock.after(this.#resumable?.graceMs ?? 0, () => {
      this.#resumable = undefined;
      this.#sessions.keepOnly([]);
    });
    this.#wait(error);
  }

  /** Moves at once where there is somewhere to go; otherwise stays until the relay closes. */
  #drain(relay: WebSocketRelay, name: string, withinMs: number): void {
    const awayMs = Math.min(withinMs, MAX_RELAY_WAIT_MS) + AFTER_DRAIN_MS;
    const nowMs = this.#options.clock.monotonicMs();
    this.#leavingUntilMs.set(name, nowMs + awayMs);
    const elsewhere = this.#options.servers.some((url) => this.#candidate(url).standing !== "leaving");
    if (!elsewhere || this.#connected?.relay !== relay) return;
    relay.flushBatch();
    this.#connected = undefined;
    this.#droppedBefore += relay.dropped;
    this.#cancelState?.();
    this.#cancelStable?.();
    relay.close();
    this.#options.logger.info("relay asked to move");
    void this.#connect();
  }

  #wait(error: HiggsError): void {
    if (STUBBORN.has(error.code)) this.#attempt = Math.max(this.#attempt, STUBBORN_ATTEMPT);
    const waitMs = backoffMs(this.#attempt++, this.#options.random);
    this.#enter({ state: "waiting", error, retryAt: this.#at(waitMs) });
    this.#cancelWait = this.#options.clock.after(waitMs, () => void this.#connect(error));
  }

  /** Tries again now, with short waits from then on; but not with every event of one change. */
  #hurry(error: HiggsError): void {
    const { clock } = this.#options;
    const waitMs = Math.max(0, this.#hurriedMs + LEAST_BETWEEN_HURRIES_MS - clock.monotonicMs());
    this.#cancelWait?.();
    this.#attempt = 0;
    this.#enter({ state: "waiting", error, retryAt: this.#at(waitMs) });
    this.#cancelWait = clock.after(waitMs, () => {
      this.#hurriedMs = clock.monotonicMs();
      void this.#connect(error);
    });
  }

  #publishRegularly(): void {
    if (this.#connected === undefined || this.#disposed) return;
    const { relay, name, nodeId, since, endpoint } = this.#connected;
    this.#enter({
      state: "connected",
      since,
      url: name,
      rttMs: relay.rttMs === null ? null : Math.round(relay.rttMs * 10) / 10,
      publicEndpoint: endpoint,
      nodeId,
      sessions: this.#sessions.size,
      rxBytes: this.#sessions.rxBytes,
      txBytes: this.#sessions.txBytes,
      dropped: this.#droppedBefore + this.#sessions.dropped + relay.dropped,
    });
    this.#cancelState = this.#options.clock.after(STATE_EVERY_MS, () => this.#publishRegularly());
  }

  #enter(state: RelayLinkState): void {
    this.#state = state;
    this.#options.onState(state);
  }

  #at(inMs: number): string {
    return new Date(this.#options.clock.nowMs() + inMs).toISOString();
  }
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []));
}

function refuse(relay: WebSocketRelay, session: number): void {
  relay.sendControl({ type: "session-close", session, reason: "too-many-sessions" });
}
