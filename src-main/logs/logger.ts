/** The log: records with a level, an area and fields, handed to a sink that redacts and writes them. */
import type { Clock } from "../../src-shared/clock.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogRecord {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly area: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Takes records as they are; must neither throw nor keep them. */
export interface LogSink {
  write(record: LogRecord): void;
  /** Idempotent; what is written afterwards is dropped. */
  close(): void;
}

/** Fields beside the message; an Error stands for `{error}`. */
export type LogFields = Readonly<Record<string, unknown>> | Error;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger for a part of the node, with fields that each of its records carries. */
  child(context: { area?: string; fields?: Readonly<Record<string, unknown>> }): Logger;
}

export interface LoggerOptions {
  sink: LogSink;
  clock: Clock;
  /** The least level that is written; `info` where none is given. */
  level?: LogLevel;
}

/** A logger of the area `node`; `child` makes those of others. */
export function createLogger({ sink, clock, level = "info" }: LoggerOptions): Logger {
  const least = LOG_LEVELS.indexOf(level);

  function make(area: string, common: Readonly<Record<string, unknown>>): Logger {
    function at(recordLevel: LogLevel) {
      const written = LOG_LEVELS.indexOf(recordLevel) >= least;
      return (message: string, given?: LogFields): void => {
        if (!written) return;
        const fields = { ...common, ...(given instanceof Error ? { error: given } : given) };
        const record = { atMs: clock.nowMs(), level: recordLevel, area, message };
        sink.write(Object.keys(fields).length === 0 ? record : { ...record, fields });
      };
    }
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (context) => make(context.area ?? area, { ...common, ...context.fields }),
    };
  }

  return make("node", {});
}
