/**
 * How much each client has used, per day and, while the owner wants it, per minute. It reads the clients' totals, which
 * never shrink, and adds what has come since the last look.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { TrafficTotals } from "../../src-shared/model/traffic.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { Logger } from "../logs/logger.ts";
import { inTransaction } from "../storage/transaction.ts";

/** What a power cut may lose of the sums; the clients' own totals are written as often. */
const FLUSH_AFTER_MS = 10_000;

const MINUTE_MS = 60_000;

/** Minutes of clients that wait for a disk that takes nothing; the sums per day, of which there are few, go on waiting. */
const MAX_WAITING_MINUTES = 50_000;

/** A year and a month: enough for every monthly quota, and to compare with the same month a year ago. */
const KEPT_DAYS = 400;
const DAY_MS = 86_400_000;

/** Under this name the sums of removed clients are added up, day by day: the node's own totals, of nobody in particular. */
const REMOVED_CLIENTS = "";

type Totals = Pick<ClientRecord, "id" | "rxBytes" | "txBytes">;

interface Sum {
  rxBytes: number;
  txBytes: number;
}

interface Minute extends Sum {
  client: string;
  minuteMs: number;
  rxPackets: number | null;
  txPackets: number | null;
}

export interface UsageRecorderOptions {
  db: DatabaseSync;
  clock: Clock;
  logger: Logger;
  /** Whether minutes are kept. */
  logTraffic: () => boolean;
  /** `2026-01-31` in the owner's time zone; handed in by tests. */
  dayOf?: (nowMs: number) => string;
}

export class UsageRecorder {
  readonly #options: Required<UsageRecorderOptions>;
  readonly #addDay: StatementSync;
  readonly #addMinute: StatementSync;
  readonly #setMark: StatementSync;
  readonly #sum: StatementSync;
  /** The clients' totals that are counted already, on disk or below. */
  readonly #marks: Map<string, Sum>;
  #days = new Map<string, Sum & { client: string; day: string }>();
  #minutes = new Map<string, Minute>();
  #cancelFlush: CancelTimer | undefined;

