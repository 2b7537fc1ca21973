/**
 * Deletes what is too old or too much, takes addresses out of what is stored, and empties the logs when asked. All of it in
 * small steps, so that the node goes on meanwhile, and one job after the other.
 */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { delay } from "../../src-shared/clock.ts";
import type { Deletion } from "../../src-shared/model/privacy.ts";
import type { Logger } from "../logs/logger.ts";
import type { GuestLog } from "./guest-log.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Of each kind: some 150 MB of connections, months of an ordinary home. The oldest go first. */
const MAX_ROWS = 1_000_000;

/** After this many new rows their number is looked at without waiting for the hour. */
const LOOK_AFTER_ROWS = 50_000;

export interface LogKeeperOptions {
  log: GuestLog;
  clock: Clock;
  logger: Logger;
  retentionDays: () => number;
  /** Called when retention has deleted something, with the counts before and after. */
  onRetention: (deletion: Deletion) => void;
  alsoHourly: () => void;
  maxRows?: number;
}

export class LogKeeper {
  readonly #options: LogKeeperOptions;
  readonly #maxRows: number;
  #jobs: Promise<void> = Promise.resolve();
  #cancelHourly: CancelTimer | undefined;
  #added = 0;
  #closed = false;

  constructor(options: LogKeeperOptions) {
    this.#options = options;
    this.#maxRows = options.maxRows ?? MAX_ROWS;
  }

  /** @param anonymise whether whole addresses may be left from a run that was cut short */
  start({ anonymise }: { anonymise: boolean }): void {
    if (anonymise) this.anonymise();
    this.#hourly();
  }

  /** Deletes what retention no longer allows, now. */
  enforce(): void {
    this.#add("retention", () => this.#enforce());
  }

  /** Takes whole addresses out of everything that is stored. */
  anonymise(): void {
    this.#add("anonymising", async () => {
      const { log } = this.#options;
      if (!log.hasExactRows()) return;
      await this.#inSteps(() => log.anonymiseChunk());
      log.checkpoint();
    });
  }

  /** Deletes every row; the proof are the counts. */
  async purge(): Promise<Deletion> {
    const { log, clock } = this.#options;
    let deletion: Deletion | undefined;
    let thrown: unknown;
    await this.#add("purge", async () => {
      try {
        const before = log.stored();
        await this.#inSteps(() => log.deleteChunk(Number.MAX_SAFE_INTEGER, 0));
        log.checkpoint();
        log.shrink();
        deletion = { at: new Date(clock.nowMs()).toISOString(), before, after: log.stored() };
      } catch (error) {
        thrown = error;
      }
    });
    if (deletion === undefined) throw thrown ?? new Error("the node is closing");
    return deletion;
  }

  /** Rows were added. */
  added(count: number): void {
    this.#added += count;
    if (this.#added >= LOOK_AFTER_ROWS) this.enforce();
  }

  /** Resolves when every job that was begun is done. */
  settle(): Promise<void> {
    return this.#jobs;
  }

  /** Ends the timer, and a job under way after its present step. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelHourly?.();
    this.#cancelHourly = undefined;
    await this.#jobs;
  }

  #hourly(): void {
    if (this.#closed) return;
    this.enforce();
    this.#add("hourly", async () => this.#options.alsoHourly());
    this.#cancelHourly = this.#options.clock.after(HOUR_MS, () => this.#hourly());
  }

  async #enforce(): Promise<void> {
    this.#added = 0;
    const { log, clock, logger, retentionDays, onRetention } = this.#options;
    const beforeMs = () => clock.nowMs() - retentionDays() * DAY_MS;
    if (!log.hasExpired(beforeMs(), this.#maxRows)) return;
    const before = log.stored();
    await this.#inSteps(() => log.deleteChunk(beforeMs(), this.#maxRows));
    log.checkpoint();
    const after = log.stored();
    const counts = (stored: typeof before) => ({
      connections: stored.connections.count,
      dns: stored.dns.count,
      traffic: stored.traffic.count,
    });
    logger.info("retention", { before: counts(before), after: counts(after) });
    onRetention({ at: new Date(clock.nowMs()).toISOString(), before, after });
  }

  /** Repeats `step` while it returns true, and lets others have their turn in between. */
  async #inSteps(step: () => boolean): Promise<void> {
    while (!this.#closed && step()) await delay(this.#options.clock, 0);
  }

  #add(what: string, job: () => Promise<void>): Promise<void> {
    this.#jobs = this.#jobs.then(async () => {
      if (this.#closed) return;
      try {
        await job();
      } catch (thrown) {
        this.#options.logger.error(`${what} failed`, { error: thrown });
      }
    });
    return this.#jobs;
  }
}
