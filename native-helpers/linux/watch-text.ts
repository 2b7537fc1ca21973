/** What the programs that watch the kernel print, and what of it matters here. Pure. */
import type { NetworkChange } from "../../src-shared/helper/protocol.ts";
import { CHAIN_PREFIX, JUMPS } from "./firewall-plan.ts";

type Kind = NetworkChange["kinds"][number];

const LABELS: ReadonlyMap<string, Kind> = new Map([
  ["LINK", "link"],
  ["ADDR", "address"],
  ["ROUTE", "route"],
  ["RULE", "rule"],
  ["NETCONF", "forwarding"],
]);

/** Of NETCONF, the one setting that matters; `mc_forwarding` and `rp_filter` are told of under the same label. */
const IP_MONITOR_LINE = /^\[(LINK|ADDR|ROUTE|RULE|NETCONF(?=\]inet6? .* forwarding (?:on|off)))\]/gm;

/**
 * Kinds of change in lines of `ip monitor label link address route rule netconf` (ip-monitor(8)). Lines that continue
 * another one, and labels of other objects, say nothing.
 */
export function kindsInIpMonitor(lines: string): Set<Kind> {
  const kinds = new Set<Kind>();
  for (const [, label = ""] of lines.matchAll(IP_MONITOR_LINE)) {
    const kind = LABELS.get(label);
    if (kind !== undefined) kinds.add(kind);
  }
  return kinds;
}

/**
 * A rule in a chain of ours, in any way; or one before, in place of, or taken out of a chain that jumps to ours.
 * One that is added there comes last and displaces nothing. nft(8) says when the kernel dropped events: then anything may
 * have happened.
 */
const OUR_RULES = new RegExp(
  [
    `^(?:add|insert|replace|delete) rule ip6? (?:${[...JUMPS.keys()].join("|")}) ${CHAIN_PREFIX}`,
    ...[...JUMPS].map(
      ([table, jumps]) => `^(?:insert|replace|delete) rule ip6? ${table} (?:${[...jumps.keys()].join("|")}) `,
    ),
    "^# ERROR: .*lost",
  ].join("|"),
  "m",
);

/** Whether lines of `nft monitor rules` may mean that our rules are not what they were. What others do in chains of their own never does. */
export function touchesOurRules(lines: string): boolean {
  return OUR_RULES.test(lines);
}
