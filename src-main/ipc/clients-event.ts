/**
 * What a connection is told when the clients have changed: what became of the list it was sent last, or the whole list
 * where that is shorter. Clients that have not changed may be the same objects; that is what makes this cheap.
 */
import { isDeepStrictEqual } from "node:util";
import type { EventPayload } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { NodeEvent } from "./node-api.ts";

export type ClientsState = EventPayload<"clients.changed">;
export type ClientsDelta = EventPayload<"clients.delta">;

/**
 * The event that leads from `sent` to `now`. The receiver drops the removed clients, replaces the changed ones in their
 * places and appends those it does not have.
 */
export function clientsEvent(sent: ClientsState | undefined, now: ClientsState): NodeEvent {
  const delta = sent === undefined || sent.run !== now.run ? undefined : deltaBetween(sent, now);
  return delta === undefined ? { name: "clients.changed", payload: now } : { name: "clients.delta", payload: delta };
}

/** The list that `delta` makes of the one it is based on. */
export function applyDelta(base: readonly Client[], delta: Pick<ClientsDelta, "changed" | "removed">): Client[] {
  const removed = new Set(delta.removed);
  const changed = new Map(delta.changed.map((client) => [client.id, client]));
  const kept = base.flatMap((client) => {
    if (removed.has(client.id)) return [];
    const replacement = changed.get(client.id);
    changed.delete(client.id);
    return [replacement ?? client];
  });
  return [...kept, ...changed.values()];
}

/** Undefined where the whole list is shorter, or where a delta would leave another order. */
function deltaBetween(sent: ClientsState, now: ClientsState): ClientsDelta | undefined {
  const before = new Map(sent.value.map((client) => [client.id, client]));
  const present = new Set(now.value.map(({ id }) => id));
  const changed = now.value.filter((client) => !isSame(before.get(client.id), client));
  const removed = sent.value.flatMap(({ id }) => (present.has(id) ? [] : [id]));
  // A client is longer than the id of one: while fewer are named than are left unsaid, the delta is the shorter one.
  if (changed.length + removed.length >= now.value.length) return undefined;
  const result = applyDelta(sent.value, { changed, removed });
  if (result.some(({ id }, index) => id !== now.value[index]?.id)) return undefined;
  return { run: now.run, base: sent.revision, revision: now.revision, changed, removed };
}

function isSame(before: Client | undefined, now: Client): boolean {
  return before === now || (before !== undefined && isDeepStrictEqual(before, now));
}
