/**
 * Rules such as other programs leave on a home machine: ufw, Docker, another VPN. With counters, with policies that
 * refuse, in both families, and one table that only nftables knows.
 */
import type { LabHost } from "./lab-host.ts";

/** Plants them into an otherwise empty firewall. */
export async function plantForeignRules(host: LabHost): Promise<void> {
  await host.mustExec(["iptables-restore", "--noflush", "--counters"], { input: iptablesRules(4) });
  await host.mustExec(["ip6tables-restore", "--noflush", "--counters"], { input: iptablesRules(6) });
  await host.mustExec(["nft", "-f", "-"], { input: OTHER_NFT_TABLE });
}

function iptablesRules(family: 4 | 6): string {
  const v6 = family === 6;
  const icmp = v6 ? "ipv6-icmp" : "icmp";
  const container = v6 ? "fd00:d0c:1::/64" : "172.17.0.0/16";
  const service = v6 ? "fd00:d0c:1::2" : "172.17.0.2";
  const serviceAndPort = v6 ? `[${service}]:80` : `${service}:80`;
  const overlay = v6 ? "fd7a:115c:a1e0::/48" : "100.64.0.0/10";
  const ufw = v6 ? "ufw6" : "ufw";
  return `*filter
:INPUT DROP [41:3021]
:FORWARD DROP [7:420]
:OUTPUT ACCEPT [1234:98765]
:${ufw}-before-input - [0:0]
:${ufw}-user-input - [0:0]
:${ufw}-before-forward - [0:0]
:${ufw}-user-forward - [0:0]
:${ufw}-reject-forward - [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:ts-input - [0:0]
:ts-forward - [0:0]
[88:7654] -A INPUT -j ts-input
[901:65432] -A INPUT -j ${ufw}-before-input
[41:3021] -A INPUT -j ${ufw}-user-input
[7:420] -A FORWARD -j DOCKER-USER
[7:420] -A FORWARD -j DOCKER-ISOLATION-STAGE-1
[0:0] -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A FORWARD -o docker0 -j DOCKER
[0:0] -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
[7:420] -A FORWARD -j ts-forward
[7:420] -A FORWARD -j ${ufw}-before-forward
[7:420] -A FORWARD -j ${ufw}-user-forward
[7:420] -A FORWARD -j ${ufw}-reject-forward
[12:840] -A ${ufw}-before-input -i lo -j ACCEPT
[700:50000] -A ${ufw}-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[3:120] -A ${ufw}-before-input -m conntrack --ctstate INVALID -j DROP
[9:756] -A ${ufw}-before-input -p ${icmp} -j ACCEPT
[1:60] -A ${ufw}-user-input -p tcp -m tcp --dport 22 -j ACCEPT
[0:0] -A ${ufw}-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[7:420] -A ${ufw}-reject-forward -j REJECT
[0:0] -A DOCKER -d ${service} ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
[0:0] -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
[7:420] -A DOCKER-ISOLATION-STAGE-1 -j RETURN
[0:0] -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
[7:420] -A DOCKER-USER -j RETURN
[0:0] -A ts-input -s ${overlay} ! -i tailscale0 -j DROP
[0:0] -A ts-forward -i tailscale0 -j MARK --set-xmark 0x40000/0xff0000
[0:0] -A ts-forward -m mark --mark 0x40000/0xff0000 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [5:300]
:INPUT ACCEPT [1:60]
:OUTPUT ACCEPT [33:2200]
:POSTROUTING ACCEPT [33:2200]
:DOCKER - [0:0]
:ts-postrouting - [0:0]
[2:120] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A POSTROUTING -s ${container} ! -o docker0 -j MASQUERADE
[33:2200] -A POSTROUTING -j ts-postrouting
[0:0] -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination ${serviceAndPort}
[0:0] -A ts-postrouting -m mark --mark 0x40000/0xff0000 -j MASQUERADE
COMMIT
*mangle
:PREROUTING ACCEPT [1000:90000]
:INPUT ACCEPT [1000:90000]
:FORWARD ACCEPT [7:420]
:OUTPUT ACCEPT [1234:98765]
:POSTROUTING ACCEPT [1234:98765]
[6:360] -A POSTROUTING -o tailscale0 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
COMMIT
`;
}

const OTHER_NFT_TABLE = `table inet othervpn {
  set blocked {
    type ipv4_addr
    flags interval
    elements = { 203.0.113.0/24 }
  }
  chain output {
    type filter hook output priority 0; policy accept;
    ip daddr @blocked counter packets 3 bytes 180 drop
    oifname "othervpn0" counter packets 17 bytes 1020 accept
  }
}
`;
