/** What failed, what was done and how long it took, kept in the database. Addresses and names are taken out before. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { type HealthEvent, type HealthHistory, healthEventSchema } from "../../src-shared/model/health.ts";
import { type HiggsError, higgsErrorSchema } from "../../src-shared/result.ts";
import { Redactor } from "../logs/redact.ts";

/** A node with a fault each minute fills this in a week; nobody reads further back. */
export const MAX_EVENTS = 10_000;

/** A quarter of a year shows what comes back with the seasons of a household. */
export const KEPT_MS = 90 * 86_400_000;

/** Old lines are looked for with every so many new ones. */
const TIDY_EVERY = 100;

export type NewHealthEvent = Omit<HealthEvent, "id" | "at">;

export class HealthHistoryStore {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #page: StatementSync;
  #untilTidy = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare(
      "INSERT INTO health_events (at, kind, fact, error, step, attempt, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#page = db.prepare("SELECT * FROM health_events WHERE id < ? ORDER BY id DESC LIMIT ?");
  }

  /** Throws what SQLite throws. */
  add(event: NewHealthEvent, nowMs: number): HealthEvent {
    if (this.#untilTidy-- <= 0) this.#tidy(nowMs);
    const error = event.error === null ? null : withoutNames(event.error);
    const { lastInsertRowid } = this.#insert.run(
      nowMs,
      event.kind,
      event.fact,
      error === null ? null : JSON.stringify(error),
      event.step,
      event.attempt,
      event.durationMs === null ? null : Math.max(0, Math.round(event.durationMs)),
    );
    return { ...event, error, id: Number(lastInsertRowid), at: new Date(nowMs).toISOString() };
  }

  /** Newest first. */
  read({ limit, before }: { limit: number; before?: number | undefined }): HealthHistory {
    const rows = this.#page.all(before ?? Number.MAX_SAFE_INTEGER, limit + 1);
    return { events: rows.slice(0, limit).flatMap(eventOf), more: rows.length > limit };
  }

  #tidy(nowMs: number): void {
    this.#untilTidy = TIDY_EVERY;
    this.#db.prepare("DELETE FROM health_events WHERE at < ?").run(nowMs - KEPT_MS);
    this.#db
      .prepare("DELETE FROM health_events WHERE id <= (SELECT max(id) FROM health_events) - ?")
      .run(MAX_EVENTS - TIDY_EVERY);
  }
}

/** Each line with a redactor of its own: placeholders of one line say nothing about another's. */
function withoutNames(error: HiggsError): HiggsError {
  const redactor = new Redactor();
  const hint = error.hint === undefined ? {} : { hint: redactor.text(error.hint) };
  return { code: error.code, message: redactor.text(error.message), ...hint };
}

/** A line that no longer fits the schema, such as one of a fact that there was once, is left out. */
function eventOf(row: Record<string, SQLInputValue>): HealthEvent[] {
  const parsed = healthEventSchema.safeParse({
    id: row.id,
    at: new Date(Number(row.at)).toISOString(),
    kind: row.kind,
    fact: row.fact,
    error: typeof row.error === "string" ? parseError(row.error) : null,
    step: row.step,
    attempt: row.attempt,
    durationMs: row.duration_ms,
  });
  return parsed.success ? [parsed.data] : [];
}

function parseError(text: string): HiggsError | null {
  try {
    return higgsErrorSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
