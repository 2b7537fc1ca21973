/** What goes into a report, before it is redacted: as a value, each part on its own, so that one that is missing leaves the others. */
import type { FirewallText } from "../../../src-shared/helper/diagnostics.ts";
import type { Diagnosis } from "../../../src-shared/model/diagnosis.ts";
import type { HealthHistory } from "../../../src-shared/model/health.ts";
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import type { Settings } from "../../../src-shared/model/settings.ts";
import type { NetworkSpec } from "../../../src-shared/network-spec.ts";
import type { Result } from "../../../src-shared/result.ts";
import type { MachineFacts } from "../check.ts";
import { NOBODY_KNOWN, ownerOfChain, ownerOfTable } from "../trace/rule-owners.ts";
import { parseSavedTables } from "../trace/saved-tables.ts";

/** What a report says of a client: nothing that tells who it is. */
export interface ReportedClient {
  paused: boolean;
  connected: boolean;
  limited: boolean;
}

export interface ReportParts {
  createdAt: string;
  versions: Record<string, string>;
  state: NodeState | null;
  settings: Settings;
  spec: NetworkSpec | null;
  machine: Result<MachineFacts>;
  diagnosis: Diagnosis;
  history: HealthHistory | null;
  clients: readonly ReportedClient[];
  /** The end of the log, redacted when it was written. */
  log: readonly string[];
}

const OWN_CHAIN = /^HIGGS-/;

/** Our chains in full, line by line. */
export function ownRules(firewall: FirewallText | undefined): string[] {
  return families(firewall).flatMap(([family, text]) =>
    [...parseSavedTables(text)].flatMap(([table, chains]) =>
      [...chains].flatMap(([chain, { rules }]) =>
        OWN_CHAIN.test(chain) ? rules.map((rule) => `IPv${family} ${table} ${chain} ${rule}`) : [],
      ),
    ),
  );
}

/** Of everybody else's chains the name, the owner and the number of rules: what they say is nobody's business. */
export function foreignChains(firewall: FirewallText | undefined): string[] {
  const chains = families(firewall).flatMap(([family, text]) =>
    [...parseSavedTables(text)].flatMap(([table, all]) =>
      [...all].flatMap(([chain, { policy, rules }]) => {
        if (OWN_CHAIN.test(chain) || (rules.length === 0 && policy !== "DROP")) return [];
        const owner = ownerOfChain(chain) ?? (policy === "-" ? NOBODY_KNOWN : "built in");
        return [`IPv${family} ${table} ${chain}: ${rules.length} rules, policy ${policy}, ${owner}`];
      }),
    ),
  );
  const hooks = (firewall?.nft ?? []).map(
    ({ family, table, chain, hook, policy, rules }) =>
      `nftables ${family} ${table} ${chain}: hook ${hook}, policy ${policy}, ${rules} rules, ${ownerOfTable(table)}`,
  );
  return [...chains, ...hooks];
}

function families(firewall: FirewallText | undefined): [4 | 6, string][] {
  const texts: [4 | 6, string | null | undefined][] = [
    [4, firewall?.ipv4],
    [6, firewall?.ipv6],
  ];
  return texts.flatMap(([family, text]) => (typeof text === "string" ? [[family, text] as [4 | 6, string]] : []));
}
