/**
 * Structured logs: one JSON document per line on stderr. Redaction is here and not at the call sites:
 * addresses become their network, 32-byte keys their first characters, whatever field or text they are in.
 */
import { isIP } from "node:net";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g;
const IPV6 = /(?<![\w:.])(?:::ffff:)?[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])/g;
const KEY = /[A-Za-z0-9+/_-]{43,}={0,2}/g;
/** Longest text of one field, so that no peer can fill a disk with one message. */
const MAX_FIELD_CHARACTERS = 512;

/** @param nowMs wall clock, milliseconds since the epoch */
export function createLog(level: LogLevel, write: (line: string) => void, nowMs: () => number): Log {
  const emit = (lineLevel: LogLevel, event: string, fields: LogFields = {}) => {
    if (ORDER[lineLevel] < ORDER[level]) return;
    const line: Record<string, unknown> = { time: new Date(nowMs()).toISOString(), level: lineLevel, event };
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined) line[key] = typeof value === "string" ? redact(value) : value;
    }
    write(`${JSON.stringify(line)}\n`);
  };
  return {
    debug: (event, fields) => emit("debug", event, fields),
    info: (event, fields) => emit("info", event, fields),
    warn: (event, fields) => emit("warn", event, fields),
    error: (event, fields) => emit("error", event, fields),
  };
}

/** Cut to its greatest length, without whole addresses and keys. An IPv4 address keeps its first half, a key its beginning. */
export function redact(text: string): string {
  return text
    .slice(0, MAX_FIELD_CHARACTERS)
    .replace(KEY, (key) => `${key.slice(0, 8)}…`)
    .replace(IPV6, (address) => (isIP(address) === 6 ? "[ipv6]" : address))
    .replace(IPV4, (address) => (isIP(address) === 4 ? `${address.split(".").slice(0, 2).join(".")}.x.x` : address));
}
