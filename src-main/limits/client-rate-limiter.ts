/**
 * How much each client may use: keeps what the owner asked for, watches quotas and schedules, and contributes to the
 * desired state. Nothing is set from here; whoever listens to `onChange` has the network made to match.
 */
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { ApplyResult } from "../../src-shared/helper/protocol.ts";
import type { LimitsSpec } from "../../src-shared/limits-spec.ts";
import { CONNECTED_WITHIN_MS } from "../../src-shared/model/client.ts";
import {
  type ClientLimit,
  changeLimit,
  type LimitChanges,
  type ShownLimit,
  type ShownQuota,
} from "../../src-shared/model/limit.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { ClientRegistry } from "../clients/client-registry.ts";
import { type EffectiveLimit, effectiveLimit } from "./effective-limit.ts";
import { LimitTable, type StoredLimit } from "./limit-table.ts";
import { contributeLimits } from "./limits-contribution.ts";
import { quotaPeriodOf } from "./quota-period.ts";

/** Schedules change by the minute; a second after it is soon enough. */
const LOOK_EVERY_MS = 1_000;
/** Near the end of a quota usage is looked at this often: at 20 Mbit/s less than a megabyte passes in between. */
export const SOONEST_LOOK_MS = 300;
/** A quota with more left than a fast line uses in this time needs no closer look than the node takes anyway. */
const NEAR_END_MS = 5_000;
/** What a guest is expected to reach at most: a gigabit per second. */
const FASTEST_BYTES_PER_MS = 125_000;

export interface ClientRateLimiterOptions {
  db: DatabaseSync;
  clock: Clock;
  registry: ClientRegistry;
  settings: () => Settings;
  /** Reads the interface's counters into the registry, while the node shares. */
  lookAtPeers?: () => Promise<void>;
}

export interface LimitRequest extends LimitChanges {
  clientId: string;
}

export class ClientRateLimiter {
  readonly #clock: Clock;
  readonly #table: LimitTable;
  readonly #registry: ClientRegistry;
  readonly #settings: () => Settings;
  readonly #lookAtPeers: () => Promise<void>;
  readonly #stored: Map<string, StoredLimit>;
  readonly #effective = new Map<string, EffectiveLimit>();
  readonly #listeners = new Set<() => void>();
  readonly #unfollow: () => void;
  /** Clients whose month has begun, but not on disk. */
  readonly #unsaved = new Set<string>();
  #cancelLook: CancelTimer | undefined;
  #refusal: HiggsError | undefined;
  #closed = false;

  constructor({ db, clock, registry, settings, lookAtPeers = async () => {} }: ClientRateLimiterOptions) {
    this.#clock = clock;
    this.#registry = registry;
    this.#settings = settings;
    this.#lookAtPeers = lookAtPeers;
    this.#table = new LimitTable(db);
    this.#stored = this.#table.all();
    this.#evaluate();
    this.#unfollow = registry.onChange(() => this.#evaluateAndTell());
    this.#plan();
  }

  /**
   * Changes what `clientId` may use; fields that are not given stay, null removes. Errors: `client-unknown`,
   * `limits-not-saved`, and those of `changeLimit`. After an error nothing has changed.
   */
  setClientLimit({ clientId, ...changes }: LimitRequest): Result<ClientLimit> {
    const client = this.#registry.find(clientId);
    if (!client.ok) return client;
    const { id } = client.value;
    const before = this.#stored.get(id);
    const changed = changeLimit(before?.limit ?? {}, changes);
    if (!changed.ok) return changed;
    const saved = this.#put(client.value, changed.value, before);
    return saved.ok ? changed : saved;
  }

  /** Takes every limit off. Errors: `client-unknown`, `limits-not-saved`. */
  removeClientLimit(clientId: string): Result<void> {
    const client = this.#registry.find(clientId);
    return client.ok ? this.#put(client.value, {}, this.#stored.get(client.value.id)) : client;
  }

