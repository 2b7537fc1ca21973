/** Seconds per day in which sharing was wanted, and in which it worked. Time asleep is neither. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../src-shared/clock.ts";
import type { UptimeDay } from "../../src-shared/model/health.ts";
import { inTransaction } from "../storage/transaction.ts";

/** The days a screen shows, and some more to compare with. */
const KEPT_DAYS = 400;
const DAY_MS = 86_400_000;

/** What a power cut may lose; a write a minute is nothing for a disk. */
export const SAVE_EVERY_MS = 60_000;

/** Standing still for longer than a check means that nobody saw what the node did meanwhile. */
const LONGEST_STRETCH_MS = 5 * 60_000;

export interface Doing {
  wanted: boolean;
  working: boolean;
}

export class UptimeRecorder {
  readonly #clock: Clock;
  readonly #db: DatabaseSync;
  readonly #add: StatementSync;
  #doing: Doing = { wanted: false, working: false };
  #sinceMs: number;
  #savedMs: number;
  readonly #unsaved = new Map<string, { wantedMs: number; workingMs: number }>();

  constructor({ db, clock }: { db: DatabaseSync; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
    this.#savedMs = this.#sinceMs;
    this.#add = db.prepare(
      `INSERT INTO uptime_days (day, wanted_ms, working_ms) VALUES (?, ?, ?)
       ON CONFLICT (day) DO UPDATE SET wanted_ms = wanted_ms + excluded.wanted_ms, working_ms = working_ms + excluded.working_ms`,
    );
  }

  /** To be called with every change of what the node does, and now and then. Throws what SQLite throws. */
  note(doing: Doing): void {
    this.#count();
    this.#doing = doing;
    if (this.#clock.monotonicMs() - this.#savedMs >= SAVE_EVERY_MS) this.save();
  }

  /** Throws what SQLite throws; what could not be saved waits for the next time. */
  save(): void {
    this.#count();
    this.#savedMs = this.#clock.monotonicMs();
    if (this.#unsaved.size === 0) return;
    inTransaction(this.#db, () => {
      for (const [day, { wantedMs, workingMs }] of this.#unsaved) {
        this.#add.run(day, Math.round(wantedMs), Math.round(workingMs));
      }
      this.#db.prepare("DELETE FROM uptime_days WHERE day < ?").run(localDay(this.#clock.nowMs() - KEPT_DAYS * DAY_MS));
    });
    this.#unsaved.clear();
  }

  /** The latest `days` days on which there was something to count, newest first. */
  read(days: number): UptimeDay[] {
    this.save();
    const rows = this.#db.prepare("SELECT * FROM uptime_days ORDER BY day DESC LIMIT ?").all(days);
    return rows.map((row) => ({
      day: String(row.day),
      wantedSeconds: Math.round(Number(row.wanted_ms) / 1_000),
      workingSeconds: Math.round(Number(row.working_ms) / 1_000),
    }));
  }

  /** Adds the stretch since the last time, from midnight on to the next day. */
  #count(): void {
    const nowMs = this.#clock.monotonicMs();
    const stretchMs = Math.min(nowMs - this.#sinceMs, LONGEST_STRETCH_MS);
    this.#sinceMs = nowMs;
    if (!this.#doing.wanted || stretchMs <= 0) return;
    const wallMs = this.#clock.nowMs();
    const sinceMidnightMs = Math.min(stretchMs, wallMs - startOfLocalDay(wallMs));
    this.#put(localDay(wallMs), sinceMidnightMs);
    if (stretchMs > sinceMidnightMs) this.#put(localDay(wallMs - stretchMs), stretchMs - sinceMidnightMs);
  }

  #put(day: string, ms: number): void {
    const sum = this.#unsaved.get(day) ?? { wantedMs: 0, workingMs: 0 };
    sum.wantedMs += ms;
    if (this.#doing.working) sum.workingMs += ms;
    this.#unsaved.set(day, sum);
  }
}

/** `2026-01-31` in the machine's time zone. */
export function localDay(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function startOfLocalDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}
