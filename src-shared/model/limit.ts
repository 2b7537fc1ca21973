/** How much a guest may use: rates, quota, schedule. What the owner writes is read here, strictly, with a code for each mistake. */
import { z } from "zod";
import {
  burstBytesSchema,
  MAX_RATE_BITS_PER_SECOND,
  MIN_RATE_BITS_PER_SECOND,
  prioritySchema,
} from "../limits-spec.ts";
import { describeZodError, fail, ok, type Result } from "../result.ts";

const RATE_UNITS = { kbit: 1e3, mbit: 1e6, gbit: 1e9 } as const;
type RateUnit = keyof typeof RATE_UNITS;

const RATE_HINT = "Write it as tc does, in bits per second: 256kbit, 10mbit or 1gbit.";

/** `10mbit` → bits per second. As tc(8) writes rates, its units of bits only. Error: `rate-invalid`. */
export function parseRate(text: string): Result<number> {
  const shown = JSON.stringify(text.slice(0, 32));
  const [, digits = "", unit = ""] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(kbit|mbit|gbit)$/i.exec(text) ?? [];
  const factor = RATE_UNITS[unit.toLowerCase() as RateUnit];
  if (factor === undefined) return fail("rate-invalid", `${shown} is not a rate.`, RATE_HINT);
  const bitsPerSecond = Math.round(Number(digits) * factor);
  if (bitsPerSecond < MIN_RATE_BITS_PER_SECOND || bitsPerSecond > MAX_RATE_BITS_PER_SECOND) {
    return fail(
      "rate-invalid",
      `${shown} is out of range: a limit is from ${formatRate(MIN_RATE_BITS_PER_SECOND)} to ${formatRate(MAX_RATE_BITS_PER_SECOND)}.`,
      "Clear the limit to let the guest use the whole connection.",
    );
  }
  return ok(bitsPerSecond);
}

/** Bits per second → the shortest form that `parseRate` reads back: `2500kbit`, `10mbit`. */
export function formatRate(bitsPerSecond: number): string {
  for (const unit of ["gbit", "mbit"] as const) {
    if (bitsPerSecond >= RATE_UNITS[unit] && bitsPerSecond % RATE_UNITS[unit] === 0) {
      return `${bitsPerSecond / RATE_UNITS[unit]}${unit}`;
    }
  }
  return `${Math.round(bitsPerSecond) / 1e3}kbit`;
}

/** Bits per second of a rate that has passed `rateSchema`. */
export function rateBits(rate: string): number {
  const parsed = parseRate(rate);
  return parsed.ok ? parsed.value : MAX_RATE_BITS_PER_SECOND;
}

/** A rate as text in the form `formatRate` gives it. */
export const rateSchema = z
  .string()
  .max(64)
  .transform((text, context) => {
    const parsed = parseRate(text);
    if (parsed.ok) return formatRate(parsed.value);
    context.addIssue({ code: "custom", message: `${parsed.error.message} ${RATE_HINT}` });
    return z.NEVER;
  });

const SIZE_UNITS: Readonly<Record<string, number>> = {
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** A quota of a petabyte is none, and its bytes are still exact numbers. */
const MAX_QUOTA_BYTES = 1e15;
/** Usage is looked at every few hundred milliseconds near the end: a smaller quota would be overshot by more than itself. */
const MIN_QUOTA_BYTES = 1e6;

/** `50GB` → bytes. Decimal units and binary ones (IEC 80000-13). Error: `quota-invalid`. */
export function parseSize(text: string): Result<number> {
  const [, digits = "", unit = ""] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)([kmgt]i?b)$/i.exec(text) ?? [];
  const factor = SIZE_UNITS[unit.toLowerCase()];
  const bytes = factor === undefined ? Number.NaN : Math.round(Number(digits) * factor);
  if (bytes >= MIN_QUOTA_BYTES && bytes <= MAX_QUOTA_BYTES) return ok(bytes);
  return fail(
    "quota-invalid",
    `${JSON.stringify(text.slice(0, 32))} is not an amount of data from 1MB to 1000TB.`,
    "Write it as 500MB, 50GB or 1TB.",
  );
}

