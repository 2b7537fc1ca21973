/** State, settings and clients of the node in this process, as it tells of them. */
import type { EventName, EventPayload } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { NodeApi } from "../ipc/node-api.ts";

export interface NodeListener {
  onState(state: NodeState): void;
  onSettings(settings: Settings): void;
  onClients(clients: readonly Client[]): void;
}

/**
 * Tells what is known now, then every change; the returned function ends it. What comes from this very process is not
 * parsed: with a thousand clients that would cost some ten milliseconds every two seconds.
 */
export function followNode(api: NodeApi, listener: NodeListener): () => void {
  function take(name: EventName, payload: unknown): void {
    switch (name) {
      case "node.stateChanged":
        listener.onState((payload as EventPayload<typeof name>).value);
        return;
      case "settings.changed":
        listener.onSettings((payload as EventPayload<typeof name>).value);
        return;
      case "clients.changed":
        listener.onClients((payload as EventPayload<typeof name>).value);
        return;
      default:
    }
  }
  for (const event of api.current()) take(event.name, event.payload);
  return api.onEvent(take);
}
