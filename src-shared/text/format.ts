/**
 * Numbers and times as people of a language read them. Sizes are binary (IEC 80000-13), as WireGuard's own tools
 * print them; rates are decimal bits per second, as providers sell them.
 */
import { units as english } from "./catalogue/en/units.ts";
import { units as russian } from "./catalogue/ru/units.ts";
import type { Language } from "./language.ts";

const UNITS = { en: english, ru: russian } as const;
const SIZE_UNITS = ["b", "kib", "mib", "gib", "tib", "pib"] as const;
const DECIMAL_UNITS = ["b", "kb", "mb", "gb", "tb"] as const;
const RATE_UNITS = ["bit", "kbit", "mbit", "gbit"] as const;

/** A number and its unit must not be torn apart at the end of a line. */
const NO_BREAK = "\u00a0";

/** `1536` → `1.5 KiB`; three significant digits at most below 100. */
export function formatBytes(bytes: number, language: Language = "en"): string {
  return scaled(bytes, 1024, SIZE_UNITS, UNITS[language].size, language);
}

/** `50e9` → `50.0 GB`: an amount that was given in decimal units, such as a quota. */
export function formatDecimalBytes(bytes: number, language: Language = "en"): string {
  return scaled(bytes, 1000, DECIMAL_UNITS, UNITS[language].decimal, language);
}

/** Bytes per second → `12.5 Mbit/s`. */
export function formatRate(bytesPerSecond: number, language: Language = "en"): string {
  return formatBitRate(bytesPerSecond * 8, language);
}

/** Bits per second → `12.5 Mbit/s`. */
export function formatBitRate(bitsPerSecond: number, language: Language = "en"): string {
  return scaled(bitsPerSecond, 1000, RATE_UNITS, UNITS[language].rate, language);
}

function scaled<U extends string>(
  amount: number,
  base: number,
  units: readonly U[],
  names: Readonly<Record<U, string>>,
  language: Language,
): string {
  let value = Math.max(0, amount);
  let at = 0;
  while (value >= base && at < units.length - 1) {
    value /= base;
    at++;
  }
  // 1023.96 KiB would read "1024 KiB".
  if (at > 0 && value >= base - 0.5 && at < units.length - 1) {
    value = 1;
    at++;
  }
  const digits = at === 0 || value >= 99.95 ? 0 : 1;
  const unit = units[at];
  return `${plainNumber(value, digits, language)}${SPACE[language]}${unit === undefined ? "" : names[unit]}`;
}

/** English texts are compared and copied in terminals, where a plain space is what people expect. */
const SPACE: Readonly<Record<Language, string>> = { en: " ", ru: NO_BREAK };

function plainNumber(value: number, digits: number, language: Language): string {
  const text = value.toFixed(digits);
  return language === "ru" ? text.replace(".", ",") : text;
}

const STEPS = [
  { seconds: 86_400, unit: "day" },
  { seconds: 3_600, unit: "hour" },
  { seconds: 60, unit: "minute" },
  { seconds: 1, unit: "second" },
] as const;

/** A duration in its largest whole unit: `2 hours`. Less than a second, or a clock set back, is `a moment`. */
export function formatDuration(ms: number, language: Language = "en"): string {
  const largest = largestUnit(ms);
  if (largest === undefined) return UNITS[language].moment;
  return numberFormat(language, { style: "unit", unit: largest.unit, unitDisplay: "long", useGrouping: false }).format(
    largest.count,
  );
}

/** Time since `iso` (RFC 3339), seen from `nowMs`: `2 hours ago`, `just now`. */
export function formatAgo(iso: string, nowMs: number, language: Language = "en"): string {
  const largest = largestUnit(nowMs - Date.parse(iso));
  if (largest === undefined) return UNITS[language].justNow;
  return relativeFormat(language).format(-largest.count, largest.unit);
}

/** Time until `iso`, seen from `nowMs`: `in 5 minutes`; what is due is `just now`. */
export function formatIn(iso: string, nowMs: number, language: Language = "en"): string {
  const largest = largestUnit(Date.parse(iso) - nowMs);
  if (largest === undefined) return UNITS[language].justNow;
  return relativeFormat(language).format(largest.count, largest.unit);
}

function largestUnit(ms: number): { count: number; unit: (typeof STEPS)[number]["unit"] } | undefined {
  const seconds = Math.floor(ms / 1000);
  for (const step of STEPS) {
    const count = Math.floor(seconds / step.seconds);
    if (count >= 1) return { count, unit: step.unit };
  }
  return undefined;
}

/** Date and time of day in the reader's time zone: `22 Nov 2026, 16:45:10`. */
export function formatDateTime(iso: string, language: Language = "en", timeZone?: string): string {
  return dateFormat(language, "medium", "medium", timeZone).format(Date.parse(iso));
}

/** The day alone: `22 Nov 2026`. */
export function formatDate(iso: string, language: Language = "en", timeZone?: string): string {
  return dateFormat(language, "medium", undefined, timeZone).format(Date.parse(iso));
}

/** The time of day alone: `16:45`. */
export function formatTime(iso: string, language: Language = "en", timeZone?: string): string {
  return dateFormat(language, undefined, "short", timeZone).format(Date.parse(iso));
}

/** `1234` → `1,234`, `1 234`. */
export function formatNumber(value: number, language: Language = "en"): string {
  return numberFormat(language, { maximumFractionDigits: 1 }).format(value);
}

/** `0.8` → `80%`, `80 %`. */
export function formatPercent(fraction: number, language: Language = "en"): string {
  return numberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(fraction);
}

/** An error message as a sentence: capital letter first, a full stop last. */
export function asSentence(message: string): string {
  const text = message.trim();
  if (text === "") return "";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

// 24-hour clock and day before month in both languages: the English is British.
const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", ru: "ru" };

const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();
const relatives = new Map<Language, Intl.RelativeTimeFormat>();

// Making a formatter costs a hundred times what using it does.
function numberFormat(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  const format = numbers.get(key) ?? new Intl.NumberFormat(LOCALES[language], options);
  numbers.set(key, format);
  return format;
}

function relativeFormat(language: Language): Intl.RelativeTimeFormat {
  const format = relatives.get(language) ?? new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "always" });
  relatives.set(language, format);
  return format;
}

function dateFormat(
  language: Language,
  dateStyle: "medium" | undefined,
  timeStyle: "medium" | "short" | undefined,
  timeZone: string | undefined,
): Intl.DateTimeFormat {
  const key = `${language} ${dateStyle} ${timeStyle} ${timeZone}`;
  const options: Intl.DateTimeFormatOptions = {
    ...(dateStyle === undefined ? {} : { dateStyle }),
    ...(timeStyle === undefined ? {} : { timeStyle }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
  const format = dates.get(key) ?? new Intl.DateTimeFormat(LOCALES[language], options);
  dates.set(key, format);
  return format;
}
