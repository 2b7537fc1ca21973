/** One packet through the built-in chain of one table, rule by rule, as the kernel would go (iptables(8)). */
import type { FirewallTraceStep } from "../../../src-shared/model/firewall-trace.ts";
import { judgeRule, numbers, type RuleParts, type TracedPacket } from "./rule-match.ts";
import { ownerOfRule } from "./rule-owners.ts";
import type { SavedTables } from "./saved-tables.ts";

/** Chains may not call themselves; a text that says they do must not keep us. */
const MAX_DEPTH = 32;

/** Targets after which the packet goes on to the next rule. */
const GO_ON: ReadonlySet<string> = new Set([
  "LOG",
  "NFLOG",
  "MARK",
  "CONNMARK",
  "TCPMSS",
  "CLASSIFY",
  "TRACE",
  "TOS",
  "DSCP",
  "TTL",
  "HL",
  "CT",
  "CHECKSUM",
  "SET",
  "AUDIT",
  "SECMARK",
  "CONNSECMARK",
]);

const TRANSLATING: ReadonlySet<string> = new Set(["DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "SNPT", "DNPT"]);

/** What became of the packet in one table. */
export interface Walked {
  verdict: "accepted" | "dropped";
  packet: TracedPacket;
  steps: FirewallTraceStep[];
  /** The step that dropped it. */
  decidedBy: FirewallTraceStep | undefined;
  /** Whether a rule that could not be judged might have decided otherwise. */
  unclear: boolean;
}

type Outcome = "accepted" | "dropped" | "returned" | "fell-through";

/** One built-in chain with those it jumps to; where no rule decides, its policy does. The packet comes out as translations have left it. */
export function walkTable(tables: SavedTables, table: string, builtin: string, packet: TracedPacket): Walked {
  const walk = new Walk(tables, table, packet);
  const outcome = walk.chain(builtin, 0);
  if (outcome === "accepted" || outcome === "dropped") return walk.result(outcome);
  const policy = tables.get(table)?.get(builtin)?.policy ?? "ACCEPT";
  if (policy !== "DROP") return walk.result("accepted");
  walk.add(builtin, `-P ${builtin} DROP`, "policy", "drops");
  return walk.result("dropped");
}

class Walk {
  readonly #tables: SavedTables;
  readonly #table: string;
  readonly #steps: FirewallTraceStep[] = [];
  #packet: TracedPacket;
  #unclear = false;

  constructor(tables: SavedTables, table: string, packet: TracedPacket) {
    this.#tables = tables;
    this.#table = table;
    this.#packet = packet;
  }

  result(verdict: Walked["verdict"]): Walked {
    return {
      verdict,
      packet: this.#packet,
      steps: this.#steps,
      decidedBy: verdict === "dropped" ? this.#steps.at(-1) : undefined,
      unclear: this.#unclear,
    };
  }

  add(chain: string, rule: string, owner: string, effect: FirewallTraceStep["effect"]): void {
    this.#steps.push({ place: `${this.#table} ${chain}`, rule, owner, effect });
  }

  chain(name: string, depth: number): Outcome {
    const chain = this.#tables.get(this.#table)?.get(name);
    if (chain === undefined || depth > MAX_DEPTH) return "fell-through";
    for (const rule of chain.rules) {
      const parts = judgeRule(rule, this.#packet);
      if (parts.match === "no" || parts.target === undefined) continue;
      if (parts.match === "unclear") {
        this.#doubt(name, rule, parts);
        continue;
      }
      const outcome = this.#target(name, rule, parts.target, depth);
      if (outcome !== undefined) return outcome;
    }
    return "fell-through";
  }

  /** Only what could decide something is worth a word. */
  #doubt(chain: string, rule: string, { target }: RuleParts): void {
    if (target === undefined || GO_ON.has(target.name) || this.#isHarmless(target.name, 0)) return;
    this.#unclear = true;
    this.add(chain, rule, ownerOfRule(chain, rule), "unclear");
  }

  /** A chain in which nothing can end: empty, or all of its rules go on. */
  #isHarmless(name: string, depth: number): boolean {
    const chain = this.#tables.get(this.#table)?.get(name);
    if (chain === undefined || depth > MAX_DEPTH) return false;
    return chain.rules.every((rule) => {
      const target = / ?-[jg] (\S+)/.exec(rule)?.[1];
      return target === undefined || target === "RETURN" || GO_ON.has(target) || this.#isHarmless(target, depth + 1);
    });
  }

  /** What the target does; undefined where the next rule is asked. */
  #target(chain: string, rule: string, target: NonNullable<RuleParts["target"]>, depth: number): Outcome | undefined {
    const owner = ownerOfRule(chain, rule);
    switch (target.name) {
      case "ACCEPT":
        this.add(chain, rule, owner, "passes");
        return "accepted";
      case "DROP":
        this.add(chain, rule, owner, "drops");
        return "dropped";
      case "REJECT":
        this.add(chain, rule, owner, "rejects");
        return "dropped";
      case "RETURN":
        return "returned";
      default:
        break;
    }
    if (TRANSLATING.has(target.name)) {
      this.add(chain, rule, owner, "translates");
      this.#translate(target);
      return "accepted";
    }
    if (target.name === "MARK") this.#mark(target.options);
    if (GO_ON.has(target.name)) return undefined;
    if (!this.#tables.get(this.#table)?.has(target.name)) {
      this.#unclear = true;
      this.add(chain, rule, owner, "unclear");
      return undefined;
    }
    const inner = this.chain(target.name, depth + 1);
    if (inner === "accepted" || inner === "dropped") return inner;
    // After a goto nobody comes back to this chain.
    return target.kind === "goto" ? "returned" : undefined;
  }

  #translate({ name, options }: NonNullable<RuleParts["target"]>): void {
    if (name !== "DNAT") return;
    const to = options[options.indexOf("--to-destination") + 1] ?? "";
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?$/.exec(to) ?? [];
    const destination = bracketed ?? plain;
    if (destination === undefined) return;
    this.#packet = {
      ...this.#packet,
      destination,
      destinationPort: port === undefined ? this.#packet.destinationPort : Number(port),
    };
  }

  /** `--set-xmark value/mask`: the mask's bits are cleared, then the value is mixed in (exclusive or). */
  #mark(options: readonly string[]): void {
    const [value, mask = 0xffff_ffff] = numbers(options[options.indexOf("--set-xmark") + 1] ?? "");
    if (value === undefined) return;
    this.#packet = { ...this.#packet, mark: ((this.#packet.mark & ~mask) ^ value) >>> 0 };
  }
}
