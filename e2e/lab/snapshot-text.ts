/** Pure functions that take the volatile parts out of what network tools print. */

/** Built-in chains with policy ACCEPT and no rules: a table that has nothing else says nothing. */
const EMPTY_CHAIN = /^:[A-Z]+ ACCEPT$/;

/** iptables-save(8): tables by name, counters zeroed, comments and tables that say nothing dropped. */
export function normaliseIptables(text: string): string[] {
  const tables: string[][] = [];
  for (const line of linesOf(text)) {
    if (line.startsWith("#") || line === "COMMIT") continue;
    if (line.startsWith("*")) tables.push([]);
    tables.at(-1)?.push(line.replace(/^\[[0-9]+:[0-9]+\] /, "").replace(/ \[[0-9]+:[0-9]+\]$/, ""));
  }
  return tables
    .filter((table) => table.slice(1).some((line) => !EMPTY_CHAIN.test(line)))
    .map(chainsSorted)
    .sort((a, b) => (a[0] ?? "").localeCompare(b[0] ?? ""))
    .flat();
}

/** The chains' declarations come in no order that means anything; the order of rules within a chain does. */
function chainsSorted([title = "", ...lines]: string[]): string[] {
  const chains = lines.filter((line) => line.startsWith(":")).sort();
  const rules = lines.filter((line) => !line.startsWith(":"));
  const byChain = Map.groupBy(rules, (rule) => rule.split(" ")[1] ?? "");
  const ordered = [...byChain.keys()].sort().flatMap((chain) => byChain.get(chain) ?? []);
  return [title, ...chains, ...ordered];
}

const IPTABLES_TABLES = new Set(["filter", "nat", "mangle", "raw", "security"]);

/**
 * Tables of nftables that iptables did not make, as `family name`. iptables-save says in a comment which of the
 * tables that have its names it cannot read, because another program made them.
 */
export function foreignTables(listing: string, saved: { ip: string; ip6: string }): string[] {
  return linesOf(listing)
    .map((line) => line.replace(/^table /, ""))
    .filter((table) => {
      const [family, name = ""] = table.split(" ");
      if ((family !== "ip" && family !== "ip6") || !IPTABLES_TABLES.has(name)) return true;
      return saved[family].includes(`Table \`${name}' is incompatible`);
    })
    .sort();
}

export function normaliseSysctls(text: string): string[] {
  return linesOf(text).sort();
}

interface Link {
  ifname: string;
  mtu: number;
  flags: string[];
  link_type: string;
  master?: string;
  txqlen?: number;
  promiscuity?: number;
  linkinfo?: { info_kind?: string };
}

/** `ip -j -d link`: names, kinds, flags and sizes; indices, hardware addresses and statistics left out. */
export function normaliseLinks(json: string): string[] {
  return (JSON.parse(json) as Link[])
    .map((link) =>
      [
        link.ifname,
        `type ${link.link_type}`,
        `kind ${link.linkinfo?.info_kind ?? "none"}`,
        `mtu ${link.mtu}`,
        `qlen ${link.txqlen ?? 0}`,
        `promiscuity ${link.promiscuity ?? 0}`,
        `master ${link.master ?? "none"}`,
        `flags ${[...link.flags].sort().join(",")}`,
      ].join(" "),
    )
    .sort();
}

interface Interface {
  ifname: string;
  addr_info: { family: string; local?: string; prefixlen: number; scope: string; label?: string }[];
}

/** `ip -j address`: every address with its length and scope; lifetimes and states of detection left out. */
export function normaliseAddresses(json: string): string[] {
  return (JSON.parse(json) as Interface[])
    .flatMap(({ ifname, addr_info }) =>
      addr_info.map(({ family, local, prefixlen, scope }) => `${ifname} ${family} ${local}/${prefixlen} ${scope}`),
    )
    .sort();
}

/** `ip route show table all`: timers left out. */
export function normaliseRoutes(text: string): string[] {
  return linesOf(text)
    .map((line) =>
      line
        .replace(/ (expires|users|age) -?[0-9]+(sec)?/g, "")
        .replace(/ error -?[0-9]+/, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .sort();
}

/** `ip rule`: rules of one priority keep their order, which is the order they are asked in. */
export function normaliseRules(text: string): string[] {
  return linesOf(text).map((line) => line.replace(/\s+/g, " ").trim());
}

/** `tc … show`: reference counts left out. */
export function normaliseTrafficControl(text: string): string[] {
  return linesOf(text)
    .map((line) => line.replace(/ refcnt [0-9]+/, "").replace(/\s+$/, ""))
    .sort();
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
