/** The limit editor's form: from a client to what the fields show, and from the fields to what is asked of the node. */
import type { Client } from "../../../../src-shared/model/client.ts";
import {
  changeLimit,
  type LimitChanges,
  parseSize,
  quotaSchema,
  rateBits,
  scheduleSchema,
} from "../../../../src-shared/model/limit.ts";
import { mbitText, rateOf } from "../../../components/mbit-text.ts";
import { EMPTY_WEEK, type Week, weekOf, windowsOf } from "./schedule-cells.ts";

export interface LimitForm {
  /** Mbit/s as written; empty for no limit. */
  readonly down: string;
  readonly up: string;
  /** 1 to 10; empty for the usual one. */
  readonly priority: string;
  readonly hasQuota: boolean;
  /** GB as written. */
  readonly amount: string;
  readonly atEnd: "pause" | "slow";
  readonly slowTo: string;
  readonly resetDay: string;
  readonly hasSchedule: boolean;
  readonly week: Week;
  readonly outside: "unlimited" | "pause";
}

export type LimitField = "down" | "up" | "amount" | "slowTo" | "resetDay" | "week";
/** Ends of `clients.limit.error.…`. */
export type LimitMistake = "rate" | "amount" | "day" | "empty" | "many";
export type LimitMistakes = Readonly<Partial<Record<LimitField, LimitMistake>>>;

const MBIT = 1e6;
const GIGABYTE = 1e9;

export function formOf({ limit, quota }: Pick<Client, "limit" | "quota">): LimitForm {
  return {
    down: mbitText(limit?.down),
    up: mbitText(limit?.up),
    priority: limit?.priority === undefined ? "" : String(limit.priority),
    hasQuota: quota !== undefined,
    amount: quota === undefined ? "50" : String(quota.bytes / GIGABYTE),
    atEnd: quota === undefined || quota.action === "pause" ? "pause" : "slow",
    slowTo: quota === undefined || quota.action === "pause" ? "1" : mbitText(quota.action.slow),
    resetDay: String(quota?.resetDay ?? 1),
    hasSchedule: limit?.schedule !== undefined,
    week: limit?.schedule === undefined ? EMPTY_WEEK : weekOf(limit.schedule.windows),
    outside: limit?.schedule?.outside ?? "unlimited",
  };
}

/** What the form changes of the client's limits, or which fields are wrong. Fields that nobody touched are not sent. */
export function changesOf(
  form: LimitForm,
  client: Pick<Client, "limit" | "quota">,
  timeZone: string,
): { readonly changes: LimitChanges } | { readonly mistakes: LimitMistakes } {
  const before = formOf(client);
  const mistakes: Partial<Record<LimitField, LimitMistake>> = {};
  const changes: LimitChanges = {};
  for (const field of ["down", "up"] as const) {
    if (form[field] === before[field]) continue;
    const rate = rateOf(form[field]);
    if (rate === undefined) mistakes[field] = "rate";
    else changes[field] = rate;
  }
  if (form.priority !== before.priority) changes.priority = form.priority === "" ? null : Number(form.priority);
  if (quotaOf(form) !== quotaOf(before))
    changes.quota = quotaChange(form, client.quota?.timeZone ?? timeZone, mistakes);
  if (scheduleOf(form) !== scheduleOf(before)) {
    changes.schedule = scheduleChange(form, client.limit?.schedule?.timeZone ?? timeZone, mistakes);
  }
  if (Object.keys(mistakes).length > 0) return { mistakes };
  // The node reads it with the same schemas: what it would refuse is told here.
  const checked = changeLimit({}, changes);
  if (checked.ok) return { changes };
  return { mistakes: checked.error.code === "schedule-invalid" ? { week: "many" } : { down: "rate" } };
}

/** Mbit/s as written → Mbit/s; undefined where it is empty or no speed. */
export function mbitOf(text: string): number | undefined {
  const rate = rateOf(text);
  return rate === null || rate === undefined ? undefined : rateBits(rate) / MBIT;
}

function quotaOf({ hasQuota, amount, atEnd, slowTo, resetDay }: LimitForm): string {
  return hasQuota ? [amount, resetDay, atEnd, atEnd === "slow" ? slowTo : ""].join(" ") : "";
}

function quotaChange(form: LimitForm, timeZone: string, mistakes: Partial<Record<LimitField, LimitMistake>>) {
  if (!form.hasQuota) return null;
  const amount = parseSize(`${form.amount.trim().replace(",", ".")}GB`);
  if (!amount.ok) mistakes.amount = "amount";
  const slow = form.atEnd === "slow" ? rateOf(form.slowTo) : null;
  if (form.atEnd === "slow" && (slow === null || slow === undefined)) mistakes.slowTo = "rate";
  const day = quotaSchema.shape.resetDay.safeParse(Number(form.resetDay.trim() || "0"));
  if (!day.success) mistakes.resetDay = "day";
  return {
    bytes: amount.ok ? amount.value : 0,
    action: slow === null || slow === undefined ? ("pause" as const) : { slow },
    resetDay: day.data ?? 1,
    timeZone,
  };
}

function scheduleOf({ hasSchedule, week, outside }: LimitForm): string {
  return hasSchedule ? JSON.stringify([week, outside]) : "";
}

function scheduleChange(form: LimitForm, timeZone: string, mistakes: Partial<Record<LimitField, LimitMistake>>) {
  if (!form.hasSchedule) return null;
  const windows = windowsOf(form.week);
  if (windows.length === 0) mistakes.week = "empty";
  else if (!scheduleSchema.safeParse({ timeZone, windows, outside: form.outside }).success) mistakes.week = "many";
  return { timeZone, windows, outside: form.outside };
}
