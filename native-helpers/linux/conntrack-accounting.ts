/**
 * The kernel settings without which connection tracking tells of no bytes and no times
 * (nf_conntrack-sysctl: acct, timestamp, events). They concern connections that begin after they were written.
 */
import type { SysctlPlan, SysctlTree } from "./sysctl.ts";

const WANTED = [
  { key: "net/netfilter/nf_conntrack_acct", isEnough: (value: string) => value === "1" },
  { key: "net/netfilter/nf_conntrack_timestamp", isEnough: (value: string) => value === "1" },
  // 2, the default, makes events for as long as somebody listens.
  { key: "net/netfilter/nf_conntrack_events", isEnough: (value: string) => value !== "0" },
] as const;

/** Whether a saved setting is one of these. */
export function isAccountingKey(key: string): boolean {
  return WANTED.some((wanted) => wanted.key === key);
}

/** What must be written, and what that changes; empty when everything is as it should be, or the kernel has no such settings. */
export function planAccounting(tree: SysctlTree): SysctlPlan {
  const plan: SysctlPlan = { writes: [], saves: [] };
  for (const { key, isEnough } of WANTED) {
    const value = tree.read(key);
    if (value === undefined || isEnough(value)) continue;
    plan.saves.push({ key, original: value });
    plan.writes.push({ key, value: "1" });
  }
  return plan;
}