  /** What was asked for, as it was when it is put back after the machine refused a change. */
  limitOf(clientId: string): ClientLimit {
    return this.#stored.get(clientId)?.limit ?? {};
  }

  /** Puts back what `limitOf` had returned. */
  putBack(clientId: string, limit: ClientLimit): Result<void> {
    const client = this.#registry.find(clientId);
    return client.ok ? this.#put(client.value, limit, this.#stored.get(client.value.id)) : client;
  }

  /** Why this machine does not limit as it was last asked to; undefined where it does. */
  get refusal(): HiggsError | undefined {
    return this.#refusal;
  }

  /** Takes what the helper said when it applied our contribution. True when that is news. */
  noteApplied(limits: ApplyResult["limits"]): boolean {
    const refusal = limits?.state === "failed" ? limits.error : undefined;
    const isNews = refusal?.code !== this.#refusal?.code;
    this.#refusal = refusal;
    return isNews;
  }

  effectiveOf(clientId: string): EffectiveLimit {
    return this.#effective.get(clientId) ?? UNLIMITED;
  }

  /** What the owner is shown of a client; empty where nothing was asked for. */
  describe(record: ClientRecord): { limit?: ShownLimit; quota?: ShownQuota } {
    const stored = this.#stored.get(record.id);
    if (stored === undefined) return {};
    const { quota, ...limit } = stored.limit;
    const { state } = this.effectiveOf(record.id);
    return {
      limit: { ...limit, state },
      ...(quota === undefined ? {} : { quota: this.#shownQuota(record, stored, quota) }),
    };
  }

  /** The limits of the desired state, and the public keys of clients who have no access at present. */
  contribute(prefixes: GuestPrefixes): { limits: LimitsSpec | undefined; cutOff: ReadonlySet<string> } {
    const clients = this.#registry.list().flatMap((record) => {
      const limit = this.#stored.get(record.id)?.limit;
      if (limit === undefined || record.paused) return [];
      const { priority, burstBytes } = limit;
      return { record, effective: this.effectiveOf(record.id), priority, burstBytes };
    });
    const cutOff = clients.filter(({ effective }) => effective.state.startsWith("paused"));
    return {
      limits: contributeLimits(clients, prefixes, this.#settings()),
      cutOff: new Set(cutOff.map(({ record }) => record.publicKey)),
    };
  }

  /** Calls `listener` after each change of what holds for somebody; the function returned ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops watching; what holds in the kernel stays as it is. Idempotent. */
  cleanup(): void {
    this.#closed = true;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#unfollow();
    this.#listeners.clear();
  }

  #put(client: ClientRecord, limit: ClientLimit, before: StoredLimit | undefined): Result<void> {
    const isEmpty = Object.keys(limit).length === 0;
    if (isDeepStrictEqual(limit, before?.limit ?? {})) return ok(undefined);
    const stored: StoredLimit = { limit, period: null, baseBytes: 0, ...(before === undefined ? {} : quotaOf(before)) };
    if (limit.quota === undefined) Object.assign(stored, { period: null, baseBytes: 0 });
    try {
      if (isEmpty) this.#table.delete(client.id);
      else this.#table.put(client.id, stored);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return fail("limits-not-saved", `The limit could not be saved: ${reason}.`, "Check the disk space.");
    }
    if (isEmpty) this.#stored.delete(client.id);
    else this.#stored.set(client.id, stored);
    this.#evaluate();
    this.#plan();
    this.#tell();
    return ok(undefined);
  }

