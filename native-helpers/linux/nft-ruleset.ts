/** What is read of `nft --json list ruleset`; the rest of it passes unseen (libnftables-json(5)). */
import { z } from "zod";

export const nftRulesetSchema = z.object({
  nftables: z.array(
    z.object({
      chain: z
        .object({
          family: z.string(),
          table: z.string(),
          name: z.string(),
          hook: z.string().optional(),
          policy: z.string().optional(),
        })
        .optional(),
      rule: z.object({ family: z.string(), table: z.string(), chain: z.string(), expr: z.unknown() }).optional(),
    }),
  ),
});

/** The tables in which iptables-nft keeps its own rules; iptables-save shows them. */
export const IPTABLES_TABLES: ReadonlySet<string> = new Set(["filter", "nat", "mangle", "raw", "security"]);