export const weekDaySchema = z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
export type WeekDay = z.infer<typeof weekDaySchema>;
export const WEEK_DAYS: readonly WeekDay[] = weekDaySchema.options;

/** Minutes since midnight of `HH:MM`, where 24:00 ends a day; undefined where it is none. */
export function minutesOf(text: string): number | undefined {
  const [, hours = "", minutes = ""] = /^([01][0-9]|2[0-4]):([0-5][0-9])$/.exec(text) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return hours === "" || total > 1440 ? undefined : total;
}

const clockTimeSchema = z.string().refine((text) => minutesOf(text) !== undefined, "must be a time such as 18:30");

const windowSchema = z.strictObject({
  days: z.array(weekDaySchema).min(1).max(7),
  from: clockTimeSchema,
  /** 24:00 is the end of the day; what goes on after midnight is a window of the next day. */
  to: clockTimeSchema,
});
export type ScheduleWindow = z.infer<typeof windowSchema>;

export const timeZoneSchema = z.string().max(64).refine(isTimeZone, "is not a time zone such as Europe/Berlin");

/** Times are the local ones of the zone, whatever daylight saving does to it. */
export const scheduleSchema = z
  .strictObject({
    timeZone: timeZoneSchema,
    windows: z.array(windowSchema).min(1).max(28),
    /** What holds at other times: no limit at all, or no access. */
    outside: z.enum(["unlimited", "pause"]).default("unlimited"),
  })
  .superRefine(({ windows }, context) => {
    const problem = windowProblem(windows);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
export type Schedule = z.infer<typeof scheduleSchema>;

export const quotaSchema = z.strictObject({
  /** Both directions together, per month. */
  bytes: z.int().min(MIN_QUOTA_BYTES).max(MAX_QUOTA_BYTES),
  /** What happens at its end: no access, or a rate each way. */
  action: z.union([z.literal("pause"), z.strictObject({ slow: rateSchema })]),
  /** The month begins on this day at midnight; in a shorter month on its last day. */
  resetDay: z.int().min(1).max(31),
  timeZone: timeZoneSchema,
});
export type Quota = z.infer<typeof quotaSchema>;

export const clientLimitSchema = z.strictObject({
  /** To the client. */
  down: rateSchema.optional(),
  /** From the client. */
  up: rateSchema.optional(),
  /** 10 goes first where all guests together have less than they ask for. */
  priority: prioritySchema.optional(),
  burstBytes: burstBytesSchema.optional(),
  /** When the rates hold; always where there is none. */
  schedule: scheduleSchema.optional(),
  quota: quotaSchema.optional(),
});
export type ClientLimit = z.infer<typeof clientLimitSchema>;

/** What holds at this moment. */
export const limitStateSchema = z.enum(["unlimited", "limited", "slowed", "paused-by-quota", "paused-by-schedule"]);
export type LimitState = z.infer<typeof limitStateSchema>;

/** As an owner sees it. */
export const shownLimitSchema = z.object({
  down: z.string().optional(),
  up: z.string().optional(),
  priority: z.number().int().optional(),
  burstBytes: z.number().int().optional(),
  schedule: scheduleSchema.optional(),
  state: limitStateSchema,
});
export type ShownLimit = z.infer<typeof shownLimitSchema>;

export const shownQuotaSchema = z.object({
  bytes: z.number().int(),
  usedBytes: z.number().int().nonnegative(),
  action: quotaSchema.shape.action,
  resetDay: z.number().int(),
  timeZone: z.string(),
  /** First day of the present month of this quota, `2026-11-15`. */
  since: z.string(),
  exhausted: z.boolean(),
});
export type ShownQuota = z.infer<typeof shownQuotaSchema>;

/** Fields that are given replace the present ones, null removes them. Rates are read by `parseLimitChanges`. */
export const limitChangesSchema = z.strictObject({
  down: z.string().max(256).nullable().optional(),
  up: z.string().max(256).nullable().optional(),
  priority: z.number().nullable().optional(),
  burstBytes: z.number().nullable().optional(),
  schedule: z.unknown().optional(),
  quota: z.unknown().optional(),
});
export type LimitChanges = z.input<typeof limitChangesSchema>;

/**
 * What `present` becomes. Errors: `rate-invalid`, `priority-invalid`, `burst-invalid`, `schedule-invalid`,
 * `quota-invalid`; the first mistake is told and nothing of the rest is taken.
 */
export function changeLimit(present: ClientLimit, changes: LimitChanges): Result<ClientLimit> {
  const changed: Record<string, unknown> = { ...present };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) continue;
    if (value === null) delete changed[key];
    else if (key === "down" || key === "up") {
      const rate = parseRate(String(value));
      if (!rate.ok) return rate;
      changed[key] = formatRate(rate.value);
    } else changed[key] = value;
  }
  const parsed = clientLimitSchema.safeParse(changed);
  if (parsed.success) return ok(parsed.data);
  const field = String(parsed.error.issues[0]?.path[0] ?? "");
  const code = CODES[field] ?? "limit-invalid";
  return fail(code, `The limit was not changed: ${describeZodError(parsed.error)}.`);
}

