/**
 * Everything that configures a host's network, as text that is the same whenever the configuration is the same:
 * counters, indices, timers and order of arrival are left out.
 */
import type { LabHost } from "./lab-host.ts";
import {
  foreignTables,
  normaliseAddresses,
  normaliseIptables,
  normaliseLinks,
  normaliseRoutes,
  normaliseRules,
  normaliseSysctls,
  normaliseTrafficControl,
} from "./snapshot-text.ts";

/** Names by regular expression, as `sysctl -r` takes them. */
const SYSCTLS =
  "^net\\.(ipv4\\.(conf\\.|ip_forward|ip_unprivileged|fwmark_reflect|ping_group_range)|ipv6\\.(conf\\.|bindv6only)|netfilter\\.nf_conntrack_(acct|timestamp|helper|checksum|tcp_be_liberal|tcp_loose))";

export class NetworkSnapshot {
  /** Title of a section → its lines. */
  readonly sections: ReadonlyMap<string, readonly string[]>;

  private constructor(sections: ReadonlyMap<string, readonly string[]>) {
    this.sections = sections;
  }

  static async take(host: LabHost): Promise<NetworkSnapshot> {
    const [iptables, ip6tables, tables, sysctls, links, addresses, routes, routes6, rules, rules6, qdiscs] =
      await Promise.all([
        host.mustExec(["iptables-save"]),
        host.mustExec(["ip6tables-save"]),
        host.mustExec(["nft", "list", "tables"]),
        // A few names may be read by nobody, such as stable_secret before it is set; sysctl complains and goes on.
        host.exec(["sysctl", "-a", "-r", SYSCTLS]),
        host.mustExec(["ip", "-j", "-d", "link", "show"]),
        host.mustExec(["ip", "-j", "address", "show"]),
        host.mustExec(["ip", "-4", "route", "show", "table", "all"]),
        host.mustExec(["ip", "-6", "route", "show", "table", "all"]),
        host.mustExec(["ip", "-4", "rule", "show"]),
        host.mustExec(["ip", "-6", "rule", "show"]),
        host.mustExec(["tc", "qdisc", "show"]),
      ]);
    if (sysctls.stdout === "") throw new Error(`sysctl printed nothing: ${sysctls.stderr}`);
    const names = (JSON.parse(links) as { ifname: string }[]).map((link) => link.ifname);
    const sections = new Map<string, readonly string[]>([
      ["iptables", normaliseIptables(iptables)],
      ["ip6tables", normaliseIptables(ip6tables)],
      ["nft", await nftTables(host, foreignTables(tables, { ip: iptables, ip6: ip6tables }))],
      ["sysctl", normaliseSysctls(sysctls.stdout)],
      ["link", normaliseLinks(links)],
      ["address", normaliseAddresses(addresses)],
      ["route", normaliseRoutes(routes)],
      ["route6", normaliseRoutes(routes6)],
      ["rule", normaliseRules(rules)],
      ["rule6", normaliseRules(rules6)],
      ["qdisc", normaliseTrafficControl(qdiscs)],
      ["tc", await classesAndFilters(host, names)],
    ]);
    return new NetworkSnapshot(sections);
  }

  /** The whole snapshot as text, section by section. */
  get text(): string {
    return [...this.sections].map(([title, lines]) => `# ${title}\n${lines.join("\n")}\n`).join("\n");
  }

  /**
   * Lines of `before` that `after` lacks, with `-`, and the other way round, with `+`, each behind its section.
   * Empty when nothing differs, order within a section included.
   */
  static diff(before: NetworkSnapshot, after: NetworkSnapshot): string[] {
    const titles = new Set([...before.sections.keys(), ...after.sections.keys()]);
    return [...titles].flatMap((title) => {
      const old = before.sections.get(title) ?? [];
      const now = after.sections.get(title) ?? [];
      const changes = [
        ...surplus(old, now).map((line) => `${title}: - ${line}`),
        ...surplus(now, old).map((line) => `${title}: + ${line}`),
      ];
      const isMoved = changes.length === 0 && old.join("\n") !== now.join("\n");
      return isMoved ? [`${title}: the same lines in another order`] : changes;
    });
  }
}

/** Lines that occur more often in `lines` than in `others`. */
function surplus(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const remaining = left.get(line) ?? 0;
    left.set(line, remaining - 1);
    return remaining <= 0;
  });
}

/** `-s` leaves counters and other state out (nft(8), --stateless). */
async function nftTables(host: LabHost, tables: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(
    tables.map((table) => host.mustExec(["nft", "-s", "list", "table", ...table.split(" ")])),
  );
  return texts.flatMap((text) => text.trimEnd().split("\n"));
}

async function classesAndFilters(host: LabHost, interfaces: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(
    interfaces.flatMap((name) =>
      [["class"], ["filter"], ["filter", "ingress"]].map(async ([object = "", parent]) => {
        const argv = ["tc", object, "show", "dev", name, ...(parent === undefined ? [] : ["parent", "ffff:"])];
        const { stdout } = await host.exec(argv);
        return normaliseTrafficControl(stdout).map((line) => `${name} ${object} ${line}`);
      }),
    ),
  );
  return texts.flat();
}
