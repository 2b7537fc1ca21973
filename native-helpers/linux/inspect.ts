/** Who else has rules on this machine, and which of them come before ours. */
import type { z } from "zod";
import type { Family } from "../../src-shared/net/address.ts";
import type { FirewallInspection } from "../../src-shared/network-observation.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { readTables } from "./firewall.ts";
import { CHAIN_PREFIX, JUMPS } from "./firewall-plan.ts";
import { IPTABLES_TABLES, nftRulesetSchema } from "./nft-ruleset.ts";
import { jumpTarget, type SavedTables } from "./rules.ts";
import type { Run } from "./run.ts";

/** Chain names by which well-known firewall programs are recognised. */
const OWNERS: readonly { name: string; chain: RegExp }[] = [
  { name: "ufw", chain: /^ufw6?-/ },
  { name: "Docker", chain: /^DOCKER/ },
  { name: "firewalld", chain: /^(FWD|IN|FWDO|FWDI)_|^(INPUT|FORWARD)_(direct|ZONES)/ },
  { name: "libvirt", chain: /^LIBVIRT_/ },
  { name: "Tailscale", chain: /^ts-/ },
  { name: "NetBird", chain: /^NETBIRD-/ },
  { name: "Mullvad", chain: /mullvad/i },
  { name: "NordVPN", chain: /nordvpn|nordlynx/i },
  { name: "Kubernetes", chain: /^KUBE-/ },
  { name: "fail2ban", chain: /^f2b-/ },
  { name: "wg-quick", chain: /^wg-quick/ },
];

export async function inspectFirewall(run: Run): Promise<FirewallInspection> {
  const inspection: FirewallInspection = { owners: [], policies: {}, obstacles: [], unreadable: [] };
  for (const family of [4, 6] as const) {
    const tables = await readTables(run, family);
    if (tables.ok) inspectTables(family, tables.value, inspection);
    else inspection.unreadable.push(tables.error);
  }
  const unreadable = await inspectNft(run, inspection);
  if (unreadable !== undefined) inspection.unreadable.push(unreadable);
  return inspection;
}

function inspectTables(family: Family, tables: SavedTables, inspection: FirewallInspection): void {
  for (const [table, chains] of tables) {
    for (const [chain, { policy, rules }] of chains) {
      for (const { name, chain: pattern } of OWNERS) {
        if (pattern.test(chain)) addOwner(inspection, name, `IPv${family} ${table} chain ${chain}`);
      }
      if (table === "filter" && policy !== "-") inspection.policies[`IPv${family} ${chain}`] = policy;
      const target = JUMPS.get(table)?.get(chain);
      const ours = target === undefined ? -1 : rules.findIndex((rule) => jumpTarget(rule) === target);
      for (const rule of ours > 0 ? rules.slice(0, ours) : []) {
        inspection.obstacles.push({
          family,
          rule: `${table} ${chain}: ${rule}`,
          effect: "stands before our rules and is asked first",
        });
      }
    }
  }
}

/** Tables that iptables does not show: firewalld, Mullvad and hand-written nftables keep theirs there. */
async function inspectNft(run: Run, inspection: FirewallInspection): Promise<HiggsError | undefined> {
  const ran = await run("nft", ["--json", "list", "chains"]);
  if (ran.missing) return undefined;
  let parsed: z.infer<typeof nftRulesetSchema>;
  try {
    parsed = nftRulesetSchema.parse(JSON.parse(ran.stdout));
  } catch {
    return { code: "nft-unreadable", message: "The nftables ruleset could not be read." };
  }
  for (const { chain } of parsed.nftables) {
    if (chain === undefined || chain.name.startsWith(CHAIN_PREFIX)) continue;
    if (IPTABLES_TABLES.has(chain.table) && (chain.family === "ip" || chain.family === "ip6")) continue;
    const known = /firewalld|mullvad|tailscale|netbird|libvirt|docker|nordvpn|wg-quick|ufw/i.exec(chain.table)?.[0];
    if (known !== undefined) addOwner(inspection, known, `nftables table ${chain.family} ${chain.table}`);
    if (chain.policy !== "drop" || (chain.hook !== "forward" && chain.hook !== "input")) continue;
    for (const family of chain.family === "inet" ? ([4, 6] as const) : ([chain.family === "ip6" ? 6 : 4] as const)) {
      inspection.obstacles.push({
        family,
        rule: `nftables ${chain.family} ${chain.table} ${chain.name}: hook ${chain.hook}, policy drop`,
        effect: `drops ${chain.hook === "forward" ? "guests' traffic" : "incoming handshakes"} unless it has an accepting rule of its own`,
      });
    }
  }
  return undefined;
}

function addOwner(inspection: FirewallInspection, name: string, evidence: string): void {
  if (!inspection.owners.some((owner) => owner.name.toLowerCase() === name.toLowerCase())) {
    inspection.owners.push({ name, evidence });
  }
}
