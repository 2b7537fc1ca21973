/**
 * The node without a window: control socket and panel, until a signal ends it.
 *
 *   nobody else? ─▶ compose ─▶ control socket ─▶ panel ─▶ ready line ─▶ … first signal ─▶ drain ─▶ exit code
 *                                                             second signal: leave at once
 */
import type { Clock } from "../../src-shared/clock.ts";
import { HiggsFailure, ok, type Result } from "../../src-shared/result.ts";
import { connectControl } from "../ipc/control-client.ts";
import { alreadyRunning, openControlSocket } from "../ipc/control-socket.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { errorLine } from "./error-line.ts";
import { openPanelServer, type PanelOptions } from "./panel-server.ts";
import type { RefusalFields } from "./refusal-log.ts";

/**
 * Restoring runs a few dozen programs, each with its own time limit. After this the host leaves all
 * the same; the helper notices, and restores the network by itself after its grace time.
 */
export const CLOSE_DEADLINE_MS = 30_000;

/** One Ctrl+C can arrive twice: the terminal sends it to the whole group, and npm passes it on to its child. */
export const INSIST_AFTER_MS = 1_000;

/** SIGHUP comes when the terminal is closed. */
export const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

export interface HeadlessOptions {
  readonly dataDir: string;
  /** Turn sharing on even if it was off when the node last ran. */
  readonly share: boolean;
  readonly panel: Pick<PanelOptions, "port" | "host" | "open" | "rendererDir"> | null;
}

export interface HeadlessHost {
  readonly clock: Clock;
  /** Builds the node; called only when no other node uses the data directory. */
  readonly compose: () => Promise<Result<NodeApi>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Calls `listener` on each stop signal; the returned function takes it off. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  readonly onUnexpected: (call: string, thrown: unknown) => void;
  /** Told of refused requests to the panel. */
  readonly onRefused?: (what: string, fields: RefusalFields) => void;
}

/** Runs until a signal comes. The value is the exit code: 0 drained, 1 the network may not be restored. */
export async function runHeadlessHost(options: HeadlessOptions, host: HeadlessHost): Promise<Result<number>> {
  const signals = listenForSignals(host);
  const closers: (() => Promise<void>)[] = [];
  try {
    const started = await start(options, host, closers);
    if (!started.ok) {
      await drain(closers, host, signals);
      return started;
    }
    await signals.first;
    host.stderr("Stopping: putting the network back. Press Ctrl+C again to leave at once.\n");
    return ok(await drain(closers, host, signals));
  } finally {
    signals.dispose();
  }
}

async function start(
  options: HeadlessOptions,
  host: HeadlessHost,
  closers: (() => Promise<void>)[],
): Promise<Result<void>> {
  const other = await connectControl(options.dataDir);
  if (other.ok) {
    other.value.close();
    return alreadyRunning();
  }
  const composed = await host.compose();
  if (!composed.ok) return composed;
  const api = composed.value;
  closers.unshift(() => api.close());

  const control = await openControlSocket({ dataDir: options.dataDir, api, onUnexpected: host.onUnexpected });
  if (!control.ok) return control;
  closers.unshift(() => control.value.close());

  let panelUrl: string | null = null;
  if (options.panel !== null) {
    const panel = await openPanelServer({
      api,
      ...options.panel,
      clock: host.clock,
      onUnexpected: host.onUnexpected,
      ...(host.onRefused === undefined ? {} : { onRefused: host.onRefused }),
    });
    if (!panel.ok) return panel;
    closers.unshift(() => panel.value.close());
    panelUrl = panel.value.url;
  }
  host.stdout(`${JSON.stringify({ ready: true, panel: panelUrl, socket: control.value.path })}\n`);
  host.stderr(
    panelUrl === null
      ? "HiggsNode is running.\n"
      : `HiggsNode is running. Open its panel in your browser: ${panelUrl}\n`,
  );
  // Sharing may wait for a person who types a password; the node can be used meanwhile.
  if (options.share) void share(api, host);
  return ok(undefined);
}

async function share(api: NodeApi, host: HeadlessHost): Promise<void> {
  try {
    await api.handlers["node.on"]({}, { signal: new AbortController().signal });
  } catch (thrown) {
    if (thrown instanceof HiggsFailure) host.stderr(`${errorLine(thrown.error)}\n`);
    else host.onUnexpected("node.on", thrown);
  }
}

interface Signals {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  dispose(): void;
}

function listenForSignals(host: HeadlessHost): Signals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let firstAtMs: number | undefined;
  const dispose = host.onSignal(() => {
    const nowMs = host.clock.monotonicMs();
    firstAtMs ??= nowMs;
    first.resolve();
    if (nowMs - firstAtMs >= INSIST_AFTER_MS) second.resolve();
  });
  return { first: first.promise, second: second.promise, dispose };
}

/** Closes the newest first, so that nobody can call into a node that is going. */
async function drain(closers: (() => Promise<void>)[], host: HeadlessHost, signals: Signals): Promise<number> {
  const deadline = Promise.withResolvers<void>();
  const cancelTimer = host.clock.after(CLOSE_DEADLINE_MS, deadline.resolve);
  const leave = "The network may not be restored yet. If it is not within a minute, run: higgsnode restore-network\n";
  const closing = (async () => {
    for (const close of closers) await close();
    return "drained" as const;
  })().catch((thrown: unknown) => {
    host.onUnexpected("close", thrown);
    return "failed" as const;
  });
  const outcome = await Promise.race([
    closing,
    deadline.promise.then(() => "late" as const),
    signals.second.then(() => "insisted" as const),
  ]);
  cancelTimer();
  if (outcome === "drained") return 0;
  host.stderr(leave);
  return 1;
}
