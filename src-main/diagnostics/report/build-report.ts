/**
 * The bundle for a bug report: collected, redacted, and written twice, for programs and for people. Whatever says who
 * somebody is goes through the redactor that the log has, and names of people, of this computer and of its folders go first.
 */
import type { Report } from "../../../src-shared/model/diagnosis.ts";
import { Redactor } from "../../logs/redact.ts";
import { splitWords } from "../trace/rule-match.ts";
import { foreignChains, ownRules, type ReportParts } from "./report-parts.ts";
import { reportText } from "./report-text.ts";

/** Names that are not to be found in a report. */
export interface PrivateNames {
  /** Of clients, in the order in which they were added: `client-1`, `client-2`, … */
  clients: readonly string[];
  /** This computer's own. */
  host: string;
  /** The account that the node runs as. */
  user: string;
  home: string;
  dataDir: string;
}

/** Settings that say nothing about anybody are shown; all others only whether they were changed. */
const HIDDEN_SETTINGS = [
  "publicEndpoint",
  "relayServers",
  "relayCaFile",
  "egressTargets",
  "allowedDestinations",
] as const;

/** A name shorter than this would be found inside of ordinary words. */
const LEAST_NAME_CHARACTERS = 2;

/** Accounts that every system has. */
const ANYBODY: ReadonlySet<string> = new Set(["root", "nobody"]);

/** Names of adapters that are plugged in have their MAC address in them (systemd.net-naming-scheme(7)). */
const MAC_IN_NAME = /\b((?:en|wl|ww|sl|ib)x)([0-9a-f]{12})\b/gi;

/** 32 bytes as relays write them: by that name a node is found there. */
const IDENTITY = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_=-])/g;

/** The report as JSON and as text, both redacted by one redactor, so that a placeholder means the same in both. */
export function buildReport(parts: ReportParts, names: PrivateNames): Report {
  const redact = redactorFor(parts, names);
  const { machine, state } = parts;
  const facts = machine.ok ? machine.value : undefined;
  const content = {
    createdAt: parts.createdAt,
    note: "The same address, key or name has the same placeholder everywhere but in the log, which has placeholders of its own.",
    versions: redact.value(parts.versions),
    capabilities: facts === undefined ? notRead(parts) : redact.value(facts.capabilities),
    state: state === null ? "no node is running" : redact.value(state),
    settings: redact.value(shownSettings(parts.settings)),
    clients: parts.clients.map((client, index) => ({ name: `client-${index + 1}`, ...client })),
    spec: parts.spec === null ? "nothing is applied" : redact.value(withPrefixes(parts.spec)),
    observation: facts === undefined ? notRead(parts) : redact.value(withPrefixes(facts.observation)),
    ownRules: redact.lines(ownRules(facts?.firewall)),
    foreignChains: redact.lines(foreignChains(facts?.firewall)),
    healthHistory: parts.history === null ? "no node is running" : redact.value(parts.history.events),
    diagnosis: redact.value(withoutForeignRules(parts)),
    log: redact.lines(parts.log),
  };
  return { createdAt: parts.createdAt, json: `${JSON.stringify(content, null, 2)}\n`, text: reportText(content) };
}

function notRead({ machine }: ReportParts): string {
  return machine.ok ? "" : `not read: ${machine.error.code}`;
}

/** Where a value is left out it is said whether there is one, or how many: that much is needed to understand the rest. */
function shownSettings(settings: ReportParts["settings"]): Record<string, unknown> {
  const hidden = HIDDEN_SETTINGS.map((key) => {
    const value = settings[key];
    return [key, Array.isArray(value) ? value.length : value !== "auto" && value !== ""] as const;
  });
  return { ...settings, ...Object.fromEntries(hidden) };
}

interface ReportRedactor {
  value(input: unknown): unknown;
  lines(lines: readonly string[]): string[];
}