  #shownQuota(record: ClientRecord, stored: StoredLimit, quota: NonNullable<ClientLimit["quota"]>): ShownQuota {
    const usedBytes = usedOf(record, stored);
    return { ...quota, usedBytes, since: stored.period ?? "", exhausted: usedBytes >= quota.bytes };
  }

  #evaluateAndTell(): void {
    if (this.#evaluate()) this.#tell();
  }

  /** True when something else holds for somebody than before. */
  #evaluate(): boolean {
    const nowMs = this.#clock.nowMs();
    let changed = false;
    for (const [id, stored] of this.#stored) {
      const client = this.#registry.find(id);
      if (!client.ok || client.value.id !== id) {
        this.#forget(id);
        continue;
      }
      const current = this.#beginMonth(client.value, stored, nowMs);
      const effective = effectiveLimit(current.limit, usedOf(client.value, current), nowMs);
      if (isDeepStrictEqual(effective, this.#effective.get(id))) continue;
      this.#effective.set(id, effective);
      changed = true;
    }
    for (const id of this.#effective.keys()) if (!this.#stored.has(id)) this.#effective.delete(id);
    return changed;
  }

  /** A month only ever gives way to a later one: a clock that is set back gives nobody a second quota. */
  #beginMonth(client: ClientRecord, stored: StoredLimit, nowMs: number): StoredLimit {
    const { quota } = stored.limit;
    if (quota === undefined) return stored;
    const period = quotaPeriodOf(nowMs, quota);
    if (stored.period !== null && period <= stored.period) {
      if (this.#unsaved.has(client.id)) this.#saveMonth(client.id, stored);
      return stored;
    }
    const begun = { ...stored, period, baseBytes: client.rxBytes + client.txBytes };
    this.#stored.set(client.id, begun);
    // The total it begins from must not be lost with the last ten seconds of usage.
    this.#registry.flush();
    this.#saveMonth(client.id, begun);
    return begun;
  }

  /** A disk that is full must end neither the watch nor the node: this run counts on, and tries again with each look. */
  #saveMonth(id: string, begun: StoredLimit): void {
    try {
      this.#table.put(id, begun);
      this.#unsaved.delete(id);
    } catch {
      this.#unsaved.add(id);
    }
  }

  /** The client was removed. */
  #forget(id: string): void {
    this.#stored.delete(id);
    this.#effective.delete(id);
    this.#unsaved.delete(id);
    try {
      this.#table.delete(id);
    } catch {
      // A row of nobody's is found again, and deleted, when the node starts next.
    }
  }

  /** Looks again while there is anything that changes by itself. */
  #plan(): void {
    const isWatching = [...this.#stored.values()].some(({ limit }) => limit.schedule ?? limit.quota);
    if (!isWatching || this.#closed) {
      this.#cancelLook?.();
      this.#cancelLook = undefined;
      return;
    }
    this.#cancelLook ??= this.#clock.after(this.#delayMs(), () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#delayMs() < LOOK_EVERY_MS) await this.#lookAtPeers();
    if (this.#closed) return;
    this.#evaluateAndTell();
    this.#cancelLook = undefined;
    this.#plan();
  }

  /** Shorter the nearer a connected client may be to the end of a quota. */
  #delayMs(): number {
    const nowMs = this.#clock.nowMs();
    let leastMs = Number.POSITIVE_INFINITY;
    for (const [id, stored] of this.#stored) {
      const { quota } = stored.limit;
      const client = quota === undefined ? undefined : this.#registry.find(id);
      if (quota === undefined || client?.ok !== true) continue;
      const { lastHandshakeAtMs, paused } = client.value;
      const isConnected = lastHandshakeAtMs !== null && nowMs - lastHandshakeAtMs < CONNECTED_WITHIN_MS;
      const left = quota.bytes - usedOf(client.value, stored);
      if (isConnected && !paused && left > 0) leastMs = Math.min(leastMs, left / FASTEST_BYTES_PER_MS);
    }
    return leastMs < NEAR_END_MS ? SOONEST_LOOK_MS : LOOK_EVERY_MS;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

const UNLIMITED: EffectiveLimit = { state: "unlimited", down: undefined, up: undefined };

function quotaOf({ period, baseBytes }: StoredLimit): Pick<StoredLimit, "period" | "baseBytes"> {
  return { period, baseBytes };
}

/** Never negative: totals that a crash has set back by some seconds may be below what the month began with. */
function usedOf({ rxBytes, txBytes }: ClientRecord, { baseBytes }: StoredLimit): number {
  return Math.max(0, rxBytes + txBytes - baseBytes);
}
