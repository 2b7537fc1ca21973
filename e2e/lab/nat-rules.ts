/** The rules of a home router or a provider's NAT, as text for `nft -f`. */

export interface NatRules {
  wanInterface: string;
  lanInterface: string;
  /** A forward the owner of the router entered by hand. */
  forward?: { port: number; toIpv4: string; toIpv6: string };
  /** Versions of requests to the port that PCP (2) and NAT-PMP (0) share which the router does not hear. */
  deafTo?: readonly number[];
  /** Whether IPv6 is filtered (a home router) or only routed (a provider). */
  ipv6: "filtered" | "routed";
}

/**
 * Table and chains have the names and the structure that miniupnpd's nftables back end expects; Debian's own
 * nft_init.sh makes a table that this version of nft refuses.
 */
export function natRules(rules: NatRules): string {
  const { wanInterface: wan, lanInterface: lan, forward } = rules;
  const accept =
    forward === undefined
      ? ""
      : `iifname "${wan}" udp dport ${forward.port} ip daddr ${forward.toIpv4} accept
    iifname "${wan}" udp dport ${forward.port} ip6 daddr ${forward.toIpv6} accept`;
  const translate =
    forward === undefined
      ? ""
      : `iifname "${wan}" meta nfproto ipv4 udp dport ${forward.port} dnat ip to ${forward.toIpv4}`;
  // The first octet behind the UDP header is the version.
  const deaf = (rules.deafTo ?? []).map((version) => `udp dport 5351 @th,64,8 ${version} drop`).join("\n    ");
  return `flush ruleset
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "${lan}" accept
    meta l4proto ipv6-icmp accept
    ${rules.ipv6 === "routed" ? "meta nfproto ipv6 accept" : ""}
    ${accept}
    jump miniupnpd
  }
  chain input {
    type filter hook input priority 0; policy accept;
    ${deaf}
  }
  chain miniupnpd { }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ${translate}
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    jump postrouting_miniupnpd
    meta nfproto ipv4 oifname "${wan}" masquerade
  }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}
`;
}
