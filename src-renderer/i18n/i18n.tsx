/** The texts of the owner's language, switched live by the setting. */
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
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
import type { Translate } from "../../src-shared/text/translator.ts";
import { usePanel, useSetting } from "../store/hooks.ts";
import { loadWords, type Words } from "./words.ts";

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

export interface I18n extends Words {
  readonly t: Translate;
  readonly format: Format;
}

export function formatOf(language: Language): Format {
  return {
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
  };
}

const I18nContext = createContext<I18n | undefined>(undefined);

/**
 * A node on the same computer has told its settings within milliseconds. One that is silent for longer is spoken of in
 * the browser's language.
 */
const SETTINGS_WITHIN_MS = 700;

/** A node that is just being restarted cannot hand out its files. */
const RETRY_MS = 2_000;

/** Draws nothing until the words of the language are there; while another language is fetched, the former one stays. */
export function I18nProvider({ children }: { children: ReactNode }) {
  const language = useLanguage();
  const [i18n, setI18n] = useState<I18n>();
  const [failures, setFailures] = useState(0);
  useEffect(() => {
    if (language === undefined) return;
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    function take(words: Words) {
      if (!wanted) return;
      document.documentElement.lang = words.language;
      setI18n({ ...words, format: formatOf(words.language) });
    }
    function tryLater() {
      if (wanted) timer = setTimeout(() => setFailures(failures + 1), RETRY_MS);
    }
    loadWords(language).then(take, tryLater);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [language, failures]);
  return i18n === undefined ? null : <I18nContext value={i18n}>{children}</I18nContext>;
}

/** Undefined until the owner's choice is known, so that no other language is shown first. */
function useLanguage(): Language | undefined {
  const setting = useSetting("language").value;
  const told = usePanel(({ settings, connection }) => settings !== undefined || connection === "lost");
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setWaited(true), SETTINGS_WITHIN_MS);
    return () => clearTimeout(timer);
  }, []);
  return told || waited ? pickLanguage(setting, navigator.languages) : undefined;
}

export function useI18n(): I18n {
  const i18n = useContext(I18nContext);
  if (i18n === undefined) throw new TypeError("no I18nProvider above this component");
  return i18n;
}
