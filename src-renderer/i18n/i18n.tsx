/** The texts of the owner's language, switched live by the setting. */
import { createContext, type ReactNode, useContext, useEffect, useMemo } from "react";
import {
  formatAgo,
  formatBitRate,
  formatBytes,
  formatDate,
  formatDateTime,
  formatDecimalBytes,
  formatDuration,
  formatIn,
  formatNumber,
  formatPercent,
  formatRate,
  formatTime,
} from "../../src-shared/text/format.ts";
import { type Language, pickLanguage } from "../../src-shared/text/language.ts";
import { createTranslator, type Translate } from "../../src-shared/text/translate.ts";
import { useSetting } from "../store/hooks.ts";

/** Numbers and times in one language; see src-shared/text/format.ts for units. */
export interface Format {
  bytes(bytes: number): string;
  /** In units of thousands, as quotas are given. */
  decimalBytes(bytes: number): string;
  /** Takes bytes per second, tells bits per second. */
  rate(bytesPerSecond: number): string;
  bitRate(bitsPerSecond: number): string;
  duration(ms: number): string;
  ago(iso: string, nowMs: number): string;
  /** For times to come. */
  in(iso: string, nowMs: number): string;
  dateTime(iso: string): string;
  date(iso: string): string;
  time(iso: string): string;
  number(value: number): string;
  percent(fraction: number): string;
}

export interface I18n {
  readonly language: Language;
  readonly t: Translate;
  readonly format: Format;
}

export function i18nOf(language: Language): I18n {
  return {
    language,
    t: createTranslator(language),
    format: {
      bytes: (bytes) => formatBytes(bytes, language),
      decimalBytes: (bytes) => formatDecimalBytes(bytes, language),
      rate: (rate) => formatRate(rate, language),
      bitRate: (rate) => formatBitRate(rate, language),
      duration: (ms) => formatDuration(ms, language),
      ago: (iso, nowMs) => formatAgo(iso, nowMs, language),
      in: (iso, nowMs) => formatIn(iso, nowMs, language),
      dateTime: (iso) => formatDateTime(iso, language),
      date: (iso) => formatDate(iso, language),
      time: (iso) => formatTime(iso, language),
      number: (value) => formatNumber(value, language),
      percent: (fraction) => formatPercent(fraction, language),
    },
  };
}

const I18nContext = createContext<I18n>(i18nOf("en"));

export function I18nProvider({ children }: { children: ReactNode }) {
  const setting = useSetting("language").value;
  const language = pickLanguage(setting, navigator.languages);
  const i18n = useMemo(() => i18nOf(language), [language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return <I18nContext value={i18n}>{children}</I18nContext>;
}

export function useI18n(): I18n {
  return useContext(I18nContext);
}
