/** Clients' limits on disk: one row per client who has any. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { z } from "zod";
import { type ClientLimit, clientLimitSchema } from "../../src-shared/model/limit.ts";

export interface StoredLimit {
  limit: ClientLimit;
  /** First day of the quota's month that `baseBytes` belongs to; null where there is no quota. */
  period: string | null;
  /** The client's total of both directions when that month began. */
  baseBytes: number;
}

const rowSchema = z.object({
  client_id: z.string(),
  limit_json: z.string(),
  period: z.string().nullable(),
  base_bytes: z.number(),
});

export class LimitTable {
  readonly #all: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM client_limits");
    this.#put = db.prepare(
      "INSERT OR REPLACE INTO client_limits (client_id, limit_json, period, base_bytes) VALUES (?, ?, ?, ?)",
    );
    this.#delete = db.prepare("DELETE FROM client_limits WHERE client_id = ?");
  }

  /** A row that cannot be understood any more throws: guessing would give away what an owner did not mean to. */
  all(): Map<string, StoredLimit> {
    return new Map(
      this.#all.all().map((each) => {
        const row = rowSchema.parse(each);
        const limit = clientLimitSchema.parse(JSON.parse(row.limit_json));
        return [row.client_id, { limit, period: row.period, baseBytes: row.base_bytes }];
      }),
    );
  }

  put(clientId: string, { limit, period, baseBytes }: StoredLimit): void {
    this.#put.run(clientId, JSON.stringify(limit), period, baseBytes);
  }

  delete(clientId: string): void {
    this.#delete.run(clientId);
  }
}
