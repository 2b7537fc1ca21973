/**
 * What becomes of one packet on its way through this machine: the tables in the order in which the kernel asks them, the
 * route in between, and the tables of others that only nftables knows. Pure.
 */
import type { FirewallText, NftHook, RouteLookup } from "../../../src-shared/helper/diagnostics.ts";
import type { FirewallTrace, FirewallTraceStep } from "../../../src-shared/model/firewall-trace.ts";
import type { TracedPacket } from "./rule-match.ts";
import { ownerOfTable } from "./rule-owners.ts";
import { parseSavedTables, type SavedTables } from "./saved-tables.ts";
import { walkTable } from "./walk-rules.ts";

/** netfilter's order of the tables within one hook. */
const HOOKS = {
  before: { hook: "prerouting", chain: "PREROUTING", tables: ["raw", "mangle", "nat"] },
  through: { hook: "forward", chain: "FORWARD", tables: ["mangle", "filter", "security"] },
  in: { hook: "input", chain: "INPUT", tables: ["mangle", "filter", "security"] },
  after: { hook: "postrouting", chain: "POSTROUTING", tables: ["mangle", "nat"] },
} as const;

export interface PacketQuestion {
  readonly source: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly inInterface: string;
  readonly firewall: FirewallText;
  /** Where the kernel sends it, as asked for `to`. */
  readonly route: RouteLookup;
  /** Addresses of this machine. */
  readonly local: readonly string[];
}

export type TracedPath = Pick<FirewallTrace, "verdict" | "reason" | "fix" | "steps">;

/** A client's port; rules that look at it are rare. */
const EPHEMERAL_PORT = 50_000;

/** Leads the packet through the tables in the order in which the kernel asks them (Netfilter packet flow). Pure. */
export function tracePacket(question: PacketQuestion): TracedPath {
  const isIpv6 = question.to.includes(":");
  const text = isIpv6 ? question.firewall.ipv6 : question.firewall.ipv4;
  if (text === null) {
    return { verdict: "unclear", reason: `The IPv${isIpv6 ? 6 : 4} rules of this machine cannot be read.`, steps: [] };
  }
  const way = new Way(parseSavedTables(text), question, isIpv6);
  return way.go();
}

class Way {
  readonly #tables: SavedTables;
  readonly #question: PacketQuestion;
  readonly #hooks: readonly NftHook[];
  readonly #steps: FirewallTraceStep[] = [];
  #packet: TracedPacket;
  #unclear = false;

