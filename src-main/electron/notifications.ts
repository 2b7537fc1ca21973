/**
 * What an owner must be told even with the window closed, as a pure function of what was seen before and what is
 * seen now: went offline, back online, a new client, a quota at 80 %. Each is told once.
 */
import type { Client } from "../../src-shared/model/client.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { HiggsError } from "../../src-shared/result.ts";

export type Notice =
  | { readonly kind: "offline"; readonly error: HiggsError }
  | { readonly kind: "online" }
  /** Somebody uses a configuration for the first time; making one is the owner's own doing. */
  | { readonly kind: "new-client"; readonly name: string }
  | { readonly kind: "quota"; readonly name: string; readonly percent: number };

/** What is known of one client from the last time. */
interface Known {
  /** It has been connected before. */
  readonly met: boolean;
  /** It had used the share of its quota that is told. */
  readonly warned: boolean;
}

export interface NoticeMemory {
  /** As the owner was told last; `unknown` before sharing was seen to work, and after it was switched off. */
  readonly connection: "unknown" | "online" | "offline";
  /** By id; absent before the list was seen, which then tells nothing new. */
  readonly clients?: ReadonlyMap<string, Known>;
}

export const NOTHING_SEEN: NoticeMemory = { connection: "unknown" };

/** Enough is left to do something about it. */
export const QUOTA_NOTICE_PERCENT = 80;

export function noticesOfState(
  memory: NoticeMemory,
  state: NodeState,
): { readonly memory: NoticeMemory; readonly notices: readonly Notice[] } {
  const now = connectionOf(state);
  // Starting, repairing and stopping are on the way to something that will be told when it is there.
  if (now === "between" || now.is === memory.connection) return { memory, notices: [] };
  const next = { ...memory, connection: now.is };
  if (now.is === "offline") return { memory: next, notices: [{ kind: "offline", error: now.error }] };
  const isBack = now.is === "online" && memory.connection === "offline";
  return { memory: next, notices: isBack ? [{ kind: "online" }] : [] };
}

export function noticesOfClients(
  memory: NoticeMemory,
  clients: readonly Client[],
): { readonly memory: NoticeMemory; readonly notices: readonly Notice[] } {
  const before = memory.clients;
  const after = new Map<string, Known>();
  const notices: Notice[] = [];
  for (const client of clients) {
    const percent = quotaPercentOf(client);
    const known = { met: client.lastHandshakeAt !== undefined, warned: percent >= QUOTA_NOTICE_PERCENT };
    after.set(client.id, known);
    if (before === undefined) continue;
    const past = before.get(client.id) ?? { met: false, warned: false };
    if (known.met && !past.met) notices.push({ kind: "new-client", name: client.name });
    if (known.warned && !past.warned) notices.push({ kind: "quota", name: client.name, percent: Math.floor(percent) });
  }
  return { memory: { ...memory, clients: after }, notices };
}

type Connection = { is: "unknown" | "online" } | { is: "offline"; error: HiggsError } | "between";

/**
 * Offline is what cuts guests off and has lasted long enough to be shown; a problem that lets them through is for the
 * window. What a node that has not looked yet says is taken for well.
 */
function connectionOf({ node, health }: NodeState): Connection {
  switch (node.phase) {
    case "stopped":
      return { is: "unknown" };
    case "starting":
    case "recovering":
    case "stopping":
      return "between";
    case "failed":
      return { is: "offline", error: node.error };
    case "running":
    case "degraded": {
      const cut = health.facts.filter(
        (fact) => fact.cutsConnectivity && fact.state === "bad" && fact.silencedBy === undefined,
      );
      const shown = cut.find((fact) => !fact.waiting);
      if (shown?.error !== undefined) return { is: "offline", error: shown.error };
      return cut.length > 0 ? "between" : { is: "online" };
    }
  }
}

function quotaPercentOf({ quota }: Client): number {
  return quota === undefined || quota.bytes <= 0 ? 0 : (100 * quota.usedBytes) / quota.bytes;
}
