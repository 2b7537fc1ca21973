/** What the node tells: its states, each with revisions, and events as they happen. */
import type { EventName } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../src-shared/model/privacy.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { NodeEvent } from "../ipc/node-api.ts";
import type { Logger } from "../logs/logger.ts";
import { Published } from "./published.ts";

/** Each makes the present value. */
export interface NodeViews {
  state: () => NodeState;
  clients: () => Client[];
  settings: () => Settings;
  privacy: () => PrivacyState;
}

export interface NodeEventsOptions extends NodeViews {
  logger: Logger;
}

type Listener = (name: EventName, payload: unknown) => void;

export class NodeEvents {
  readonly #views: NodeViews;
  readonly #logger: Logger;
  readonly #listeners = new Set<Listener>();
  readonly published: {
    readonly state: Published<NodeState>;
    readonly clients: Published<Client[]>;
    readonly settings: Published<Settings>;
    readonly privacy: Published<PrivacyState>;
  };

  constructor({ logger, ...views }: NodeEventsOptions) {
    this.#views = views;
    this.#logger = logger;
    this.published = {
      state: new Published(views.state()),
      clients: new Published(views.clients()),
      settings: new Published(views.settings()),
      privacy: new Published(views.privacy()),
    };
    this.published.state.follow((revised) => this.emit("node.stateChanged", revised));
    this.published.clients.follow((revised) => this.emit("clients.changed", revised));
    this.published.settings.follow((revised) => this.emit("settings.changed", revised));
    this.published.privacy.follow((revised) => this.emit("privacy.changed", revised));
  }

  /** Tells the state where it has changed. */
  publishState(): void {
    this.published.state.set(this.#views.state());
  }

  /** Tells the list of clients where it has changed. */
  publishClients(): void {
    this.published.clients.set(this.#views.clients());
  }

  /** A listener that throws fails alone: neither the others nor whoever has something to tell are to suffer for it. */
  emit(name: EventName, payload: unknown): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(name, payload);
      } catch (thrown) {
        this.#logger.error("a listener failed", { event: name, error: thrown });
      }
    }
  }

  /** Calls `listener` on every event; the returned function unsubscribes. */
  onEvent(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The present value of each state, as the event that would carry it. */
  current(): NodeEvent[] {
    return [
      { name: "node.stateChanged", payload: this.published.state.current },
      { name: "clients.changed", payload: this.published.clients.current },
      { name: "settings.changed", payload: this.published.settings.current },
      { name: "privacy.changed", payload: this.published.privacy.current },
    ];
  }

  /** From here on nobody is told. Idempotent. */
  close(): void {
    this.#listeners.clear();
  }
}
