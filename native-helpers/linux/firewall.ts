/**
 * Makes the HIGGS chains of one family hold what the plan says, in one `iptables-restore --noflush`
 * call, and takes them away again. Rules of others are read, never written.
 */
import type { Family } from "../../src-shared/net/address.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { CHAIN_PREFIX, JUMPS } from "./firewall-plan.ts";
import { jumpTarget, normaliseRule, parseSave, type Rules, type SavedTables } from "./rules.ts";
import { describeRun, type Run } from "./run.ts";

const PROGRAMS: Record<Family, { save: string; restore: string }> = {
  4: { save: "iptables-save", restore: "iptables-restore" },
  6: { save: "ip6tables-save", restore: "ip6tables-restore" },
};

/** Seconds to wait for the xtables lock that other firewall programs may hold (iptables(8), `-w`). */
const LOCK_WAIT_SECONDS = "5";

export async function readTables(run: Run, family: Family): Promise<Result<SavedTables>> {
  const { save } = PROGRAMS[family];
  const ran = await run(save, []);
  if (ran.code !== 0) {
    return fail("firewall-unreadable", describeRun(save, [], ran), "Install the iptables package and try again.");
  }
  return ok(parseSave(ran.stdout));
}

/** Differences between the plan and the kernel, each a readable line; empty when they agree. */
export function compareRules(plan: Rules, tables: SavedTables): string[] {
  const differences: string[] = [];
  for (const [table, chains] of plan) {
    const saved = tables.get(table);
    for (const [chain, rules] of chains) {
      const present = saved?.get(chain)?.rules;
      if (present === undefined) differences.push(`${table}: chain ${chain} is missing`);
      else differences.push(...compareChain(`${table} ${chain}`, rules, present));
    }
    for (const [builtin, target] of JUMPS.get(table) ?? []) {
      const rules = saved?.get(builtin)?.rules ?? [];
      const positions = jumpPositions(rules, target);
      if (positions.length === 0) differences.push(`${table}: ${builtin} does not jump to ${target}`);
      else if (positions.length > 1 || positions[0] !== 0)
        differences.push(`${table}: ${builtin} does not jump to ${target} first`);
      else if (rules[0] !== `-j ${target}`)
        differences.push(`${table}: ${builtin} does not jump to ${target} for every packet`);
    }
    for (const chain of saved?.keys() ?? []) {
      if (chain.startsWith(CHAIN_PREFIX) && !chains.has(chain))
        differences.push(`${table}: chain ${chain} is left over`);
    }
  }
  return differences;
}

function compareChain(where: string, wanted: readonly string[], present: readonly string[]): string[] {
  const differences: string[] = [];
  for (let index = 0; index < Math.max(wanted.length, present.length); index++) {
    const want = wanted[index];
    const have = present[index];
    if (want === undefined) differences.push(`${where}: unexpected rule "${have}"`);
    else if (have === undefined) differences.push(`${where}: rule "${want}" is missing`);
    else if (normaliseRule(want) !== normaliseRule(have))
      differences.push(`${where}: "${have}" stands where "${want}" should`);
  }
  return differences;
}

/** Makes the kernel match the plan and proves it by reading back. Nothing is written where it matches already. */
export async function applyRules(run: Run, family: Family, plan: Rules): Promise<Result<{ changed: boolean }>> {
  const before = await readTables(run, family);
  if (!before.ok) return before;
  if (compareRules(plan, before.value).length === 0) return ok({ changed: false });
  const written = await restore(run, family, transactionFor(plan, before.value));
  if (!written.ok) return written;
  const after = await readTables(run, family);
  if (!after.ok) return after;
  const differences = compareRules(plan, after.value);
  if (differences.length > 0) {
    return fail(
      "firewall-not-verified",
      `The firewall did not take our rules: ${differences.slice(0, 3).join("; ")}`,
      "Another firewall program may be rewriting them; see higgsnode diagnose.",
    );
  }
  return ok({ changed: true });
}

