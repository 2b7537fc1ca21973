/** Whose a rule is: by the chain it stands in, else by the interfaces and comments it names. */

const BY_CHAIN: readonly { name: string; pattern: RegExp }[] = [
  { name: "HiggsNode", pattern: /^HIGGS-/ },
  { name: "ufw", pattern: /^ufw6?-/ },
  { name: "Docker", pattern: /^DOCKER/ },
  { name: "firewalld", pattern: /^(FWD|IN|FWDO|FWDI|PRE|POST)_|^(INPUT|FORWARD)_(direct|ZONES)/ },
  { name: "libvirt", pattern: /^LIBVIRT_/ },
  { name: "Tailscale", pattern: /^ts-/ },
  { name: "NetBird", pattern: /^NETBIRD-/ },
  { name: "Mullvad", pattern: /mullvad/i },
  { name: "NordVPN", pattern: /nordvpn|^nordlynx/i },
  { name: "Kubernetes", pattern: /^(KUBE|CNI|cali|FLANNEL)-?/ },
  { name: "fail2ban", pattern: /^f2b-/ },
  { name: "wg-quick", pattern: /^wg-quick/ },
];

const BY_RULE: readonly { name: string; pattern: RegExp }[] = [
  { name: "HiggsNode", pattern: /-[jg] HIGGS-/ },
  { name: "wg-quick", pattern: /--comment "?wg-quick/ },
  { name: "NordVPN", pattern: /nordvpn|nordlynx/i },
  { name: "Docker", pattern: /-[io] (docker0|br-[0-9a-f]{12})\b/ },
  { name: "libvirt", pattern: /-[io] virbr[0-9]+\b/ },
  { name: "Tailscale", pattern: /-[io] tailscale0\b/ },
  { name: "NetBird", pattern: /-[io] wt0\b/ },
];

export const NOBODY_KNOWN = "another program";

/** By the name that a program gives to its own chains; undefined for a name that nobody known uses. */
export function ownerOfChain(chain: string): string | undefined {
  return BY_CHAIN.find(({ pattern }) => pattern.test(chain))?.name;
}

/** @param rule without its `-A CHAIN` */
export function ownerOfRule(chain: string, rule: string): string {
  const target = /(?:^| )-[jg] (\S+)/.exec(rule)?.[1] ?? "";
  return (
    ownerOfChain(chain) ??
    BY_RULE.find(({ pattern }) => pattern.test(rule))?.name ??
    ownerOfChain(target) ??
    NOBODY_KNOWN
  );
}

/** @param table name of an nftables table */
export function ownerOfTable(table: string): string {
  const known = /firewalld|mullvad|tailscale|netbird|libvirt|docker|nordvpn|ufw|wg-quick/i.exec(table)?.[0];
  return known ?? NOBODY_KNOWN;
}
