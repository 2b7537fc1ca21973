/**
 * The node's standing connection to its helper: finds one that runs, else starts one, and tells when it
 * is lost. Starting again is the caller's decision, because it may raise a permission prompt.
 */
import { readFileSync } from "node:fs";
import { type Clock, delay } from "../../src-shared/clock.ts";
import type { ConnectionsEvent } from "../../src-shared/helper/connections.ts";
import type { HelperParams, HelperResult, HelperVerb, NetworkChange } from "../../src-shared/helper/protocol.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { HelperClient } from "./helper-client.ts";
import type { HelperEndpoint } from "./helper-paths.ts";

/** Starts a helper and calls back when that run has ended. */
export type LaunchHelper = (
  onExit: (complaint: HiggsError | undefined) => void,
) => Promise<Result<void>> | Result<void>;

export interface HelperLinkOptions {
  endpoint: HelperEndpoint;
  clock: Clock;
  launch: LaunchHelper;
  /** How long a started helper may take to listen: a person may have to type a password first. */
  readyWithinMs: number;
  /** Whether a person is asked when one is started. Default: no. */
  prompts?: boolean;
  /** In place of the signal that ends a helper. */
  kill?: (pid: number) => void;
}

/** A helper listens some 100 ms after it was started. */
const POLL_MS = 25;

export class HelperLink {
  readonly #options: HelperLinkOptions;
  readonly #lostListeners = new Set<() => void>();
  readonly #changeListeners = new Set<(change: NetworkChange) => void>();
  readonly #connectionListeners = new Set<(event: ConnectionsEvent) => void>();
  #client: HelperClient | undefined;
  #connecting: Promise<Result<HelperClient>> | undefined;
  #disposed = false;

  constructor(options: HelperLinkOptions) {
    this.#options = options;
  }

  /** The running connection, if there is one. Never starts anything. */
  get connected(): HelperClient | undefined {
    return this.#client;
  }

  /** A connection, made if need be. Calls at the same time share one attempt, and so one prompt. */
  ensure(): Promise<Result<HelperClient>> {
    if (this.#client !== undefined) return Promise.resolve(ok(this.#client));
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  get prompts(): boolean {
    return this.#options.prompts ?? false;
  }

  /**
   * Ends the connection, and a helper that may be ended without a prompt for the next one. It is killed, so that it
   * restores nothing: guests go on, and the next helper finds its journal. One that hangs would heed nothing else.
   */
  restart(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    const { kill = killHelper } = this.#options;
    if (!this.prompts) kill(client.helper.pid);
    client.close();
  }

  /** A connection to a helper that runs already; nothing is started. */
  async findRunning(): Promise<Result<HelperClient>> {
    if (this.#client !== undefined) return ok(this.#client);
    return this.#adopt(await HelperClient.connect(this.#options.endpoint, this.#options.clock));
  }

  /** Asks the connected helper, or makes a connection first. */
  async call<V extends HelperVerb>(verb: V, params: HelperParams<V>): Promise<Result<HelperResult<V>>> {
    const client = await this.ensure();
    return client.ok ? client.value.call(verb, params) : client;
  }

  /** Called each time a connection that stood is lost. */
  onLost(listener: () => void): () => void {
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  onNetworkChange(listener: (change: NetworkChange) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  onConnections(listener: (event: ConnectionsEvent) => void): () => void {
    this.#connectionListeners.add(listener);
    return () => this.#connectionListeners.delete(listener);
  }

  /** Closes the connection; the helper restores the network by itself after its grace time if it holds it. */
  dispose(): void {
    this.#disposed = true;
    const client = this.#client;
    this.#client = undefined;
    client?.close();
  }

  async #connect(): Promise<Result<HelperClient>> {
    const { endpoint, clock, launch, readyWithinMs } = this.#options;
    if (this.#disposed) return fail("helper-disposed", "The node is shutting down.");
    const running = await HelperClient.connect(endpoint, clock);
    if (running.ok || !isStarting(running.error)) return this.#adopt(running);
    let ended: { complaint: HiggsError | undefined } | undefined;
    const launched = await launch((complaint) => {
      ended = { complaint };
    });
    if (!launched.ok) return launched;
    const deadlineMs = clock.monotonicMs() + readyWithinMs;
    for (;;) {
      if (this.#disposed) return fail("helper-disposed", "The node is shutting down.");
      const client = await HelperClient.connect(endpoint, clock);
      if (client.ok || !isStarting(client.error)) return this.#adopt(client);
      if (ended !== undefined) {
        return { ok: false, error: ended.complaint ?? fail("helper-not-started", "The helper ended at once.").error };
      }
      if (clock.monotonicMs() > deadlineMs) {
        return fail("helper-not-started", "The helper did not start in time.", "Try again, or restart HiggsNode.");
      }
      await delay(clock, POLL_MS);
    }
  }

  #adopt(connected: Result<HelperClient>): Result<HelperClient> {
    if (!connected.ok) return connected;
    const client = connected.value;
    if (this.#disposed) {
      client.close();
      return fail("helper-disposed", "The node is shutting down.");
    }
    if (this.#client !== undefined) {
      // The other way to a connection was quicker; one is enough.
      client.close();
      return ok(this.#client);
    }
    this.#client = client;
    client.onNetworkChange((change) => {
      for (const listener of this.#changeListeners) listener(change);
    });
    client.onConnections((event) => {
      for (const listener of this.#connectionListeners) listener(event);
    });
    client.onClose(() => {
      if (this.#client !== client) return;
      this.#client = undefined;
      for (const listener of this.#lostListeners) listener();
    });
    return connected;
  }
}

function killHelper(pid: number): void {
  try {
    // A helper beyond a container's border has a number that means another process here.
    const isOther =
      process.platform === "linux" && !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("helper.mjs");
    if (isOther || pid === process.pid) return;
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already, or not ours to end: a new connection is what remains.
  }
}

/** While a helper starts, its socket, its token, or both may still be those of one that has died. */
function isStarting(error: HiggsError): boolean {
  return error.code === "helper-absent" || error.code === "wrong-token" || error.code === "helper-lost";
}