const CODES: Readonly<Record<string, string>> = {
  down: "rate-invalid",
  up: "rate-invalid",
  priority: "priority-invalid",
  burstBytes: "burst-invalid",
  schedule: "schedule-invalid",
  quota: "quota-invalid",
};

export const limitListItemSchema = z.object({
  id: z.string(),
  name: z.string(),
  limit: shownLimitSchema.optional(),
  quota: shownQuotaSchema.optional(),
});
export type LimitListItem = z.infer<typeof limitListItemSchema>;

/** One direction of `limit test`. `idle`: the client asked for less than its limit, so nothing can be said. */
const testedDirectionSchema = z.object({
  limit: z.string(),
  measured: z.string(),
  measuredBitsPerSecond: z.number().nonnegative(),
  verdict: z.enum(["holds", "off", "idle"]),
});
export const limitTestSchema = z.object({
  name: z.string(),
  seconds: z.number(),
  down: testedDirectionSchema.nullable(),
  up: testedDirectionSchema.nullable(),
});
export type LimitTest = z.infer<typeof limitTestSchema>;
export type TestedDirection = z.infer<typeof testedDirectionSchema>;

/** `100mbit/20mbit`, down/up, as one value of a setting; `-` where a direction has none. */
export const ratePairSchema = z
  .union([z.string().max(130), z.strictObject({ down: rateSchema.nullable(), up: rateSchema.nullable() })])
  .transform((value) => {
    if (typeof value !== "string") return value;
    const [down = "", up = "", ...more] = value.split("/");
    return { down: down === "-" ? null : down, up: up === "-" ? null : more.length > 0 ? "" : up };
  })
  .pipe(z.strictObject({ down: rateSchema.nullable(), up: rateSchema.nullable() }));

/** The owner's settings that concern all guests together. */
export const limitFields = {
  /** What all guests together may use, as down/up: `100mbit/20mbit`, `-/20mbit`. */
  totalRate: ratePairSchema.nullable().default(null),
  /** What the internet connection can do, as its owner entered or measured it. */
  uplinkRate: ratePairSchema.nullable().default(null),
  /** Guests together stay below `uplinkRate`, so that the household always has a part of it. */
  householdFirst: z.boolean().default(false),
};

function windowProblem(windows: readonly ScheduleWindow[]): string | undefined {
  const taken = new Map<WeekDay, { from: number; to: number }[]>();
  for (const { days, from, to } of windows) {
    const start = minutesOf(from) ?? 0;
    const end = minutesOf(to) ?? 0;
    if (end <= start) return `the window ${from}-${to} ends before it begins`;
    for (const day of days) {
      const others = taken.get(day) ?? [];
      if (others.some((other) => start < other.to && other.from < end)) {
        return `the window ${day} ${from}-${to} overlaps another`;
      }
      taken.set(day, [...others, { from: start, to: end }]);
    }
  }
  return undefined;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
