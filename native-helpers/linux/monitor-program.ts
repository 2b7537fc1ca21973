/** A program that prints what happens, kept running as long as somebody wants to know. */
import { type ChildProcess, spawn } from "node:child_process";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { withLifeTied } from "./tied-life.ts";

/** One that ends is started again after this, and after twice as long each time it ends soon again. */
export const RESTART_MS = 1_000;
export const MAX_RESTART_MS = 60_000;

/** One that has run for this long had no trouble starting. */
const SETTLED_MS = 10_000;

/** No line of theirs comes near it; what is longer is forgotten up to its end. */
const MAX_LINE_CHARACTERS = 64 * 1024;

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface MonitorOptions {
  clock: Clock;
  command: readonly [string, ...string[]];
  /** One or more complete lines, as they come. */
  onLines: (lines: string) => void;
  /** It runs again after it had ended: what happened meanwhile nobody has told. */
  onRestarted: () => void;
  /** Whether it runs now; told whenever that changes. */
  onRunning?: (running: boolean) => void;
}

export class MonitorProgram {
  readonly #options: MonitorOptions;
  #child: ChildProcess | undefined;
  #cancelRestart: CancelTimer | undefined;
  #restartMs = RESTART_MS;
  #stopped = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#start(false);
  }

  /** Ends the program. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRestart?.();
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #start(again: boolean): void {
    const { clock, command, onRestarted, onRunning } = this.#options;
    const [program, ...args] = withLifeTied(command);
    const startedMs = clock.monotonicMs();
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: SEARCH_PATH, LC_ALL: "C" },
      cwd: "/",
    });
    this.#child = child;
    this.#read(child);
    child.once("spawn", () => {
      if (this.#child !== child) return;
      onRunning?.(true);
      if (again) onRestarted();
    });
    const ended = () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      onRunning?.(false);
      if (clock.monotonicMs() - startedMs >= SETTLED_MS) this.#restartMs = RESTART_MS;
      this.#cancelRestart = clock.after(this.#restartMs, () => this.#start(true));
      this.#restartMs = Math.min(MAX_RESTART_MS, this.#restartMs * 2);
    };
    child.once("error", ended);
    child.once("exit", ended);
  }

  /** Whole chunks, not line by line: a program that changes its own things a thousand times a second is to cost next to nothing. */
  #read(child: ChildProcess): void {
    let rest = "";
    child.stdout?.setEncoding("utf8");
    child.stdout?.on("data", (chunk: string) => {
      if (this.#stopped || this.#child !== child) return;
      const end = chunk.lastIndexOf("\n");
      if (end === -1) {
        rest = (rest + chunk).slice(-MAX_LINE_CHARACTERS);
        return;
      }
      const lines = rest + chunk.slice(0, end);
      rest = chunk.slice(end + 1);
      this.#options.onLines(lines);
    });
  }
}
