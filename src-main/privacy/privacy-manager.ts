/**
 * What is kept about guests. Everything passes here on its way to the database: what the owner does not want is dropped
 * at this door, and addresses are made anonymous before anything is written. Settings live in the settings store; this follows it.
 *
 *   helper ──connections──▶ acceptConnections ─┐
 *   DNS answerer ──names──▶ logDnsQuestion ────┼─▶ queue ─▶ anonymise ─▶ database ─▶ retention, purge
 *   clients' totals ──────▶ recordUsage ───────┘
 */

import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { ConnectionSource, ConnectionsEvent, EndedConnection } from "../../src-shared/helper/connections.ts";
import {
  type ConnectionLogState,
  type Deletion,
  type ExportPiece,
  type ExportQuery,
  type LogPage,
  type LogQuery,
  MAX_PAGE_ENTRIES,
  PRIVACY_KEYS,
  type PrivacySettings,
  type PrivacyState,
  type Stored,
} from "../../src-shared/model/privacy.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { TrafficTotals } from "../../src-shared/model/traffic.ts";
import { anonymiseAddress, anonymiseDnsName, anonymiseIdentifier } from "../../src-shared/net/anonymise.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { Logger } from "../logs/logger.ts";
import type { SettingsStore } from "../storage/settings-store.ts";
import { ClientLookup, type LookupOptions } from "./client-lookup.ts";
import { exportEntries, exportHead } from "./export-text.ts";
import { type ConnectionRow, type DnsRow, GuestLog } from "./guest-log.ts";
import { LogKeeper } from "./log-keeper.ts";
import { readLogPage } from "./log-query.ts";
import { UsageRecorder } from "./usage-recorder.ts";
import { WriteQueue } from "./write-queue.ts";

export interface PrivacyEvents {
  /** What was written of connections, in the form in which it was written. */
  metadataLogged: readonly ConnectionRow[];
  settingsUpdated: PrivacySettings;
}

export interface PrivacyManagerOptions {
  db: DatabaseSync;
  clock: Clock;
  logger: Logger;
  settings: Pick<SettingsStore, "get" | "set" | "onChange">;
  clients: () => readonly ClientRecord[];
  prefixes: LookupOptions["prefixes"];
}

export interface DnsQuestion {
  /** Address of the guest. */
  readonly source: string;
  readonly name: string;
  readonly type: string;
}

type Listeners = { [E in keyof PrivacyEvents]: Set<(payload: PrivacyEvents[E]) => void> };

export class PrivacyManager {
  readonly #options: PrivacyManagerOptions;
  readonly #logger: Logger;
  readonly #log: GuestLog;
  readonly #keeper: LogKeeper;
  readonly #usage: UsageRecorder;
  readonly #lookup: ClientLookup;
  readonly #connections: WriteQueue<ConnectionRow>;
  readonly #questions: WriteQueue<DnsRow>;
  readonly #listeners: Listeners = { metadataLogged: new Set(), settingsUpdated: new Set() };
  readonly #stateListeners = new Set<(state: PrivacyState) => void>();
  readonly #unfollow: CancelTimer;
  #settings: PrivacySettings;
  /** Nothing is logged meanwhile, whatever the settings say. */
  #paused: boolean;
  #source: ConnectionSource | undefined;
  #lost = { kernel: 0, notWritten: 0 };
  #lastRetention: Deletion | null = null;

