/**
 * The kernel settings this program may change, and no others. They are read and written below
 * /proc/sys, so an interface name with a dot in it needs no quoting.
 *
 * IPv4: forwarding is decided by the interface a packet comes in on (ip-sysctl, `conf/<if>/forwarding`),
 * so it is switched on for our interface and the uplinks alone; the machine does not become a router
 * between its other interfaces. IPv6 has only `conf/all/forwarding`, which also writes every
 * interface's own value and makes those with accept_ra=1 ignore router advertisements.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SavedSysctl {
  /** Path below /proc/sys: `net/ipv6/conf/all/forwarding`. */
  key: string;
  original: string;
}

const KEY =
  /^net\/(?:ipv[46]\/conf\/[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}\/(?:forwarding|accept_ra)|netfilter\/nf_conntrack_(?:acct|timestamp|events))$/;

export class SysctlTree {
  readonly #root: string;

  /** @param root the machine's /proc/sys, or a copy of it in a test */
  constructor(root = "/proc/sys") {
    this.#root = root;
  }

  /** The value, or undefined where the kernel has no such setting. */
  read(key: string): string | undefined {
    try {
      return readFileSync(this.#path(key), "utf8").trim();
    } catch {
      return undefined;
    }
  }

  /** Writes a value; throws what the kernel says where it refuses. */
  write(key: string, value: string): void {
    writeFileSync(this.#path(key), value);
  }

  /** Interfaces that have settings of the family, `all` and `default` left out. */
  interfaces(family: 4 | 6): string[] {
    try {
      return readdirSync(join(this.#root, `net/ipv${family}/conf`))
        .filter((name) => name !== "all" && name !== "default")
        .sort();
    } catch {
      return [];
    }
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new TypeError(`not a setting of ours: ${key}`);
    return join(this.#root, key);
  }
}

/** What stands for every interface: a spec may not name it as an uplink. */
const MACHINE_WIDE: ReadonlySet<string> = new Set(["all", "default"]);

/** Only read: whether somebody has switched forwarding on for the whole machine since we looked. */
const IPV4_MACHINE = "net/ipv4/conf/all/forwarding";

export interface SysctlPlan {
  /** In the order in which they are written; put back in the reverse order. */
  writes: { key: string; value: string }[];
  /** Every value that the writes change, directly or through `all`. */
  saves: SavedSysctl[];
}

/** What must be written so that guests are forwarded over the given uplinks, and what that changes. Empty when nothing. */
export function planForwarding(
  tree: SysctlTree,
  wanted: { own: string; uplinks: readonly string[]; ipv4: boolean; ipv6: boolean },
): SysctlPlan {
  const plan: SysctlPlan = { writes: [], saves: [] };
  if (wanted.ipv4) {
    const machine = tree.read(IPV4_MACHINE);
    for (const name of [wanted.own, ...wanted.uplinks]) {
      if (MACHINE_WIDE.has(name)) continue;
      const key = `net/ipv4/conf/${name}/forwarding`;
      const value = tree.read(key);
      if (value === undefined || value === "1") continue;
      plan.writes.push({ key, value: "1" });
      if (name !== wanted.own) plan.saves.push({ key, original: value });
    }
    if (plan.saves.length > 0 && machine !== undefined) plan.saves.push({ key: IPV4_MACHINE, original: machine });
  }
  if (wanted.ipv6) planIpv6(tree, wanted.own, plan);
  return plan;
}

function planIpv6(tree: SysctlTree, own: string, plan: SysctlPlan): void {
  const all = "net/ipv6/conf/all/forwarding";
  const value = tree.read(all);
  if (value === undefined || value === "1") return;
  for (const name of tree.interfaces(6)) {
    if (name === own) continue;
    const acceptRa = `net/ipv6/conf/${name}/accept_ra`;
    const forwarding = `net/ipv6/conf/${name}/forwarding`;
    const original = tree.read(forwarding);
    // accept_ra=1 means "unless forwarding"; 2 means "even then". It must be 2 before forwarding
    // comes on, or the kernel purges the default routes it has learnt.
    if (original === "0" && tree.read(acceptRa) === "1") {
      plan.writes.push({ key: acceptRa, value: "2" });
      plan.saves.push({ key: acceptRa, original: "1" });
    }
    if (original !== undefined) plan.saves.push({ key: forwarding, original });
  }
  const fallback = tree.read("net/ipv6/conf/default/forwarding");
  if (fallback !== undefined) plan.saves.push({ key: "net/ipv6/conf/default/forwarding", original: fallback });
  plan.saves.push({ key: all, original: value });
  plan.writes.push({ key: all, value: "1" });
}

/**
 * Puts saved values back: `all` first because it writes the others, then each interface, and
 * accept_ra last, when the interface no longer forwards. An interface that is gone needs nothing.
 * IPv4 forwarding that somebody has switched on for the whole machine since then is left to them.
 */
export function restoreSysctls(
  tree: SysctlTree,
  saved: readonly SavedSysctl[],
): { undone: string[]; failed: string[] } {
  const undone: string[] = [];
  const failed: string[] = [];
  const machineBefore = saved.find(({ key }) => key === IPV4_MACHINE)?.original;
  const leaveIpv4 = machineBefore === "0" && tree.read(IPV4_MACHINE) === "1";
  for (const { key, original } of [...saved].sort((a, b) => rank(a.key) - rank(b.key))) {
    const present = tree.read(key);
    if (present === undefined || present === original) continue;
    if (key === IPV4_MACHINE || (leaveIpv4 && key.startsWith("net/ipv4/"))) continue;
    try {
      tree.write(key, original);
      undone.push(`${key.replaceAll("/", ".")} back to ${original}`);
    } catch (error) {
      failed.push(`${key.replaceAll("/", ".")}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { undone, failed };
}

/** Of saved values, those of IPv4 forwarding on interfaces that are no uplinks any more: nothing is to be forwarded from there. */
export function withoutUplinks(saved: readonly SavedSysctl[], uplinks: readonly string[]): SavedSysctl[] {
  const stillWanted = new Set(uplinks.map((name) => `net/ipv4/conf/${name}/forwarding`));
  return saved.filter(({ key }) => /^net\/ipv4\/conf\/.*\/forwarding$/.test(key) && !stillWanted.has(key));
}

function rank(key: string): number {
  if (key === "net/ipv6/conf/all/forwarding") return 0;
  return key.endsWith("/accept_ra") ? 2 : 1;
}
