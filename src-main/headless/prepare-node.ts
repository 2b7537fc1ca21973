/** A node about to be built: its data directory, its log, and what builds it. */
import { systemClock } from "../../src-shared/clock.ts";
import { type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { createLogger } from "../logs/logger.ts";
import { Redactor } from "../logs/redact.ts";
import { createFileSink } from "../logs/sinks.ts";
import { composeNode } from "../node/compose.ts";
import { openDataDir } from "../storage/data-dir.ts";

export interface PreparedNode {
  readonly compose: () => Promise<Result<NodeApi>>;
  /** Logs a failure that nobody expected. */
  readonly onUnexpected: (where: string, thrown: unknown) => void;
  /** Closes the log. Idempotent. */
  close(): void;
}

export interface PrepareOptions {
  readonly dataDir: string;
  readonly helperPath: string;
  /** Relays for this run, in place of those in the settings. */
  readonly relayServers?: readonly string[] | undefined;
  /** Told what the person who starts the node must know, such as a database that was set aside. */
  readonly onNotice: (notice: HiggsError) => void;
}

/** Opens the data directory and the log. Fails with `data-dir-not-writable` or `log-not-writable`. */
export function prepareNode({ helperPath, relayServers, onNotice, ...options }: PrepareOptions): Result<PreparedNode> {
  const dataDir = openDataDir(options.dataDir);
  if (!dataDir.ok) return dataDir;
  const sink = createFileSink({ dataDir: dataDir.value.path, redactor: new Redactor() });
  if (!sink.ok) return sink;
  const logger = createLogger({ sink: sink.value, clock: systemClock });
  const log = logger.child({ area: "host" });
  return ok({
    compose: () => composeNode({ dataDir: dataDir.value.path, helperPath, relayServers, logger, onNotice }),
    onUnexpected: (where, thrown) => log.error("unexpected failure", { where, error: thrown }),
    close: () => sink.value.close(),
  });
}
