/** A program that runs: its output is kept, its end can be waited for, and it can be sent signals. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { StringDecoder } from "node:string_decoder";
import { within } from "./poll.ts";

/** Enough for any listing the lab reads; what a program prints beyond it is dropped from the front. */
const MAX_OUTPUT_CHARACTERS = 8 * 1024 * 1024;

/** A daemon that was started may keep our pipes open; what it printed before it detached is there by then. */
const PIPES_AFTER_EXIT_MS = 200;

export interface ProgramEnd {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ExecResult extends ProgramEnd {
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  /** What error messages call it; without it, argv. */
  title?: string;
  env: Record<string, string>;
  /** Written to standard input, which is closed after it. Without it standard input is empty. */
  input?: string | Uint8Array;
  /**
   * Set where argv is a shell that waits for the program proper, its only child: signals are meant for that, and a
   * status of 128 + n means that signal n ended it (POSIX, Shell Command Language, 2.8.2).
   */
  waitsForChild?: boolean;
}

export class Program {
  readonly title: string;
  /** Settles when the program has ended and its output is complete; rejects when it could not be started. */
  readonly ended: Promise<ProgramEnd>;
  #child: ChildProcess;
  #waitsForChild: boolean;
  #stdout = "";
  #stderr = "";
  #running = true;
  #onOutput = new Set<() => void>();

  constructor(argv: readonly [string, ...string[]], options: ProgramOptions) {
    this.title = options.title ?? argv.join(" ");
    this.#waitsForChild = options.waitsForChild ?? false;
    const [file, ...args] = argv;
    // A group of its own: Ctrl+C at the terminal ends the lab, and the lab ends its programs in order.
    this.#child = spawn(file, args, { env: options.env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    this.#child.stdin?.on("error", () => {
      // The program closed its standard input first; its exit status tells the rest.
    });
    this.#child.stdin?.end(options.input ?? "");
    this.#collect(this.#child.stdout, (text) => {
      this.#stdout = (this.#stdout + text).slice(-MAX_OUTPUT_CHARACTERS);
    });
    this.#collect(this.#child.stderr, (text) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_OUTPUT_CHARACTERS);
    });
    this.ended = this.#whenEnded();
    this.ended.catch(() => {
      // Handled where `ended` is awaited; a program nobody waits for must not end the process.
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Process id as this process sees it; undefined when it is over or could not be started. */
  get pid(): number | undefined {
    const pid = this.#child.pid;
    if (pid === undefined || !this.#running) return undefined;
    return this.#waitsForChild ? (firstChildOf(pid) ?? pid) : pid;
  }

  /** Sends a signal to the program alone. False when it is over. */
  kill(signal: NodeJS.Signals = "SIGTERM"): boolean {
    const pid = this.pid;
    return pid !== undefined && sendSignal(pid, signal);
  }

  /** SIGKILL to the program and to everything in its process group. */
  killGroup(): void {
    if (this.#child.pid !== undefined && this.#running) sendSignal(-this.#child.pid, "SIGKILL");
  }

  /** SIGTERM, and SIGKILL for the whole group when it is not gone after `graceMs`. */
  async stop(graceMs = 5_000): Promise<ProgramEnd> {
    this.kill("SIGTERM");
    try {
      return await within("the program to end", this.ended, graceMs);
    } catch {
      this.killGroup();
      return this.ended;
    }
  }

  /** The first complete line on standard output that `matches`. Throws when the program ends before, or in time. */
  async line(matches: (line: string) => boolean, timeoutMs: number): Promise<string> {
    const find = () => this.#stdout.split("\n").slice(0, -1).find(matches);
    let wake = () => {};
    const found = new Promise<string>((resolve, reject) => {
      wake = () => {
        const line = find();
        if (line !== undefined) resolve(line);
        else if (!this.#running) reject(new Error(`${this.title} ended early`));
      };
      this.#onOutput.add(wake);
      this.ended.then(wake, reject);
      wake();
    });
    try {
      return await within(`a line from ${this.title}`, found, timeoutMs);
    } catch (cause) {
      throw new Error(`${cause instanceof Error ? cause.message : cause}\n${this.describe()}`, { cause });
    } finally {
      this.#onOutput.delete(wake);
    }
  }

  /** The end of both outputs, for error messages. */
  describe(): string {
    return `stdout: ${this.#stdout.slice(-2_000)}\nstderr: ${this.#stderr.slice(-2_000)}`;
  }

  #collect(stream: NodeJS.ReadableStream | null, keep: (text: string) => void): void {
    const decoder = new StringDecoder("utf8");
    stream?.on("data", (chunk: Buffer) => {
      keep(decoder.write(chunk));
      for (const wake of this.#onOutput) wake();
    });
  }

  #whenEnded(): Promise<ProgramEnd> {
    return new Promise((resolve, reject) => {
      let patience: NodeJS.Timeout | undefined;
      this.#child.once("error", (error) => {
        this.#running = false;
        reject(error);
      });
      this.#child.once("exit", () => {
        this.#running = false;
        patience = setTimeout(() => {
          this.#child.stdout?.destroy();
          this.#child.stderr?.destroy();
        }, PIPES_AFTER_EXIT_MS);
      });
      this.#child.once("close", (code, signal) => {
        clearTimeout(patience);
        resolve(this.#waitsForChild ? endOfChild(code, signal) : { code, signal });
      });
    });
  }
}

/** Runs a program to its end. After `timeoutMs` its process group is killed and an Error is thrown. */
export async function run(
  argv: readonly [string, ...string[]],
  options: ProgramOptions & { timeoutMs: number },
): Promise<ExecResult> {
  const program = new Program(argv, options);
  try {
    const end = await within(program.title, program.ended, options.timeoutMs);
    return { ...end, stdout: program.stdout, stderr: program.stderr };
  } catch (cause) {
    program.killGroup();
    throw new Error(`${cause instanceof Error ? cause.message : cause}\n${program.describe()}`, { cause });
  }
}

function endOfChild(code: number | null, signal: NodeJS.Signals | null): ProgramEnd {
  const number = (code ?? 0) - 128;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name === undefined ? { code, signal } : { code: null, signal: name as NodeJS.Signals };
}

/** proc(5), /proc/pid/task/tid/children: complete here because the shell stands still and waits. */
function firstChildOf(pid: number): number | undefined {
  try {
    const first = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")[0];
    return first === undefined || first.trim() === "" ? undefined : Number(first);
  } catch {
    return undefined;
  }
}

export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
