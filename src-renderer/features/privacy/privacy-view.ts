/** What is recorded and what is stored, as a person asks for it. Pure. */
import {
  type Deletion,
  MAX_RETENTION_DAYS,
  type PrivacyState,
  type Stored,
  type StoredKind,
} from "../../../src-shared/model/privacy.ts";

/** What may be recorded, in the order of the screen. */
export const RECORDED = ["logMetadata", "logDNS", "logTraffic"] as const;

export type Recorded = (typeof RECORDED)[number];

export interface PrivacyAnswer {
  /** Under `privacy.answer`. */
  readonly key: "nothing" | "paused" | "recording" | "waiting" | "broken";
  readonly tone: "off" | "busy" | "good" | "info" | "attention";
  readonly what: readonly Recorded[];
}

/** `sharing`: whether there is anything to record at all. */
export function privacyAnswer(state: PrivacyState, paused: boolean, sharing: boolean): PrivacyAnswer {
  const what = RECORDED.filter((key) => state.settings[key]);
  if (what.length === 0) return { key: "nothing", tone: "good", what };
  if (paused) return { key: "paused", tone: "off", what };
  if (state.connectionLog.state === "unavailable") return { key: "broken", tone: "attention", what };
  return sharing ? { key: "recording", tone: "info", what } : { key: "waiting", tone: "off", what };
}

/** Kinds that deleting removes, and the daily totals that stay. */
export const STORED_KINDS = ["connections", "dns", "traffic", "usageDays"] as const;
export const LOG_KINDS = ["connections", "dns", "traffic"] as const;

export interface StoredRow extends StoredKind {
  readonly kind: (typeof STORED_KINDS)[number];
}

export function storedRows(stored: Stored): StoredRow[] {
  return STORED_KINDS.map((kind) => ({ kind, ...stored[kind] }));
}

/** Records of the logs together, which is what deleting removes. */
export function recordCount(stored: Stored): number {
  return LOG_KINDS.reduce((sum, kind) => sum + stored[kind].count, 0);
}

/** How many records a deletion took. */
export function deletedCount({ before, after }: Deletion): number {
  return Math.max(0, recordCount(before) - recordCount(after));
}

/** Whole days within the bounds of the setting; undefined for anything else. */
export function parseRetention(text: string): number | undefined {
  if (!/^[0-9]{1,4}$/.test(text.trim())) return undefined;
  const days = Number(text);
  return days >= 1 && days <= MAX_RETENTION_DAYS ? days : undefined;
}
