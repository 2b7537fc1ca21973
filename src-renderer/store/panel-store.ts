/** What the interface knows of the node, and what it can ask of it. */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { CallInput, CallName, CallOutput } from "../../src-shared/ipc/contract.ts";
import type { Client, ClientConfig } from "../../src-shared/model/client.ts";
import { exitOf } from "../../src-shared/model/node-state.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { HiggsError, Result } from "../../src-shared/result.ts";
import { guestWay } from "../../src-shared/text/headline.ts";
import type { ConnectionState, Transport } from "../transport/transport.ts";
import { PREDICTION_MS, type PredictionKey, type Predictions, predicted, settled, unexpired } from "./predictions.ts";
import { begun, ended, isKept, NOTHING_RUN, type Runs } from "./runs.ts";
import { afterAnswer, afterEvent, beforeCall, CLIENTS_STALE, NOTHING_KNOWN, type ServerState } from "./server-state.ts";

export interface PanelState extends ServerState {
  readonly connection: ConnectionState;
  readonly predictions: Predictions;
  readonly runs: Runs;
  /** Clients with a call under way, by id. */
  readonly pending: ReadonlySet<string>;
  /** The last call that failed, until the owner dismisses it or tries again. */
  readonly problem: HiggsError | undefined;
  /** A configuration that is being shown, once, and the way in that it is for. */
  readonly config: (ClientConfig & { readonly via: ConfigVia }) | undefined;
  /** Said to screen readers and shown for a moment; `at` tells two equal ones apart. */
  readonly notice: { readonly text: string; readonly at: number } | undefined;
}

/** The ways in that a WireGuard app alone can take. */
export type ConfigVia = "direct" | "relay";

export interface ConfigOptions {
  /** Replaces the key: the configuration given out before stops working. */
  readonly newKey?: boolean;
  /** Without it, the way that guests take to this node at present. */
  readonly via?: ConfigVia;
}

export interface PanelActions {
  /** Any call of the contract; revised states in the answer are taken into the store. Failures are the caller's. */
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<Result<CallOutput<N>>>;
  share(on: boolean): Promise<void>;
  /** Fields that are given replace the present ones; shown as predicted until the node has confirmed them. */
  setSettings(changes: Partial<Settings>): Promise<Result<void>>;
  /** Adds a client and shows its configuration; the failure is the form's. */
  addClient(name: string): Promise<Result<Client>>;
  /** Shows the configuration, for as long as its private key is remembered: `key-forgotten` afterwards. */
  showConfig(client: Client, options?: ConfigOptions): Promise<Result<void>>;
  pause(client: Client, paused: boolean): Promise<void>;
  remove(client: Client): Promise<boolean>;
  closeConfig(): void;
  /** Shows a failure above the page. */
  showProblem(error: HiggsError): void;
  dismissProblem(): void;
  /** Shows a short text and has screen readers say it. */
  notify(text: string): void;
}

export interface PanelStore {
  readonly state: StoreApi<PanelState>;
  readonly actions: PanelActions;
  /** Idempotent. */
  dispose(): void;
}

/** Long enough to be read twice. */
const NOTICE_MS = 5_000;

