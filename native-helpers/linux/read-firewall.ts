/** Everybody's rules as they stand, for whoever wants to know what becomes of a packet. */
import type { z } from "zod";
import {
  type FirewallText,
  MAX_NFT_HOOKS,
  MAX_RULES_CHARACTERS,
  type NftHook,
} from "../../src-shared/helper/diagnostics.ts";
import { CHAIN_PREFIX } from "./firewall-plan.ts";
import { IPTABLES_TABLES, nftRulesetSchema } from "./nft-ruleset.ts";
import type { Run } from "./run.ts";

/** Statements of nftables after which a packet may be gone (nft(8), verdict statements). */
const REFUSING = /"(?:drop|reject|jump|goto|vmap|queue|xt)"/;

export async function readFirewall(run: Run): Promise<FirewallText> {
  const [ipv4, ipv6, nft] = await Promise.all([
    save(run, "iptables-save"),
    save(run, "ip6tables-save"),
    run("nft", ["--json", "list", "ruleset"]),
  ]);
  return { ipv4, ipv6, nft: nft.code === 0 ? foreignHooks(nft.stdout) : [] };
}

async function save(run: Run, program: string): Promise<string | null> {
  const ran = await run(program, []);
  // As it will be sent: comments in other scripts than Latin, and quotes, take more than their characters.
  const bytes = Buffer.byteLength(JSON.stringify(ran.stdout));
  return ran.code === 0 && bytes <= MAX_RULES_CHARACTERS ? ran.stdout : null;
}

/** Base chains of tables that iptables does not show. */
function foreignHooks(text: string): NftHook[] {
  let parsed: z.infer<typeof nftRulesetSchema>;
  try {
    parsed = nftRulesetSchema.parse(JSON.parse(text));
  } catch {
    return [];
  }
  const hooks: NftHook[] = [];
  for (const { chain } of parsed.nftables) {
    if (chain?.hook === undefined || chain.name.startsWith(CHAIN_PREFIX)) continue;
    if (IPTABLES_TABLES.has(chain.table) && (chain.family === "ip" || chain.family === "ip6")) continue;
    const { family, table, name, hook, policy = "accept" } = chain;
    const rules = parsed.nftables.flatMap(({ rule }) =>
      rule !== undefined && rule.family === family && rule.table === table && rule.chain === name ? [rule.expr] : [],
    );
    const mayRefuse = policy !== "accept" || rules.some((expr) => REFUSING.test(JSON.stringify(expr)));
    hooks.push({ family, table, chain: name, hook, policy, rules: rules.length, mayRefuse });
  }
  return hooks.slice(0, MAX_NFT_HOOKS);
}