  constructor(options: PrivacyManagerOptions) {
    const { db, clock, logger, settings, clients, prefixes } = options;
    this.#options = options;
    this.#logger = logger.child({ area: "privacy" });
    this.#settings = privacySettingsOf(settings.get());
    this.#paused = settings.get().loggingPaused;
    this.#log = new GuestLog(db);
    this.#lookup = new ClientLookup({ clients, prefixes });
    this.#usage = new UsageRecorder({ db, clock, logger: this.#logger, logTraffic: () => this.canLogTraffic() });
    this.#connections = new WriteQueue({ clock, write: (rows) => this.#writeConnections(rows) });
    this.#questions = new WriteQueue({ clock, write: (rows) => this.#writeQuestions(rows) });
    this.#keeper = new LogKeeper({
      log: this.#log,
      clock,
      logger: this.#logger,
      retentionDays: () => this.#settings.maxLogRetention,
      onRetention: (deletion) => {
        this.#lastRetention = deletion;
        this.#tellState();
      },
      alsoHourly: () => this.#usage.deleteOld(clients()),
    });
    this.#unfollow = settings.onChange((changed) => this.#follow(changed));
  }

  /** Enforces retention now and every hour, and finishes what a crash may have interrupted. */
  start(): void {
    this.#keeper.start({ anonymise: this.#settings.anonymizeIPs });
  }

  getSettings(): PrivacySettings {
    return { ...this.#settings };
  }

  /**
   * Changes the fields that are given, at once; a field that is given as false is false. Errors: `unknown-setting`, and those
   * of the settings store. Resolves when what is stored already is as the new settings want it.
   */
  async updateSettings(changes: Readonly<Record<string, unknown>>): Promise<Result<PrivacySettings>> {
    const unknown = Object.keys(changes).find((key) => !PRIVACY_KEYS.some((known) => known === key));
    if (unknown !== undefined) {
      const shown = JSON.stringify(unknown.slice(0, 64));
      const hint = `The privacy settings are: ${PRIVACY_KEYS.join(", ")}.`;
      return fail("unknown-setting", `There is no privacy setting ${shown}.`, hint);
    }
    const changed = this.#options.settings.set({ ...changes });
    if (!changed.ok) return changed;
    await this.#keeper.settle();
    return ok(this.getSettings());
  }

  /** The address as the settings want it kept; a text that is no address stays as it is. */
  anonymizeIP(address: string): string {
    return this.#settings.anonymizeIPs ? anonymiseIdentifier(address) : address;
  }

  canLogTraffic(): boolean {
    return this.#settings.logTraffic && !this.#paused;
  }

  canLogDNS(): boolean {
    return this.#settings.logDNS && !this.#paused;
  }

  canLogMetadata(): boolean {
    return this.#settings.logMetadata && !this.#paused;
  }

  /** What the helper tells of connections. */
  acceptConnections(event: ConnectionsEvent): void {
    const before = this.state();
    this.#source = event.source;
    this.#lost.kernel += event.dropped;
    for (const connection of event.ended) this.logConnectionMetadata(connection);
    if (!isDeepStrictEqual(before, this.state())) this.#tellState();
  }

  /** The helper is gone, or no longer asked: nobody knows how the connection log stands. */
  forgetSource(): void {
    this.#source = undefined;
    this.#tellState();
  }

  /** Keeps a guest's connection that has ended, where the owner wants that. */
  logConnectionMetadata(connection: EndedConnection): void {
    if (!this.canLogMetadata()) return;
    const { source, destination, sent, received, endedAtMs } = connection;
    const client = this.#lookup.idOf(source);
    if (sent !== null && received !== null) {
      this.#usage.recordPackets(this.anonymizeIP(client), endedAtMs, sent.packets, received.packets);
    }
    this.#connections.push({
      endedAtMs,
      client,
      destination,
      port: connection.destinationPort,
      protocol: connection.protocol,
      sent,
      received,
      durationSeconds: connection.durationSeconds,
    });
  }

  /** Keeps name and type of a guest's DNS question, where the owner wants that. */
  logDnsQuestion({ source, name, type }: DnsQuestion): void {
    if (!this.canLogDNS()) return;
    this.#questions.push({ atMs: this.#options.clock.nowMs(), client: this.#lookup.idOf(source), name, type });
  }

  /** Takes in the clients' totals; to be called whenever they have changed. */
  recordUsage(): void {
    this.#usage.record(this.#options.clients());
  }

  /** Bytes of all guests, removed ones included, over the present day and month. */
  totals(): TrafficTotals {
    this.recordUsage();
    return this.#usage.totals();
  }

  /** Clients, or the network they live in, have changed. */
  guestsChanged(): void {
    this.#lookup.refresh();
  }

  state(): PrivacyState {
    return {
      settings: this.getSettings(),
      connectionLog: this.#connectionLog(),
      lost: { ...this.#lost },
      lastRetention: this.#lastRetention,
    };
  }

  /** Counts and sizes of what is on disk. */
  stored(): Stored {
    this.#flush();
    return this.#log.stored();
  }

  /** Deletes every connection, DNS question and traffic minute for good; daily sums stay, because quotas need them. */
  purge(): Promise<Deletion> {
    this.#flush();
    return this.#keeper.purge();
  }

  /** Error: `bad-cursor`. */
  page(query: LogQuery): Result<LogPage> {
    this.#flush();
    return readLogPage(this.#options.db, { ...query, client: this.#clientId(query.client) });
  }

  /** A piece of the export. Error: `bad-cursor`. */
  exportPiece({ format, ...filter }: ExportQuery): Result<ExportPiece> {
    const page = this.page({ ...filter, order: "oldest", limit: MAX_PAGE_ENTRIES });
    if (!page.ok) return page;
    const head = filter.cursor === undefined ? exportHead(format, filter.kind) : "";
    return ok({ text: head + exportEntries(format, page.value.entries), next: page.value.next });
  }

  on<E extends keyof PrivacyEvents>(event: E, listener: (payload: PrivacyEvents[E]) => void): () => void {
    const listeners: Set<(payload: PrivacyEvents[E]) => void> = this.#listeners[event];
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  onStateChange(listener: (state: PrivacyState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** Writes what waits and ends every timer. Idempotent; the database is its owner's to close, after this. */
  async close(): Promise<void> {
    this.#unfollow();
    this.#flush();
    await this.#keeper.close();
    this.#stateListeners.clear();
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
  }

  #follow(changed: Settings): void {
    const before = this.#settings;
    const settings = privacySettingsOf(changed);
    if (isDeepStrictEqual(before, settings) && this.#paused === changed.loggingPaused) return;
    this.#settings = settings;
    this.#paused = changed.loggingPaused;
    // What waits and is not wanted any more is never written.
    if (!this.canLogDNS()) this.#questions.clear();
    if (!this.canLogTraffic()) this.#usage.forgetMinutes();
    if (!this.canLogMetadata()) {
      this.#connections.clear();
      this.#source = undefined;
    }
    if (settings.anonymizeIPs && !before.anonymizeIPs) this.#keeper.anonymise();
    if (settings.maxLogRetention !== before.maxLogRetention) this.#keeper.enforce();
    this.#emit("settingsUpdated", this.getSettings());
    this.#tellState();
  }

  #connectionLog(): ConnectionLogState {
    if (!this.canLogMetadata()) return { state: "off" };
    if (this.#source === undefined || this.#source.state === "off") return { state: "waiting" };
    return this.#source;
  }

  #writeConnections(rows: readonly ConnectionRow[]): void {
    const anonymous = this.#settings.anonymizeIPs;
    const written = anonymous ? rows.map(withoutAddresses) : rows;
    if (!this.#write("connections", written.length, () => this.#log.addConnections(written, !anonymous))) {
      this.#lost.notWritten += rows.length;
      this.#tellState();
      return;
    }
    this.#keeper.added(written.length);
    this.#emit("metadataLogged", written);
  }

  #writeQuestions(rows: readonly DnsRow[]): void {
    const anonymous = this.#settings.anonymizeIPs;
    const written = anonymous
      ? rows.map((row) => ({ ...row, client: anonymiseIdentifier(row.client), name: anonymiseDnsName(row.name) }))
      : rows;
    this.#write("DNS questions", written.length, () => this.#log.addDns(written, !anonymous));
    this.#keeper.added(written.length);
  }

  #write(what: string, count: number, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (thrown) {
      this.#logger.warn(`${count} ${what} could not be saved`, { error: thrown });
      return false;
    }
  }

  #flush(): void {
    this.#connections.flush();
    this.#questions.flush();
    this.#usage.flush();
  }

  /** A client is asked for by name or id; the id of one who was removed still finds what is left of them. */
  #clientId(which: string | undefined): string | undefined {
    if (which === undefined) return undefined;
    const lower = which.normalize("NFC").toLowerCase();
    return this.#options.clients().find(({ name }) => name.toLowerCase() === lower)?.id ?? which;
  }

  #emit<E extends keyof PrivacyEvents>(event: E, payload: PrivacyEvents[E]): void {
    const listeners: Set<(payload: PrivacyEvents[E]) => void> = this.#listeners[event];
    for (const listener of [...listeners]) listener(payload);
  }

  #tellState(): void {
    const state = this.state();
    for (const listener of [...this.#stateListeners]) listener(state);
  }
}

function withoutAddresses(row: ConnectionRow): ConnectionRow {
  return {
    ...row,
    client: anonymiseIdentifier(row.client),
    // A destination is an address by the protocol; what is none after all must not be written either.
    destination: anonymiseAddress(row.destination) ?? "unknown",
  };
}

function privacySettingsOf(settings: Settings): PrivacySettings {
  const { logTraffic, logDNS, logMetadata, anonymizeIPs, maxLogRetention } = settings;
  return { logTraffic, logDNS, logMetadata, anonymizeIPs, maxLogRetention };
}
