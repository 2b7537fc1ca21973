/** What the interface knows of the node, and what it can ask of it. */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { EventName } from "../../src-shared/ipc/contract.ts";
import type { Client, ClientConfig } from "../../src-shared/model/client.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { HiggsError, Result } from "../../src-shared/result.ts";
import type { ConnectionState, Transport } from "../transport/transport.ts";
import { newer, type Revised } from "./revised.ts";

export interface PanelState {
  readonly connection: ConnectionState;
  readonly node: Revised<NodeState> | undefined;
  readonly clients: Revised<Client[]> | undefined;
  /** A switch that was pressed and has not been answered yet. */
  readonly switching: boolean;
  readonly adding: boolean;
  /** Clients with a call under way, by id. */
  readonly pending: ReadonlySet<string>;
  /** The last call that failed, until the owner dismisses it or tries again. */
  readonly problem: HiggsError | undefined;
  /** A configuration that is being shown, once. */
  readonly config: ClientConfig | undefined;
}

export interface PanelActions {
  share(on: boolean): Promise<void>;
  /** Adds a client and shows its configuration; resolves whether it was added. */
  addClient(name: string): Promise<boolean>;
  /** Shows the configuration again, for as long as its private key is remembered. */
  showConfig(client: Client): Promise<void>;
  pause(client: Client, paused: boolean): Promise<void>;
  closeConfig(): void;
  dismissProblem(): void;
}

export interface NodeStore {
  readonly state: StoreApi<PanelState>;
  readonly actions: PanelActions;
  /** Idempotent. */
  dispose(): void;
}

export function createNodeStore(transport: Transport): NodeStore {
  const state = createStore<PanelState>(() => ({
    connection: "connecting",
    node: undefined,
    clients: undefined,
    switching: false,
    adding: false,
    pending: new Set(),
    problem: undefined,
    config: undefined,
  }));
  const { setState, getState } = state;

  function takeNode(incoming: Revised<NodeState>): void {
    setState((now) => ({ node: newer(now.node, incoming) }));
  }

  function onEvent(name: EventName, payload: unknown): void {
    // Parsed by the contract where it came in.
    if (name === "node.stateChanged") takeNode(payload as Revised<NodeState>);
    if (name === "clients.changed") {
      setState((now) => ({ clients: newer(now.clients, payload as Revised<Client[]>) }));
    }
  }

  /** The value, or undefined with the problem put where the owner sees it. */
  function take<T>(result: Result<T>): T | undefined {
    if (result.ok) return result.value;
    setState({ problem: result.error });
    return undefined;
  }

  async function showConfig(client: Client): Promise<void> {
    setState({ config: take(await transport.call("clients.config", { name: client.id })) });
  }

  const actions: PanelActions = {
    async share(on) {
      setState({ switching: true, problem: undefined });
      const answer = take(await transport.call(on ? "node.on" : "node.off", {}));
      setState({ switching: false });
      if (answer !== undefined) takeNode(answer);
    },
    async addClient(name) {
      setState({ adding: true, problem: undefined });
      const client = take(await transport.call("clients.add", { name }));
      if (client !== undefined) await showConfig(client);
      setState({ adding: false });
      return client !== undefined;
    },
    async showConfig(client) {
      setState({ problem: undefined });
      await showConfig(client);
    },
    async pause(client, paused) {
      setState({ pending: new Set([...getState().pending, client.id]), problem: undefined });
      take(await transport.call(paused ? "clients.pause" : "clients.resume", { name: client.id }));
      setState(({ pending }) => ({ pending: new Set([...pending].filter((id) => id !== client.id)) }));
    },
    closeConfig: () => setState({ config: undefined }),
    dismissProblem: () => setState({ problem: undefined }),
  };

  transport.start({ onEvent, onConnection: (connection) => setState({ connection }) });
  return { state, actions, dispose: () => transport.dispose() };
}
