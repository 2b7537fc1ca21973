/** The configuration a guest is given, in the format of wg-quick(8). */
import { bitsOf, parseAddress } from "../../src-shared/net/address.ts";
import { type Endpoint, formatEndpoint } from "../../src-shared/net/endpoint.ts";

/** Keeps the guest's own NAT open: most forget a UDP flow after 30 s or more (RFC 4787, REQ-5; wg(8)). */
export const KEEPALIVE_SECONDS = 25;

/**
 * Everything goes through the tunnel, IPv6 also where the node has none to offer: left out, the guest's IPv6
 * traffic would go around the tunnel under the guest's own address, which is what the guest wants to hide.
 * The node refuses it instead, and programs turn to IPv4.
 */
const ALLOWED_IPS: readonly string[] = ["0.0.0.0/0", "::/0"];

/**
 * Stands in where the node has no IPv6 address for the guest. Some platforms route `::/0` into a tunnel only if
 * the tunnel has an IPv6 address. It is a unique local one on purpose: source and destination then
 * have different labels (RFC 6724, section 5, rule 5), so that programs try IPv4 first and do not wait for IPv6.
 * No peer of the node has it, so nothing sent from it is let in.
 */
const NO_IPV6_ADDRESS = "fd48:6967:6773:4e6f:6465::2";

export interface ClientConfigParts {
  privateKey: string;
  /** The guest's tunnel addresses, without prefix length. */
  addresses: readonly string[];
  /** The node's tunnel addresses, where it answers DNS; empty leaves the guest's own resolvers. */
  dns: readonly string[];
  mtu: number;
  serverPublicKey: string;
  presharedKey: string | null;
  endpoint: Endpoint;
  allowedIps?: readonly string[];
  persistentKeepaliveSeconds?: number;
}

/** Text for `wg-quick up`; through `wg-quick strip` also for `wg setconf`, which knows no Address, DNS and MTU. */
export function renderClientConfig(parts: ClientConfigParts): string {
  const hasIpv6 = parts.addresses.some((address) => parseAddress(address)?.family === 6);
  const addresses = hasIpv6 ? parts.addresses : [...parts.addresses, NO_IPV6_ADDRESS];
  const lines = [
    "[Interface]",
    `PrivateKey = ${parts.privateKey}`,
    `Address = ${addresses.map(asHostPrefix).join(", ")}`,
    ...(parts.dns.length === 0 ? [] : [`DNS = ${parts.dns.join(", ")}`]),
    `MTU = ${parts.mtu}`,
    "",
    "[Peer]",
    `PublicKey = ${parts.serverPublicKey}`,
    ...(parts.presharedKey === null ? [] : [`PresharedKey = ${parts.presharedKey}`]),
    `Endpoint = ${formatEndpoint(parts.endpoint)}`,
    `AllowedIPs = ${(parts.allowedIps ?? ALLOWED_IPS).join(", ")}`,
    `PersistentKeepalive = ${parts.persistentKeepaliveSeconds ?? KEEPALIVE_SECONDS}`,
  ];
  return `${lines.join("\n")}\n`;
}

function asHostPrefix(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new TypeError("a client address that is none");
  return `${address}/${bitsOf(parsed.family)}`;
}