export function createPanelStore(transport: Transport, clock: Clock): PanelStore {
  const state = createStore<PanelState>(() => ({
    ...NOTHING_KNOWN,
    connection: "connecting",
    predictions: {},
    runs: NOTHING_RUN,
    pending: new Set(),
    problem: undefined,
    config: undefined,
    notice: undefined,
  }));
  const { setState, getState } = state;
  const timers = new Set<CancelTimer>();
  let listing = false;

  function later(delayMs: number, action: () => void): void {
    const cancel = clock.after(delayMs, () => {
      timers.delete(cancel);
      action();
    });
    timers.add(cancel);
  }

  async function call<N extends CallName>(name: N, input: CallInput<N>): Promise<Result<CallOutput<N>>> {
    setState((held) => ({ ...beforeCall(held, name), ...(isKept(name) ? { runs: begun(held.runs, name) } : {}) }));
    const answer = await transport.call(name, input);
    if (answer.ok) setState((held) => afterAnswer(held, name, answer.value));
    if (isKept(name)) setState(({ runs }) => ({ runs: ended(runs, name, answer) }));
    return answer;
  }

  /** One list answers any number of deltas that could not be applied. */
  async function listClients(): Promise<void> {
    if (listing) return;
    listing = true;
    await call("clients.list", {});
    listing = false;
  }

  function predict(values: Readonly<Record<string, unknown>>): void {
    setState(({ predictions }) => ({
      predictions: Object.entries(values).reduce(
        (held, [key, value]) => predicted(held, key as PredictionKey, value, clock.monotonicMs()),
        predictions,
      ),
    }));
    later(PREDICTION_MS, () =>
      setState(({ predictions }) => ({ predictions: unexpired(predictions, clock.monotonicMs()) })),
    );
  }

  function settle(...keys: string[]): void {
    setState(({ predictions }) => ({ predictions: settled(predictions, keys) }));
  }

  /** Whether it went well; where it did not, the problem is put where the owner sees it. */
  function showFailure(result: Result<unknown>): boolean {
    if (!result.ok) setState({ problem: result.error });
    return result.ok;
  }

  /** Marks the client while `action` is under way. */
  async function whilePending<T>(client: Client, action: () => Promise<T>): Promise<T> {
    setState(({ pending }) => ({ pending: new Set([...pending, client.id]), problem: undefined }));
    try {
      return await action();
    } finally {
      setState(({ pending }) => ({ pending: new Set([...pending].filter((id) => id !== client.id)) }));
    }
  }

  const actions: PanelActions = {
    call,
    async share(on) {
      setState({ problem: undefined });
      predict({ share: on });
      showFailure(await call(on ? "node.on" : "node.off", {}));
      settle("share");
    },
    async setSettings(changes) {
      const values = Object.fromEntries(Object.entries(changes).map(([key, value]) => [`setting.${key}`, value]));
      predict(values);
      const answer = await call("settings.set", { changes });
      settle(...Object.keys(values));
      return answer.ok ? { ok: true, value: undefined } : answer;
    },
    async addClient(name) {
      const added = await call("clients.add", { name });
      if (added.ok) showFailure(await actions.showConfig(added.value));
      return added;
    },
    showConfig: (client, { newKey = false, via = usualWay(getState()) } = {}) =>
      whilePending(client, async () => {
        const answer = await call("clients.config", { name: client.id, newKey, via });
        if (!answer.ok) return answer;
        setState({ config: { ...answer.value, via } });
        return { ok: true, value: undefined };
      }),
    async pause(client, paused) {
      const key = `client.${client.id}.paused`;
      predict({ [key]: paused });
      await whilePending(client, async () =>
        showFailure(await call(paused ? "clients.pause" : "clients.resume", { name: client.id })),
      );
      settle(key);
    },
    remove: (client) =>
      whilePending(client, async () => showFailure(await call("clients.remove", { name: client.id }))),
    closeConfig: () => setState({ config: undefined }),
    showProblem: (problem) => setState({ problem }),
    dismissProblem: () => setState({ problem: undefined }),
    notify(text) {
      const at = clock.monotonicMs();
      setState({ notice: { text, at } });
      later(NOTICE_MS, () => setState(({ notice }) => (notice?.at === at ? { notice: undefined } : {})));
    },
  };

  transport.start({
    onEvent(name, payload) {
      const change = afterEvent(getState(), name, payload);
      if (change === CLIENTS_STALE) void listClients();
      else setState(change);
    },
    onConnection: (connection) => setState({ connection }),
  });
  return {
    state,
    actions,
    dispose() {
      for (const cancel of timers) cancel();
      timers.clear();
      transport.dispose();
    },
  };
}

/** Where nobody gets in directly, a configuration for the relay is the one that works. */
function usualWay({ node }: ServerState): ConfigVia {
  const exit = node === undefined ? undefined : exitOf(node.value.node);
  return node !== undefined && exit !== undefined && guestWay(node.value, exit) === "relay" ? "relay" : "direct";
}