  constructor(tables: SavedTables, question: PacketQuestion, isIpv6: boolean) {
    this.#tables = tables;
    this.#question = question;
    const families = ["inet", isIpv6 ? "ip6" : "ip"];
    this.#hooks = question.firewall.nft.filter(({ family, mayRefuse }) => mayRefuse && families.includes(family));
    this.#packet = {
      source: question.source,
      destination: question.to,
      protocol: question.protocol,
      sourcePort: EPHEMERAL_PORT,
      destinationPort: question.port,
      inInterface: question.inInterface,
      outInterface: null,
      state: "NEW",
      mark: 0,
      local: question.local,
    };
  }

  go(): TracedPath {
    const { route } = this.#question;
    const before = this.#pass("before");
    if (before !== undefined) return before;
    const isLocal = this.#question.local.includes(this.#packet.destination);
    if (!isLocal && route.state === "none") {
      this.#steps.push({ place: "route", rule: this.#packet.destination, owner: "kernel", effect: "drops" });
      return {
        verdict: "blocked",
        reason: `This machine has no way to ${this.#packet.destination}: ${route.reason}.`,
        fix: "Connect this machine to the internet, and look at: ip route",
        steps: this.#steps,
      };
    }
    const out = !isLocal && route.state === "found" ? route.interfaceName : null;
    this.#steps.push({ place: "route", rule: routeText(route, isLocal), owner: "kernel", effect: "passes" });
    this.#packet = { ...this.#packet, outInterface: out };
    if (isLocal) return this.#pass("in") ?? this.#end();
    return this.#pass("through") ?? this.#pass("after") ?? this.#end();
  }

  /** Undefined where the packet goes on. */
  #pass(name: keyof typeof HOOKS): TracedPath | undefined {
    const { hook, chain, tables } = HOOKS[name];
    for (const table of tables) {
      const walked = walkTable(this.#tables, table, chain, this.#packet);
      this.#steps.push(...walked.steps);
      this.#packet = walked.packet;
      if (walked.verdict === "dropped") return this.#blocked(walked.decidedBy, walked.unclear || this.#unclear);
      this.#unclear ||= walked.unclear;
    }
    for (const foreign of this.#hooks.filter((one) => one.hook === hook)) {
      const step = stepOf(foreign);
      this.#steps.push(step);
      if (step.effect === "drops") return this.#blocked(step, this.#unclear);
      this.#unclear = true;
    }
    return undefined;
  }

  #blocked(by: FirewallTraceStep | undefined, unclear: boolean): TracedPath {
    const rule = by === undefined ? "a rule" : `${by.place}: ${by.rule}`;
    const owner = by?.owner === "policy" ? "the policy of this machine" : (by?.owner ?? "a program");
    return {
      verdict: unclear ? "unclear" : "blocked",
      reason: unclear
        ? `${capital(owner)} refuses it (${rule}), unless a rule before that could not be judged lets it through.`
        : `${capital(owner)} refuses it: ${rule}`,
      fix: fixFor(by),
      steps: this.#steps,
    };
  }

  #end(): TracedPath {
    if (!this.#unclear)
      return { verdict: "passes", reason: "No rule of this machine stands in its way.", steps: this.#steps };
    const doubts = this.#steps.filter(({ effect }) => effect === "unclear");
    return {
      verdict: "unclear",
      reason: `It passes unless one of ${doubts.length} rules that could not be judged refuses it, the first of them ${doubts[0]?.place}: ${doubts[0]?.rule}`,
      steps: this.#steps,
    };
  }
}

function routeText(route: RouteLookup, isLocal: boolean): string {
  if (isLocal) return "this machine itself";
  if (route.state === "none") return route.reason;
  return `${route.gateway === null ? "" : `via ${route.gateway} `}dev ${route.interfaceName ?? "?"}`;
}

/** Without rules of its own a policy decides for certain; what rules of nftables say is not read here. */
function stepOf({ family, table, chain, hook, policy, rules }: NftHook): FirewallTraceStep {
  const certain = policy === "drop" && rules === 0;
  return {
    place: `nftables ${family} ${table} ${chain}`,
    rule: `hook ${hook}, policy ${policy}, ${rules} rules`,
    owner: ownerOfTable(table),
    effect: certain ? "drops" : "unclear",
  };
}

/** The command, where one is known that harms nobody. */
function fixFor(step: FirewallTraceStep | undefined): string | undefined {
  switch (step?.owner) {
    case undefined:
      return undefined;
    case "HiggsNode":
      return "This is what guests are meant to be refused. To allow one destination: higgsnode settings set allowedDestinations=…";
    case "ufw":
      return "Let guests through: sudo ufw route allow in on higgs0";
    case "Docker":
      return "Let guests through: sudo iptables -I DOCKER-USER -i higgs0 -j ACCEPT";
    case "firewalld":
      return "Let guests through: sudo firewall-cmd --zone=trusted --add-interface=higgs0";
    case "policy":
      return "Switch sharing off and on again, so that our rules are asked first: higgsnode off && higgsnode on";
    default:
      return `Look at it, and remove it if you do not need it: ${step?.place.startsWith("nftables") ? `sudo nft list table ${step.place.split(" ").slice(1, 3).join(" ")}` : "sudo iptables-save"}`;
  }
}

function capital(text: string): string {
  return text === "ufw" || text === "libvirt" || text === "firewalld"
    ? text
    : text.charAt(0).toUpperCase() + text.slice(1);
}
