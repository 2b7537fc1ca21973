/**
 * The bundle for a bug report: collected, redacted, and written twice, for programs and for people. Whatever says who
 * somebody is goes through the redactor that the log has, and names of people, of this computer and of its folders go first.
 */
import type { Report } from "../../../src-shared/model/diagnosis.ts";
import { Redactor } from "../../logs/redact.ts";
import { foreignChains, ownRules, type ReportParts } from "./report-parts.ts";
import { reportText } from "./report-text.ts";

/** Names that are not to be found in a report. */
export interface PrivateNames {
  /** Of clients, in the order in which they were added: `client-1`, `client-2`, … */
  clients: readonly string[];
  /** This computer's own. */
  host: string;
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
    diagnosis: redact.value(parts.diagnosis),
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
  redactor.value({ servers: parts.settings.relayServers, endpoint: parts.settings.publicEndpoint });
  const replacements = replacementsFor(names);
  const withoutNames = (text: string) => replacements.reduce((left, [pattern, to]) => left.replace(pattern, to), text);
  return {
    value: (input) => redactor.value(mapStrings(input, withoutNames)),
    lines: (lines) => lines.map((line) => redactor.text(withoutNames(line))),
  };
}

function replacementsFor({ clients, host, home, dataDir }: PrivateNames): [RegExp, string][] {
  const named = clients
    .map((name, index) => ({ name, to: `client-${index + 1}` }))
    .filter(({ name }) => [...name].length >= LEAST_NAME_CHARACTERS)
    .concat(host.length < LEAST_NAME_CHARACTERS ? [] : [{ name: host, to: "THIS_COMPUTER" }])
    // A name that contains another one goes first.
    .sort((a, b) => b.name.length - a.name.length)
    .map(({ name, to }): [RegExp, string] => [
      new RegExp(`(?<![\\p{L}\\p{N}])${literally(name)}(?![\\p{L}\\p{N}])`, "giu"),
      to,
    ]);
  const folders = [
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

/** Field names stay: they are ours. What a name stands in as a key, such as an interface, is no person. */
function mapStrings(input: unknown, map: (text: string) => string): unknown {
  if (typeof input === "string") return map(input);
  if (Array.isArray(input)) return input.map((item) => mapStrings(item, map));
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, mapStrings(value, map)]));
}
