/**
 * Keeps one port mapped at one router: obtains the mapping, renews it, notices that it is lost, deletes it.
 *
 *   establish ──granted──▶ mapped ──renewed, checked──▶ mapped
 *      ▲                     │ lost, or refused at renewal: the same protocol again, then the others
 *      └──in ten minutes── unavailable
 *
 * One timer at any time: it waits for the renewal, the check, or the next attempt, whichever is due first. Jobs run one after
 * the other.
 */
import type { CancelTimer } from "../../src-shared/clock.ts";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import { errorOf, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { type Mapping, type MappingClient, type MappingRequest, mappingKey } from "./mapping.ts";
import { MAY_BE_GRANTED, mappingFail, tellingRank } from "./mapping-errors.ts";
import { type MappingIo, randomInteger } from "./mapping-io.ts";
import type { MappingJournal } from "./mapping-journal.ts";
import type { RouterSession } from "./router-session.ts";

/** A router that offered nothing may be told to by its owner; and so that a mapping nobody renewed is noticed. */
export const PROBE_EVERY_MS = 10 * 60_000;

/** A router that grants seconds is renewed no more often than this. */
const LEAST_RENEWAL_MS = 30_000;
/** Permanent mappings are renewed too, and a timer of Node.js cannot wait longer than 24 days. */
const MOST_RENEWAL_MS = 12 * 60 * 60_000;
/** By up to this share of the wait, so that many nodes behind one router do not come at once. */
const JITTER_PERCENT = 5;

/** After a restart the router may need a moment; its own announcement comes early. */
const REMAP_DELAYS_MS = [0, 500, 1_500] as const;

/** One restart is announced several times over some seconds. */
const LEAST_BETWEEN_ALARMS_MS = 1_000;
/** Anybody on the network could forge announcements, and probing takes more packets than renewing. */
const LEAST_BETWEEN_PROBES_MS = 10_000;

/** At a renewal these say nothing about the mapping that stands; it lasts until its lease ends. */
const MAY_PASS: ReadonlySet<string> = new Set([
  ...MAY_BE_GRANTED,
  "router-refused",
  "upnp-unreachable",
  "upnp-http-status",
]);

export interface KeeperOptions {
  io: MappingIo;
  journal: MappingJournal;
  logger: Logger;
  session: RouterSession;
  request: MappingRequest;
  onChange: (state: PortMappingState) => void;
}

interface Held {
  mapping: Mapping;
  since: string;
  /** On the monotonic clock; undefined for a permanent mapping. */
  endsAtMs: number | undefined;
  renewAtMs: number;
  checkAtMs: number;
}

export class MappingKeeper {
  readonly #options: KeeperOptions;
  readonly #controller = new AbortController();
  #state: PortMappingState;
  #held: Held | undefined;
  #jobs: Promise<void> = Promise.resolve();
  #cancelTimer: CancelTimer = () => {};
  /** Ends the wait until an alarm is followed; undefined while there is none. */
  #cancelAlarm: CancelTimer | undefined;
  #lastAlarmMs = Number.NEGATIVE_INFINITY;
  #released: Promise<void> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#state = { state: "probing", since: this.#time(0), gateway: options.session.network.gateway };
  }

  get state(): PortMappingState {
    return this.#state;
  }

  get mapping(): Mapping | undefined {
    return this.#held?.mapping;
  }

  /** Probes and maps. Resolves when the outcome is known, which `state` tells. */
  start(): Promise<void> {
    return this.#inTurn(() => this.#establish());
  }

  /** The owner asks, or the network may have changed unnoticed: begins anew, keeping what is granted until then. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#held !== undefined && (await this.#renew())) return;
      await this.#establish();
    });
  }

  /** Something says that the router may have lost the mapping: it is asked for again, which harms no mapping that stands. */
  alarm(): void {
    if (this.#cancelAlarm !== undefined || this.#signal.aborted) return;
    const { clock } = this.#options.io;
    const apartMs = this.#held === undefined ? LEAST_BETWEEN_PROBES_MS : LEAST_BETWEEN_ALARMS_MS;
    this.#cancelAlarm = clock.after(Math.max(0, this.#lastAlarmMs + apartMs - clock.monotonicMs()), () => {
      this.#cancelAlarm = undefined;
      this.#lastAlarmMs = clock.monotonicMs();
      void this.#inTurn(() => (this.#held === undefined ? this.#establish() : this.#remap()));
    });
  }

  /** Deletes the mapping at the router and ends. Idempotent. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  get #signal(): AbortSignal {
    return this.#controller.signal;
  }

  async #release(): Promise<void> {
    this.#cancelTimer();
    this.#cancelAlarm?.();
    this.#controller.abort();
    await this.#jobs;
    this.#held = undefined;
    await this.#options.session.releaseAll(mappingKey(this.#options.request));
  }

  /** From nothing: asks with every protocol, and maps with the first that will. */
  async #establish(): Promise<void> {
    const { session } = this.#options;
    this.#cancelTimer();
    this.#held = undefined;
    // Whoever has been told why there is nothing is told again only when that has changed.
    if (this.#state.state !== "unavailable") {
      this.#enter({ state: "probing", since: this.#time(0), gateway: session.network.gateway });
    }
    const errors: HiggsError[] = [];
    const round = session.probe(() => {
      if (this.#held === undefined && !this.#signal.aborted) this.#giveUp([mappingFail("router-refused").error]);
    });
    // What answers after the choice is a fallback, which the state names.
    void round.done.then(() => this.#show());
    for await (const client of round.candidates()) {
      await session.releaseLeftovers();
      const mapped = await this.#map(client, this.#options.request.externalPort);
      if (this.#signal.aborted) return;
      if (mapped.ok) return this.#hold(mapped.value);
      errors.push(mapped.error);
    }
    if (!this.#signal.aborted) this.#giveUp([...errors, ...round.errors]);
  }

  async #map(client: MappingClient, externalPort: number, former?: Mapping): Promise<Result<Mapping>> {
    const { journal, request, logger } = this.#options;
    const wanted = { ...request, externalPort: former?.externalPort ?? journal.preferredPort(request, externalPort) };
    let intent: Mapping | undefined;
    const mapped = await client.map(wanted, {
      signal: this.#signal,
      ...(former && { former }),
      onIntent: (asked) => {
        intent = asked;
        journal.note(asked);
      },
    });
    if (mapped.ok) {
      journal.note(mapped.value);
      journal.notePort(mapped.value, request.externalPort);
      return mapped;
    }
    logger.info("a port could not be mapped", { protocol: client.protocol, code: mapped.error.code });
    const isRefused = former === undefined && !MAY_BE_GRANTED.has(mapped.error.code);
    if (intent !== undefined && isRefused) journal.strike(intent);
    return mapped;
  }

  /** Whether the mapping stands, renewed or still lasting. */
  async #renew(): Promise<boolean> {
    const held = this.#held;
    const client = held && this.#options.session.clientOf(held.mapping);
    if (held === undefined || client === undefined) return false;
    const mapped = await this.#map(client, held.mapping.externalPort, held.mapping);
    if (this.#signal.aborted) return true;
    if (mapped.ok) {
      this.#hold(mapped.value, held.since);
      return true;
    }
    const nowMs = this.#options.io.clock.monotonicMs();
    const leftMs = held.endsAtMs === undefined ? MOST_RENEWAL_MS : held.endsAtMs - nowMs;
    if (!MAY_PASS.has(mapped.error.code) || leftMs < LEAST_RENEWAL_MS) return false;
    // RFC 6887, section 11.2.1: again after half of what is left.
    this.#held = {
      ...held,
      renewAtMs: nowMs + this.#spread(leftMs / 2),
      checkAtMs: nowMs + this.#spread(PROBE_EVERY_MS),
    };
    this.#show();
    return true;
  }

  /** Asks whether the router still has it, and maps it again where it has not. */
  async #check(): Promise<void> {
    const held = this.#held;
    const client = held && this.#options.session.clientOf(held.mapping);
    if (held === undefined || client === undefined) return;
    const verified = await client.verify(held.mapping, this.#signal);
    if (this.#signal.aborted) return;
    if (!verified.ok && verified.error.code === "mapping-lost") return this.#remap();
    this.#held = { ...held, checkAtMs: this.#options.io.clock.monotonicMs() + this.#spread(PROBE_EVERY_MS) };
    this.#schedule();
  }

  /** The same port with the same protocol, so that clients find the node where it was. */
  async #remap(): Promise<void> {
    this.#options.logger.info("asking for the port mapping again");
    for (const waitMs of REMAP_DELAYS_MS) {
      if (waitMs > 0) await this.#pause(waitMs);
      const held = this.#held;
      const client = held && this.#options.session.clientOf(held.mapping);
      if (held === undefined || client === undefined || this.#signal.aborted) return;
      const mapped = await this.#map(client, held.mapping.externalPort, held.mapping);
      if (this.#signal.aborted) return;
      if (mapped.ok) return this.#hold(mapped.value, held.since);
    }
    await this.#establish();
  }

  #hold(mapping: Mapping, since = this.#time(0)): void {
    const { clock } = this.#options.io;
    const nowMs = clock.monotonicMs();
    const lifetimeMs = mapping.lifetimeSeconds * 1000;
    const halfMs = mapping.lifetimeSeconds === 0 ? MOST_RENEWAL_MS : lifetimeMs / 2;
    const renewalMs = this.#spread(Math.min(MOST_RENEWAL_MS, Math.max(LEAST_RENEWAL_MS, halfMs)));
    const before = this.#held?.mapping;
    this.#held = {
      mapping,
      since,
      endsAtMs: mapping.lifetimeSeconds === 0 ? undefined : nowMs + lifetimeMs,
      renewAtMs: nowMs + renewalMs,
      checkAtMs: nowMs + this.#spread(PROBE_EVERY_MS),
    };
    if (before?.externalPort !== mapping.externalPort || before.protocol !== mapping.protocol) {
      this.#options.logger.info("port mapped", { protocol: mapping.protocol, externalPort: mapping.externalPort });
    }
    this.#show();
  }

  #show(): void {
    const held = this.#held;
    if (held === undefined) return;
    const { mapping, since, endsAtMs, renewAtMs } = held;
    const nowMs = this.#options.io.clock.monotonicMs();
    this.#enter({
      state: "mapped",
      since,
      protocol: mapping.protocol,
      gateway: mapping.gateway,
      // A router that does not tell its address has none that is known: the unspecified one is never public.
      external: { host: mapping.externalAddress ?? "0.0.0.0", port: mapping.externalPort },
      internalPort: mapping.internalPort,
      leaseEndsAt: endsAtMs === undefined ? null : this.#time(endsAtMs - nowMs),
      renewAt: this.#time(renewAtMs - nowMs),
      fallbacks: this.#options.session.available.filter((protocol) => protocol !== mapping.protocol),
    });
    this.#schedule();
  }

  #schedule(): void {
    const held = this.#held;
    this.#cancelTimer();
    if (held === undefined || this.#signal.aborted) return;
    const { clock } = this.#options.io;
    const dueMs = Math.min(held.renewAtMs, held.checkAtMs);
    this.#cancelTimer = clock.after(Math.max(0, dueMs - clock.monotonicMs()), () => {
      void this.#inTurn(async () => {
        if (this.#held !== held) return;
        if (held.checkAtMs < held.renewAtMs) await this.#check();
        else if (!(await this.#renew())) await this.#establish();
      });
    });
  }

  #giveUp(errors: readonly HiggsError[]): void {
    const [reason = mappingFail("router-silent").error] = [...errors].sort(
      (a, b) => tellingRank(a.code) - tellingRank(b.code),
    );
    // The jitter goes one way here: a router that offers nothing is never asked more often than that.
    const waitMs = this.#spread(PROBE_EVERY_MS) + (PROBE_EVERY_MS * JITTER_PERCENT) / 100;
    const { state } = this;
    const since = state.state === "unavailable" && state.reason.code === reason.code ? state.since : this.#time(0);
    this.#enter({ state: "unavailable", since, reason, nextProbeAt: this.#time(waitMs) });
    this.#cancelTimer();
    this.#cancelTimer = this.#options.io.clock.after(waitMs, () => void this.#inTurn(() => this.#establish()));
  }

  #enter(state: PortMappingState): void {
    if (this.#signal.aborted) return;
    this.#state = state;
    this.#options.onChange(state);
  }

  /** What was asked for by the time its turn has come, unless everything has ended. A job that throws fails alone. */
  #inTurn(job: () => Promise<void>): Promise<void> {
    this.#jobs = this.#jobs
      .then(() => (this.#signal.aborted ? undefined : job()))
      .catch((thrown: unknown) => {
        this.#options.logger.error("port mapping failed", thrown instanceof Error ? thrown : new Error(String(thrown)));
        if (!this.#signal.aborted) this.#giveUp([errorOf(thrown)]);
      });
    return this.#jobs;
  }

  /** Waits, or until everything ends; leaves no timer. */
  #pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#options.io.clock.after(waitMs, done);
      this.#signal.addEventListener("abort", done);
    });
  }

  #spread(waitMs: number): number {
    const percent = randomInteger(this.#options.io, 100 - JITTER_PERCENT, 100 + JITTER_PERCENT);
    return Math.round((waitMs * percent) / 100);
  }

  /** Wall clock, `inMs` from now, as the state tells it. */
  #time(inMs: number): string {
    return new Date(this.#options.io.clock.nowMs() + inMs).toISOString();
  }
}

/** What a caller who waited for the first outcome is told. */
export function outcomeOf(keeper: MappingKeeper): Result<Mapping> {
  if (keeper.mapping !== undefined) return ok(keeper.mapping);
  return keeper.state.state === "unavailable" ? { ok: false, error: keeper.state.reason } : mappingFail("aborted");
}
