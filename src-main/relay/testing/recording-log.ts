import { createLogger, type Logger, type LogRecord } from "../../logs/logger.ts";

/** A logger whose records a test can read. */
export function recordingLog(): { logger: Logger; records: LogRecord[] } {
  const records: LogRecord[] = [];
  const sink = { write: (record: LogRecord) => void records.push(record), close: () => {} };
  const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };
  return { logger: createLogger({ sink, clock, level: "debug" }), records };
}
