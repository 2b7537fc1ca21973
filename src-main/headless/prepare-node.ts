/** A node about to be built: its data directory, its log, and what builds it. */
import { systemClock } from "../../src-shared/clock.ts";
import { type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { createLogger, type LogFields } from "../logs/logger.ts";
import { Redactor } from "../logs/redact.ts";
import { createFileSink } from "../logs/sinks.ts";
import { composeNode } from "../node/compose.ts";
import type { HostFacts } from "../node/host-facts.ts";
import { openDataDir } from "../storage/data-dir.ts";
import { keepHeapAsItIs } from "./young-heap.ts";

export interface PreparedNode {
  readonly compose: () => Promise<Result<NodeApi>>;
  /** Logs something that is worth knowing and no failure of ours, such as a refused request. */
  readonly note: (what: string, fields: LogFields) => void;
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
  /** What the program around the node can do. */
  readonly host?: HostFacts;
}

/** Opens the data directory and the log. Fails with `data-dir-not-writable` or `log-not-writable`. */
export function prepareNode({
  helperPath,
  relayServers,
  onNotice,
  host,
  ...options
}: PrepareOptions): Result<PreparedNode> {
  const dataDir = openDataDir(options.dataDir);
  if (!dataDir.ok) return dataDir;
  const sink = createFileSink({ dataDir: dataDir.value.path, redactor: new Redactor() });
  if (!sink.ok) return sink;
  const logger = createLogger({ sink: sink.value, clock: systemClock });
  const log = logger.child({ area: "host" });
  return ok({
    compose: async () => {
      const dir = dataDir.value.path;
      const node = await composeNode({
        dataDir: dir,
        helperPath,
        relayServers,
        logger,
        onNotice,
        ...(host && { host }),
      });
      // What the start needed is enough for what comes.
      keepHeapAsItIs();
      return node;
    },
    note: (what, fields) => log.warn(what, fields),
    onUnexpected: (where, thrown) => log.error("unexpected failure", { where, error: thrown }),
    close: () => sink.value.close(),
  });
}
