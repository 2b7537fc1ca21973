/** An exit node made by hand, as a tutorial would: shows that the lab carries a tunnel before any product is in it. */
import { LAN, WAN, WIREGUARD_PORT } from "./addresses.ts";
import type { Lab } from "./lab.ts";
import type { LabHost } from "./lab-host.ts";
import { pollUntil } from "./poll.ts";

const TUNNEL = { ipv4: "10.99.0", ipv6: "fd99::", interface: "wg0" } as const;

/** Brings the exit up on the lab's node and returns a configuration for one client. */
export async function referenceExit(lab: Lab, dns: string): Promise<string> {
  const node = lab.host("node");
  const [server, client] = [await keyPair(node), await keyPair(node)];
  await node.mustExec(["wireguard-go", TUNNEL.interface]);
  await pollUntil("wireguard-go", async () => (await node.exec(["wg", "show", TUNNEL.interface])).code === 0, {
    timeoutMs: 20_000,
  });
  const configuration = node.writePrivateFile(
    "reference-exit.conf",
    `[Interface]
PrivateKey = ${server.privateKey}
ListenPort = ${WIREGUARD_PORT}
[Peer]
PublicKey = ${client.publicKey}
AllowedIPs = ${TUNNEL.ipv4}.2/32, ${TUNNEL.ipv6}2/128
`,
  );
  await node.mustExec(["wg", "setconf", TUNNEL.interface, configuration]);
  await node.ip([
    `address add ${TUNNEL.ipv4}.1/24 dev ${TUNNEL.interface}`,
    `address add ${TUNNEL.ipv6}1/64 dev ${TUNNEL.interface} nodad`,
    `link set dev ${TUNNEL.interface} mtu 1420 up`,
  ]);
  await node.mustExec(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
  const masquerade = ["-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-j", "MASQUERADE"];
  await node.mustExec(["iptables", ...masquerade]);
  await node.mustExec(["ip6tables", ...masquerade]);
  return `[Interface]
PrivateKey = ${client.privateKey}
Address = ${TUNNEL.ipv4}.2/32, ${TUNNEL.ipv6}2/128
DNS = ${dns}
MTU = 1420

[Peer]
PublicKey = ${server.publicKey}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = ${WAN.customer.ipv4}:${WIREGUARD_PORT}
PersistentKeepalive = 25
`;
}

/** Source addresses the web server must see for traffic that left through this exit. */
export const EXIT_SOURCES = { ipv4: WAN.customer.ipv4, ipv6: LAN.node.ipv6 } as const;

async function keyPair(host: LabHost): Promise<{ privateKey: string; publicKey: string }> {
  const privateKey = (await host.mustExec(["wg", "genkey"])).trim();
  const publicKey = (await host.mustExec(["wg", "pubkey"], { input: `${privateKey}\n` })).trim();
  return { privateKey, publicKey };
}
