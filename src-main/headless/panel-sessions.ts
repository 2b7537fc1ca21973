/** Who has given the password: a random secret per browser, in memory, so that none outlives the node. */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../src-shared/clock.ts";

/** 256 bits: cannot be guessed, so guesses need no counting. */
export const SECRET_BYTES = 32;

/** An owner's devices and those of the family; the one that was used longest ago makes room. */
export const MAX_SESSIONS = 32;

/** A working day without a look at the panel. */
export const IDLE_MS = 12 * 3_600_000;

/** A browser that is never closed is asked again once a month. */
export const LONGEST_MS = 30 * 24 * 3_600_000;

interface Session {
  /** The password's hash at the time: another password ends the session. */
  readonly hash: string;
  readonly openedMs: number;
  usedMs: number;
}

export class PanelSessions {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #hash: () => string | undefined;
  /** By the hash of the secret: looking one up tells nothing about the others, however long it takes. */
  readonly #sessions = new Map<string, Session>();

  /** @param hash of the present password; undefined where there is none */
  constructor(clock: Pick<Clock, "monotonicMs">, hash: () => string | undefined) {
    this.#clock = clock;
    this.#hash = hash;
  }

  /** Begins a session for whoever gave the password with this hash; its secret. */
  open(hash: string): string {
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    const nowMs = this.#clock.monotonicMs();
    this.#sessions.set(keyOf(secret), { hash, openedMs: nowMs, usedMs: nowMs });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    return secret;
  }

  /** Whether the secret is that of a session; using it keeps the session. */
  has(secret: string): boolean {
    const key = keyOf(secret);
    const session = this.#sessions.get(key);
    if (session === undefined) return false;
    const nowMs = this.#clock.monotonicMs();
    this.#sessions.delete(key);
    const over = nowMs - session.usedMs > IDLE_MS || nowMs - session.openedMs > LONGEST_MS;
    if (over || session.hash !== this.#hash()) return false;
    // The end of the map is what was used last.
    this.#sessions.set(key, session);
    session.usedMs = nowMs;
    return true;
  }

  end(secret: string): void {
    this.#sessions.delete(keyOf(secret));
  }
}

function keyOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
