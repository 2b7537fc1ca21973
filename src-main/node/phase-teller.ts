/** Holds the node's phase, and tells it: to the log where it is another one, and to whoever follows. */
import type { Clock } from "../../src-shared/clock.ts";
import type { PhaseState } from "../../src-shared/model/node-state.ts";
import type { Logger } from "../logs/logger.ts";

export class PhaseTeller {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: PhaseState) => void>();
  readonly #followers = new Set<() => void>();
  #state: PhaseState;

  constructor({ clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
    this.#state = { phase: "stopped", since: this.now() };
  }

  get state(): PhaseState {
    return this.#state;
  }

  onChange(listener: (state: PhaseState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onLook(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** A listener that throws fails alone. */
  enter(state: PhaseState): void {
    if (state.phase !== this.#state.phase) this.#logger.info("phase", { phase: state.phase, ...reasonOf(state) });
    this.#state = state;
    for (const listener of [...this.#listeners]) this.#callSafely(() => listener(state));
  }

  /** The machine was looked at, or a recovery has come to another step. */
  tellLook(): void {
    for (const follower of [...this.#followers]) this.#callSafely(follower);
  }

  /** Since when the node has been in this phase: now, where it only enters it. */
  since(phase: PhaseState["phase"]): string {
    return this.#state.phase === phase ? this.#state.since : this.now();
  }

  /** Wall clock, as states tell it. */
  now(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }

  /** From here on nobody is told. Idempotent. */
  close(): void {
    this.#listeners.clear();
    this.#followers.clear();
  }

  #callSafely(listener: () => void): void {
    try {
      listener();
    } catch (thrown) {
      this.#logger.error("a listener failed", thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }
}

function reasonOf(state: PhaseState): Record<string, string> {
  switch (state.phase) {
    case "failed":
      return { code: state.error.code, reason: state.error.message };
    case "degraded":
      return { code: state.problems[0]?.code ?? "" };
    case "recovering":
      return { cause: state.cause.code };
    case "stopped":
    case "starting":
    case "running":
    case "stopping":
      return {};
  }
}