/** Removes our chains and every jump into them. Returns a line per chain removed. */
export async function removeRules(run: Run, family: Family): Promise<Result<string[]>> {
  const before = await readTables(run, family);
  if (!before.ok) return before;
  const transaction = removalFor(before.value);
  if (transaction === "") return ok([]);
  const written = await restore(run, family, transaction);
  if (!written.ok) return written;
  return ok(ownChains(before.value).map(({ table, chain }) => `IPv${family} ${table} chain ${chain}`));
}

/** Whether the kernel would take a typical NAT rule, asked without changing anything (`--test`). */
export async function supportsNat(run: Run, family: Family): Promise<boolean> {
  const { restore: program } = PROGRAMS[family];
  const input = "*nat\n:HIGGS-TEST - [0:0]\n-A HIGGS-TEST -j MASQUERADE\nCOMMIT\n";
  const ran = await run(program, ["--noflush", "--test", "-w", LOCK_WAIT_SECONDS], { input });
  return ran.code === 0;
}

async function restore(run: Run, family: Family, input: string): Promise<Result<void>> {
  const { restore: program } = PROGRAMS[family];
  const args = ["--noflush", "-w", LOCK_WAIT_SECONDS];
  const ran = await run(program, args, { input });
  if (ran.code === 0) return ok(undefined);
  return fail(
    "firewall-refused",
    describeRun(program, args, ran),
    family === 6
      ? "This kernel may have no IPv6 NAT; IPv4 works without it."
      : "Check that the kernel has iptables NAT (higgsnode diagnose).",
  );
}

/** With --noflush, declaring a user chain empties it or makes it; built-in chains are not declared, so they stay. */
function transactionFor(plan: Rules, present: SavedTables): string {
  const lines: string[] = [];
  for (const [table, chains] of plan) {
    const saved = present.get(table);
    lines.push(`*${table}`);
    for (const chain of chains.keys()) lines.push(`:${chain} - [0:0]`);
    for (const [builtin, target] of JUMPS.get(table) ?? []) {
      for (const rule of saved?.get(builtin)?.rules ?? []) {
        if (jumpTarget(rule) === target) lines.push(`-D ${builtin} ${rule}`);
      }
      lines.push(`-I ${builtin} 1 -j ${target}`);
    }
    for (const [chain, rules] of chains) for (const rule of rules) lines.push(`-A ${chain} ${rule}`);
    const leftOver = [...(saved?.keys() ?? [])].filter((chain) => chain.startsWith(CHAIN_PREFIX) && !chains.has(chain));
    for (const chain of leftOver) lines.push(`-F ${chain}`);
    for (const chain of leftOver) lines.push(`-X ${chain}`);
    lines.push("COMMIT");
  }
  return `${lines.join("\n")}\n`;
}

function removalFor(present: SavedTables): string {
  const lines: string[] = [];
  for (const [table, chains] of present) {
    const own = [...chains.keys()].filter((chain) => chain.startsWith(CHAIN_PREFIX));
    if (own.length === 0) continue;
    lines.push(`*${table}`);
    for (const [chain, { rules }] of chains) {
      if (chain.startsWith(CHAIN_PREFIX)) continue;
      for (const rule of rules) {
        if (jumpTarget(rule)?.startsWith(CHAIN_PREFIX)) lines.push(`-D ${chain} ${rule}`);
      }
    }
    for (const chain of own) lines.push(`-F ${chain}`);
    for (const chain of own) lines.push(`-X ${chain}`);
    lines.push("COMMIT");
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function ownChains(tables: SavedTables): { table: string; chain: string }[] {
  return [...tables].flatMap(([table, chains]) =>
    [...chains.keys()].filter((chain) => chain.startsWith(CHAIN_PREFIX)).map((chain) => ({ table, chain })),
  );
}

function jumpPositions(rules: readonly string[], target: string): number[] {
  return rules.flatMap((rule, index) => (jumpTarget(rule) === target ? [index] : []));
}
