/**
 * iptables rules as text in the form of iptables-save(8), and the comparison of two of them.
 */

import { formatPrefix, parsePrefix } from "../../src-shared/net/address.ts";

/** table → chain → rules without their leading `-A CHAIN`. */
export type Rules = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export interface SavedChain {
  /** ACCEPT or DROP for a built-in chain, `-` for a user-defined one. */
  policy: string;
  rules: string[];
}

export type SavedTables = Map<string, Map<string, SavedChain>>;

/** Parses the output of `iptables-save` without counters. Lines it does not know are left out. */
export function parseSave(text: string): SavedTables {
  const tables: SavedTables = new Map();
  let chains = new Map<string, SavedChain>();
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      chains = new Map();
      tables.set(line.slice(1).trim(), chains);
    } else if (line.startsWith(":")) {
      const [name = "", policy = "-"] = line.slice(1).split(" ");
      chains.set(name, { policy, rules: [] });
    } else if (line.startsWith("-A ")) {
      const end = line.indexOf(" ", 3);
      const name = end === -1 ? line.slice(3) : line.slice(3, end);
      chains.get(name)?.rules.push(end === -1 ? "" : line.slice(end + 1).trim());
    }
  }
  return tables;
}

/**
 * The same rule is printed differently by different versions of iptables: `-m tcp` is implied by
 * `-p tcp`, options come in another order, lists of states are sorted otherwise. Options are kept
 * together with their values and negation, and sorted.
 */
export function normaliseRule(rule: string): string {
  const options: string[] = [];
  for (const word of splitWords(rule).map(canonicalAddress)) {
    const last = options.at(-1);
    const startsOption = word === "!" || (word.startsWith("-") && last !== "!");
    if (startsOption || last === undefined) options.push(word);
    else options[options.length - 1] = `${last} ${word}`;
  }
  return options
    .filter((option) => !/^-m (tcp|udp|icmp|icmp6|ipv6-icmp)$/.test(option))
    .map((option) =>
      option.replace(/--ctstate ([A-Z,]+)$/, (_, states: string) => `--ctstate ${states.split(",").sort().join(",")}`),
    )
    .sort()
    .join(" ");
}

/** iptables prints `::ffff:0:0/96` as `::ffff:0.0.0.0/96`. */
function canonicalAddress(word: string): string {
  const prefix = word.includes(":") ? parsePrefix(word) : undefined;
  return prefix === undefined ? word : formatPrefix(prefix);
}

/** Target chain of a jump, if the rule is one. What stands in quotes is a comment or a log prefix, never a target. */
export function jumpTarget(rule: string): string | undefined {
  return /(?:^| )-(?:j|g) (\S+)/.exec(rule.replaceAll(QUOTED, '""'))?.[1];
}

const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** Words as iptables-save quotes them: double quotes, backslash inside. */
function splitWords(rule: string): string[] {
  return [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}