function redactorFor(parts: ReportParts, names: PrivateNames): ReportRedactor {
  const redactor = new Redactor();
  // The redactor takes names of machines out of every text once it has seen them in a field that says so.
  const { relayServers, publicEndpoint, egressTargets, relayCaFile } = parts.settings;
  const relay = parts.state?.relay;
  redactor.value({
    servers: [...relayServers, ...(relay !== undefined && "url" in relay ? [relay.url] : [])],
    endpoint: publicEndpoint === "auto" ? undefined : publicEndpoint,
    endpoints: egressTargets,
    // Where relays have guests send to.
    state: parts.state,
  });
  const replacements = replacementsFor(names, relayCaFile);
  const macs = new Map<string, string>();
  const withoutMac = (text: string) =>
    text.replace(MAC_IN_NAME, (_, kind: string, digits: string) => {
      const mac = digits.toLowerCase();
      const known = macs.get(mac) ?? `MAC${macs.size + 1}`;
      macs.set(mac, known);
      return `${kind}${known}`;
    });
  const withoutNames = (text: string) =>
    replacements.reduce(
      (left, [pattern, to]) => left.replace(pattern, to),
      withoutMac(text).replace(IDENTITY, "NODE_ID"),
    );
  return {
    value: (input) => redactor.value(mapStrings(input, withoutNames, withoutMac)),
    lines: (lines) => lines.map((line) => redactor.text(insideJson(line, withoutNames))),
  };
}

/** In the text of JSON a name has escapes in it, and the letters of escapes before it. */
function insideJson(line: string, map: (text: string) => string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return map(line);
  }
  return JSON.stringify(mapStrings(parsed, map, (key) => key));
}

function replacementsFor({ clients, host, user, home, dataDir }: PrivateNames, caFile: string): [RegExp, string][] {
  // Both the whole name of a computer and the part before its domain.
  const hosts = [...new Set([host, host.split(".")[0] ?? ""])].map((name) => ({ name, to: "THIS_COMPUTER" }));
  const named = clients
    .map((name, index) => ({ name, to: `client-${index + 1}` }))
    .concat(hosts, ANYBODY.has(user) ? [] : [{ name: user, to: "THIS_USER" }])
    .filter(({ name }) => [...name].length >= LEAST_NAME_CHARACTERS)
    // A name that contains another one goes first.
    .sort((a, b) => b.name.length - a.name.length)
    .map(({ name, to }): [RegExp, string] => [
      new RegExp(`(?<![\\p{L}\\p{N}])${literally(name)}(?![\\p{L}\\p{N}])`, "giu"),
      to,
    ]);
  const folders = [
    [caFile, "RELAY_CA_FILE"],
    [dataDir, "DATA_DIR"],
    [home, "HOME"],
  ] as const;
  return [
    ...folders.flatMap(([path, to]): [RegExp, string][] =>
      path.length > 1 ? [[new RegExp(`${literally(path)}(?![\\w-])`, "g"), to]] : [],
    ),
    ...named,
  ];
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Networks of routes and rules under names that do not say `destination`: under that one the redactor expects what guests
 * speak to, and leaves not even the length of a prefix.
 */
function withPrefixes(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(withPrefixes);
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [PREFIX_FIELDS.get(key) ?? key, withPrefixes(value)]),
  );
}

const PREFIX_FIELDS: ReadonlyMap<string, string> = new Map([
  ["destination", "prefix"],
  ["blockedDestinations", "blockedPrefixes"],
  ["allowedDestinations", "allowedPrefixes"],
]);

/** The diagnosis without what rules of others say: whom they name is nobody's business; where they stand and lead to is. */
function withoutForeignRules({ machine, diagnosis }: ReportParts): ReportParts["diagnosis"] {
  const obstacles = machine.ok ? machine.value.inspection.obstacles : [];
  const shown = obstacles.map(({ rule }) => [rule, shortened(rule)] as const);
  const without = (text: string) => shown.reduce((left, [rule, short]) => left.replaceAll(rule, short), text);
  return { ...diagnosis, checks: diagnosis.checks.map((check) => ({ ...check, detail: without(check.detail) })) };
}

/** `filter FORWARD: -s 192.0.2.1/32 -m comment --comment "…" -j DROP` → `filter FORWARD: … -j DROP` */
function shortened(rule: string): string {
  if (rule.startsWith("nftables ")) return rule;
  const words = splitWords(rule);
  const jump = words.findIndex((word) => word === "-j" || word === "-g");
  return [`${rule.split(":")[0]}: …`, ...(jump === -1 ? [] : words.slice(jump, jump + 2))].join(" ");
}

/** Field names are ours and stay, as do names of interfaces that stand in their place, but for what is in those. */
function mapStrings(input: unknown, map: (text: string) => string, mapKey: (key: string) => string): unknown {
  if (typeof input === "string") return map(input);
  if (Array.isArray(input)) return input.map((item) => mapStrings(item, map, mapKey));
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [mapKey(key), mapStrings(value, map, mapKey)]));
}
