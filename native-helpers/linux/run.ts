/**
 * The only door to other programs: argv arrays, never a shell, a fixed search path, the C locale, a
 * timeout each, and a cap on what they may print.
 */
import { execFile } from "node:child_process";

export interface Ran {
  /** Exit code; null when the program was killed (by our timeout, or by somebody). */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Set when the program could not be started at all. */
  missing: boolean;
}

export interface RunOptions {
  input?: string;
  timeoutMs?: number;
}

/** Runs a program and resolves with what came of it; it never rejects. */
export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<Ran>;

/** Root-owned places only; the caller's PATH has no say in what root runs. */
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Every program here answers within milliseconds; ten seconds covers a swapping machine and the xtables lock. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** A ruleset with tens of thousands of foreign rules still fits. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export const run: Run = (program, args, options = {}) =>
  new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      {
        env: { PATH: SEARCH_PATH, LC_ALL: "C", LANG: "C" },
        timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        killSignal: "SIGKILL",
        maxBuffer: MAX_OUTPUT_BYTES,
        cwd: "/",
        encoding: "utf8",
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve({ code: 0, stdout, stderr, missing: false });
        const missing = error.code === "ENOENT" || error.code === "EACCES";
        resolve({ code: typeof error.code === "number" ? error.code : null, stdout, stderr, missing });
      },
    );
    // A program that exits before it has read its input breaks the pipe; its exit code says why.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
  });

/** One readable line about a run that failed: `ip link add …: RTNETLINK answers: File exists`. */
export function describeRun(program: string, args: readonly string[], ran: Ran): string {
  const command = [program, ...args].join(" ");
  if (ran.missing) return `${program} is not installed`;
  const said = ran.stderr.trim().split("\n").slice(0, 3).join(" / ");
  if (ran.code === null) return `${command}: did not finish in time`;
  return `${command}: ${said === "" ? `exit code ${ran.code}` : said}`;
}
