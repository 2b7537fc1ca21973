/** Where log records go, as lines of JSON. Nothing reaches a file or a terminal without the redactor. */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import type { LogRecord, LogSink } from "./logger.ts";
import type { Redactor } from "./redact.ts";

export const LOG_FILE_NAME = join("logs", "higgsnode.log");

/** Some ten thousand lines: enough for days of a quiet node, small enough to attach to a report. */
const MAX_LOG_FILE_BYTES = 2 * 1024 * 1024;

/** The file written to is not counted: at most (1 + 4) × 2 MiB in all. */
const KEPT_LOG_FILES = 4;

/** One record as one line of JSON with its newline, redacted. */
function formatRecord(record: LogRecord, redactor: Redactor): string {
  const line = {
    at: new Date(record.atMs).toISOString(),
    level: record.level,
    area: record.area,
    message: redactor.text(record.message),
    ...(record.fields === undefined ? {} : { fields: redactor.value(record.fields) }),
  };
  return `${JSON.stringify(line)}\n`;
}

export interface FileSinkOptions {
  dataDir: string;
  redactor: Redactor;
  maxFileBytes?: number;
  keptFiles?: number;
}

/**
 * Appends to `DATA_DIR/logs/higgsnode.log` (0600, the folder 0700); a full file becomes `.1`, that one
 * `.2`, and so on. A disk that takes no more loses lines, never the node: how many is logged once it takes some again.
 * Error: `log-not-writable`.
 */
export function createFileSink(options: FileSinkOptions): Result<LogSink> {
  const path = join(options.dataDir, LOG_FILE_NAME);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return ok(new FileSink(path, options));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail("log-not-writable", `The log ${path} cannot be written: ${reason}.`, "Check its permissions.");
  }
}

class FileSink implements LogSink {
  readonly #path: string;
  readonly #redactor: Redactor;
  readonly #maxFileBytes: number;
  readonly #keptFiles: number;
  #file: number | undefined;
  #bytes = 0;
  #lost = 0;
  #closed = false;

  constructor(path: string, options: FileSinkOptions) {
    this.#path = path;
    this.#redactor = options.redactor;
    this.#maxFileBytes = options.maxFileBytes ?? MAX_LOG_FILE_BYTES;
    this.#keptFiles = options.keptFiles ?? KEPT_LOG_FILES;
    this.#file = this.#open();
  }

  write(record: LogRecord): void {
    if (this.#closed) return;
    try {
      if (this.#lost > 0) {
        const message = `${this.#lost} records before this one could not be written`;
        this.#append(formatRecord({ atMs: record.atMs, level: "warn", area: "logs", message }, this.#redactor));
        this.#lost = 0;
      }
      this.#append(formatRecord(record, this.#redactor));
    } catch {
      this.#lost += 1;
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #append(line: string): void {
    const bytes = Buffer.from(line, "utf8");
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#maxFileBytes) this.#rotate();
    this.#file ??= this.#open();
    this.#bytes += writeSync(this.#file, bytes);
  }

  #open(): number {
    const file = openSync(this.#path, "a", 0o600);
    this.#bytes = fstatSync(file).size;
    return file;
  }

  #rotate(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    for (let n = this.#keptFiles; n > 0; n--) {
      const from = n === 1 ? this.#path : `${this.#path}.${n - 1}`;
      if (existsSync(from)) renameSync(from, `${this.#path}.${n}`);
    }
    if (this.#keptFiles === 0) rmSync(this.#path, { force: true });
  }
}
