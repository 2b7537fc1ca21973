/** The output of iptables-save(8) as chains of rules. */

export interface SavedChain {
  /** ACCEPT or DROP for a built-in chain, `-` for one that a program made. */
  readonly policy: string;
  /** Without their leading `-A CHAIN`. */
  readonly rules: string[];
}

/** table → chain → rules */
export type SavedTables = ReadonlyMap<string, ReadonlyMap<string, SavedChain>>;

/** Lines that are none of its own are passed over. */
export function parseSavedTables(text: string): SavedTables {
  const tables = new Map<string, Map<string, SavedChain>>();
  let chains = new Map<string, SavedChain>();
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      chains = new Map();
      tables.set(line.slice(1).trim(), chains);
    } else if (line.startsWith(":")) {
      const [name = "", policy = "-"] = line.slice(1).split(" ");
      chains.set(name, { policy, rules: [] });
    } else {
      const [, chain = "", rule = ""] = /^(?:\[[0-9]+:[0-9]+\] )?-A (\S+) ?(.*)$/.exec(line) ?? [];
      chains.get(chain)?.rules.push(rule.trim());
    }
  }
  return tables;
}
