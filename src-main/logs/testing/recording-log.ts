/** Loggers for tests: one that keeps what it is told, and one that is for nobody. */
import type { Clock } from "../../../src-shared/clock.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import { createLogger, type Logger, type LogRecord } from "../logger.ts";

export interface RecordingLog {
  readonly logger: Logger;
  readonly records: LogRecord[];
}

export function recordingLog(clock: Clock = new FakeClock()): RecordingLog {
  const records: LogRecord[] = [];
  const sink = { write: (record: LogRecord) => void records.push(record), close: () => {} };
  return { logger: createLogger({ sink, clock, level: "debug" }), records };
}

export function silentLogger(): Logger {
  return createLogger({ sink: { write: () => {}, close: () => {} }, clock: new FakeClock() });
}
