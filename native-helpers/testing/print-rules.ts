/** Planned rules as iptables-restore would be given them, for golden files. */
import { JUMPS } from "../linux/firewall-plan.ts";
import type { Rules } from "../linux/rules.ts";

export function printRules(plan: Rules | undefined): string {
  if (plan === undefined) return "nothing\n";
  const lines: string[] = [];
  for (const [table, chains] of plan) {
    lines.push(`*${table}`);
    for (const [builtin, target] of JUMPS.get(table) ?? []) lines.push(`-I ${builtin} 1 -j ${target}`);
    for (const [chain, rules] of chains) {
      lines.push(`:${chain}`);
      for (const rule of rules) lines.push(`-A ${chain} ${rule}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