  constructor({ dayOf = localDay, ...options }: UsageRecorderOptions) {
    const { db } = options;
    this.#options = { ...options, dayOf };
    this.#addDay = db.prepare(
      `INSERT INTO usage_days (day, client, rx_bytes, tx_bytes) VALUES (?, ?, ?, ?)
       ON CONFLICT (day, client) DO UPDATE SET rx_bytes = rx_bytes + excluded.rx_bytes, tx_bytes = tx_bytes + excluded.tx_bytes`,
    );
    this.#addMinute = db.prepare(
      `INSERT INTO traffic_log (minute, client, sent_bytes, received_bytes, sent_packets, received_packets) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (minute, client) DO UPDATE SET
         sent_bytes = sent_bytes + excluded.sent_bytes,
         received_bytes = received_bytes + excluded.received_bytes,
         sent_packets = coalesce(sent_packets + excluded.sent_packets, sent_packets, excluded.sent_packets),
         received_packets = coalesce(received_packets + excluded.received_packets, received_packets, excluded.received_packets)`,
    );
    this.#setMark = db.prepare(
      `INSERT INTO usage_marks (client, rx_bytes, tx_bytes) VALUES (?, ?, ?)
       ON CONFLICT (client) DO UPDATE SET rx_bytes = excluded.rx_bytes, tx_bytes = excluded.tx_bytes`,
    );
    this.#sum = db.prepare("SELECT sum(rx_bytes) AS rx, sum(tx_bytes) AS tx FROM usage_days WHERE day BETWEEN ? AND ?");
    const marks = db.prepare("SELECT client, rx_bytes, tx_bytes FROM usage_marks").all();
    this.#marks = new Map(
      marks.map((row) => [String(row.client), { rxBytes: Number(row.rx_bytes), txBytes: Number(row.tx_bytes) }]),
    );
  }

  /** Takes in the clients' totals; rx is what a client has sent. */
  record(clients: readonly Totals[]): void {
    const nowMs = this.#options.clock.nowMs();
    const day = this.#options.dayOf(nowMs);
    for (const client of clients) {
      const mark = this.#marks.get(client.id);
      // After a crash the totals on disk may be older than the mark; they grow past it again.
      const rxBytes = Math.max(0, client.rxBytes - (mark?.rxBytes ?? 0));
      const txBytes = Math.max(0, client.txBytes - (mark?.txBytes ?? 0));
      if (rxBytes === 0 && txBytes === 0) continue;
      this.#marks.set(client.id, {
        rxBytes: (mark?.rxBytes ?? 0) + rxBytes,
        txBytes: (mark?.txBytes ?? 0) + txBytes,
      });
      add(this.#days, `${day} ${client.id}`, { client: client.id, day, rxBytes: 0, txBytes: 0 }, { rxBytes, txBytes });
      if (this.#options.logTraffic()) add(this.#minutes, ...this.#minuteOf(client.id, nowMs), { rxBytes, txBytes });
    }
    this.#flushLater();
  }

  /** Counts the packets of a connection that has ended, in the minute of its end. */
  recordPackets(client: string, atMs: number, rxPackets: number, txPackets: number): void {
    if (!this.#options.logTraffic()) return;
    const [key, empty] = this.#minuteOf(client, atMs);
    const minute = this.#minutes.get(key) ?? empty;
    minute.rxPackets = (minute.rxPackets ?? 0) + rxPackets;
    minute.txPackets = (minute.txPackets ?? 0) + txPackets;
    this.#minutes.set(key, minute);
    this.#flushLater();
  }

  /** Forgets the minutes that are not written yet: the owner wants none any more. */
  forgetMinutes(): void {
    this.#minutes.clear();
  }

  /** Writes what waits. What cannot be written now is tried again the next time. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#days.size === 0 && this.#minutes.size === 0) return;
    try {
      inTransaction(this.#options.db, () => this.#write());
      this.#days.clear();
      this.#minutes.clear();
    } catch (thrown) {
      this.#options.logger.warn("usage could not be saved", { error: thrown });
      if (this.#minutes.size > MAX_WAITING_MINUTES) this.#minutes.clear();
    }
  }

  /** Deletes the sums of days that are too long ago; those of clients who are no more lose their names. */
  deleteOld(clients: readonly Pick<ClientRecord, "id">[]): void {
    const { db, clock, dayOf } = this.#options;
    const known = JSON.stringify([...clients.map(({ id }) => id), REMOVED_CLIENTS]);
    const gone = "client NOT IN (SELECT value FROM json_each(?))";
    inTransaction(db, () => {
      db.prepare("DELETE FROM usage_days WHERE day < ?").run(dayOf(clock.nowMs() - KEPT_DAYS * DAY_MS));
      const removed = db
        .prepare(`SELECT day, sum(rx_bytes) AS rx, sum(tx_bytes) AS tx FROM usage_days WHERE ${gone} GROUP BY day`)
        .all(known);
      for (const { day, rx, tx } of removed) {
        this.#addDay.run(String(day), REMOVED_CLIENTS, Number(rx), Number(tx));
      }
      db.prepare(`DELETE FROM usage_days WHERE ${gone}`).run(known);
      db.prepare(`DELETE FROM usage_marks WHERE ${gone}`).run(known);
    });
  }

  /** Sums of everybody, removed clients included, over the present day and month. */
  totals(): TrafficTotals {
    this.flush();
    const { clock, dayOf } = this.#options;
    const today = dayOf(clock.nowMs());
    return { today: this.#sumOf(today, today), month: this.#sumOf(`${today.slice(0, 7)}-01`, today) };
  }

  /** Days after today are those of a clock that was wrong. */
  #sumOf(first: string, last: string): Sum {
    const row = this.#sum.get(first, last);
    return { rxBytes: Number(row?.rx ?? 0), txBytes: Number(row?.tx ?? 0) };
  }

  #write(): void {
    for (const { client, day, rxBytes, txBytes } of this.#days.values()) {
      this.#addDay.run(day, client, rxBytes, txBytes);
      const mark = this.#marks.get(client);
      if (mark !== undefined) this.#setMark.run(client, mark.rxBytes, mark.txBytes);
    }
    for (const { client, minuteMs, rxBytes, txBytes, rxPackets, txPackets } of this.#minutes.values()) {
      this.#addMinute.run(minuteMs, client, rxBytes, txBytes, rxPackets, txPackets);
    }
  }

  #minuteOf(client: string, atMs: number): [string, Minute] {
    const minuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    return [`${minuteMs} ${client}`, { client, minuteMs, rxBytes: 0, txBytes: 0, rxPackets: null, txPackets: null }];
  }

  #flushLater(): void {
    if (this.#days.size === 0 && this.#minutes.size === 0) return;
    this.#cancelFlush ??= this.#options.clock.after(FLUSH_AFTER_MS, () => {
      this.#cancelFlush = undefined;
      this.flush();
    });
  }
}

function add<T extends Sum>(sums: Map<string, T>, key: string, empty: T, more: Sum): void {
  const sum = sums.get(key) ?? empty;
  sum.rxBytes += more.rxBytes;
  sum.txBytes += more.txBytes;
  sums.set(key, sum);
}

function localDay(nowMs: number): string {
  const date = new Date(nowMs);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
