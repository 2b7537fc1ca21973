/** What a row of the clients list says, as a pure function of the client. */
import type { Client } from "../../../src-shared/model/client.ts";
import { rateBits } from "../../../src-shared/model/limit.ts";
import type { Translate } from "../../../src-shared/text/translator.ts";
import type { Tone } from "../../components/tone.tsx";
import type { Format } from "../../i18n/i18n.tsx";

export type ClientState = "connected" | "away" | "paused" | "quota" | "schedule";

/** Why a client has no access comes before whether it is there. */
export function stateOf(client: Client): ClientState {
  if (client.paused) return "paused";
  if (client.limit?.state === "paused-by-quota" || pausedByQuota(client)) return "quota";
  if (client.limit?.state === "paused-by-schedule") return "schedule";
  return client.connected ? "connected" : "away";
}

function pausedByQuota({ quota }: Client): boolean {
  return quota?.exhausted === true && quota.action === "pause";
}

export const STATE_TONES: Readonly<Record<ClientState, Tone>> = {
  connected: "good",
  away: "off",
  paused: "off",
  quota: "attention",
  schedule: "off",
};

export interface ClientUsage {
  readonly used: number;
  /** Null where there is no quota: then `used` counts since the client was added. */
  readonly of: number | null;
  readonly text: string;
}

export function usageOf({ quota, usage }: Client, t: Translate, format: Format): ClientUsage {
  if (quota === undefined) {
    const used = usage.rxBytes + usage.txBytes;
    return { used, of: null, text: t("clients.usedAll", { used: format.bytes(used) }) };
  }
  const text = t("clients.usedOf", {
    used: format.decimalBytes(quota.usedBytes),
    total: format.decimalBytes(quota.bytes),
  });
  return { used: quota.usedBytes, of: quota.bytes, text };
}

/** The limits in a line; undefined where there are none. */
export function limitLine({ limit }: Client, t: Translate, format: Format): string | undefined {
  if (limit === undefined) return undefined;
  if (limit.state === "slowed") return t("clients.slowed");
  const line = rateLine(limit.down, limit.up, t, format);
  if (line === undefined || limit.schedule === undefined) return line;
  return `${line}, ${t("clients.scheduled")}`;
}

function rateLine(down: string | undefined, up: string | undefined, t: Translate, format: Format): string | undefined {
  const shown = (rate: string) => format.bitRate(rateBits(rate));
  if (down !== undefined && up !== undefined) return t("clients.limitedTo", { down: shown(down), up: shown(up) });
  if (down !== undefined) return t("clients.limitedDown", { down: shown(down) });
  return up === undefined ? undefined : t("clients.limitedUp", { up: shown(up) });
}

/** The order in which states are sorted: those who are there first. */
export const STATE_ORDER: Readonly<Record<ClientState, number>> = {
  connected: 0,
  away: 1,
  schedule: 2,
  quota: 3,
  paused: 4,
};
