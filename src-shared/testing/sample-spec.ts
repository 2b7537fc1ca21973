/** Network specs for tests: one that is ordinary, and a generator of valid ones. */
import fc from "fast-check";
import { addressAt, formatAddress, formatPrefix, prefix } from "../net/address.ts";
import { BLOCKED_IPV4, BLOCKED_IPV6 } from "../net/special-prefixes.ts";
import type { ObservedWireguard } from "../network-observation.ts";
import { type NetworkSpec, networkSpecSchema, type PeerSpec } from "../network-spec.ts";

/** A well-formed public key that differs with `index`; nobody has its private half. */
export function sampleKey(index: number): string {
  const digits = index.toString(36).padStart(6, "0");
  return `${"Gu3stKey".padEnd(36, "x")}${digits}A=`;
}

/** The `index`-th guest of the sample networks, with one address per family. */
export function samplePeer(index: number, options: { ipv6?: boolean } = {}): PeerSpec {
  const ipv4 = formatAddress(addressAt(prefix("10.66.0.0/16"), BigInt(index + 2)));
  const ipv6 = formatAddress(addressAt(prefix("fd00:1:2:3::/64"), BigInt(index + 2)));
  const allowedIps = [`${ipv4}/32`, ...(options.ipv6 === false ? [] : [`${ipv6}/128`])];
  return { publicKey: sampleKey(index), allowedIps };
}

/** Both families, DNS, the home network refused, SMTP refused, no guests yet. */
export function sampleSpec(): NetworkSpec {
  return {
    version: 1,
    wireguard: {
      interfaceName: "higgs0",
      listenPort: 51820,
      mtu: 1420,
      addresses: ["10.66.0.1/16", "fd00:1:2:3::1/64"],
      peers: [],
    },
    guests: { ipv4: "10.66.0.0/16", ipv6: "fd00:1:2:3::/64" },
    exit: { uplinks: ["eth0"], ipv4: "masquerade", ipv6: "nat66" },
    isolation: {
      blockedDestinations: [...BLOCKED_IPV4, ...BLOCKED_IPV6],
      allowedDestinations: [],
      blockedPorts: [{ protocol: "tcp", port: 25 }],
    },
    dns: { port: 20053 },
  };
}

/** The same without IPv6. */
export function sampleIpv4Spec(): NetworkSpec {
  const spec = sampleSpec();
  return {
    ...spec,
    wireguard: { ...spec.wireguard, addresses: ["10.66.0.1/16"] },
    guests: { ...spec.guests, ipv6: null },
    exit: { ...spec.exit, ipv6: "off" },
  };
}

const port = fc.integer({ min: 1, max: 65535 });
const protocol = fc.constantFrom("tcp" as const, "udp" as const);
const destination = fc.constantFrom("192.168.77.9/32", "10.0.0.0/8", "0.0.0.0/0", "2a0a:77::/64", "fc00::/7", "::/0");

/** Specs that the schema takes, on interface higgs0, with uplinks of the given names. */
export function validSpecs(
  uplinks: readonly string[] = ["eth0", "eth1", "wlan0", "eth0.100"],
): fc.Arbitrary<NetworkSpec> {
  return fc
    .record({
      ipv4: fc.constantFrom("10.66.0.0/16", "10.77.0.0/24", "192.168.200.0/24", "100.64.8.0/30"),
      ipv6: fc.constantFrom(null, "fd00:1:2:3::/64", "fdff:ffff:ffff:ffff::/120"),
      nat66: fc.boolean(),
      masquerade: fc.boolean(),
      guests: fc.uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 2 }),
      listenPort: port,
      mtu: fc.integer({ min: 1280, max: 1500 }),
      uplinks: fc.subarray([...uplinks]),
      blockedDestinations: fc.array(destination, { maxLength: 4 }),
      allowedDestinations: fc.array(fc.record({ destination, protocol, port }, { requiredKeys: ["destination"] }), {
        maxLength: 3,
      }),
      blockedPorts: fc.array(fc.record({ protocol, port }), { maxLength: 3 }),
      dns: fc.option(fc.record({ port: fc.integer({ min: 1024, max: 65535 }) })),
    })
    .map((parts) => {
      const prefixes = [parts.ipv4, ...(parts.ipv6 === null ? [] : [parts.ipv6])].map(prefix);
      return networkSpecSchema.parse({
        version: 1,
        wireguard: {
          interfaceName: "higgs0",
          listenPort: parts.listenPort,
          mtu: parts.mtu,
          addresses: prefixes.map((each) => `${formatAddress(addressAt(each, 1n))}/${each.length}`),
          peers: parts.guests.map((key, index) => ({
            publicKey: sampleKey(key),
            allowedIps: prefixes.map((each) =>
              formatPrefix({ ...addressAt(each, BigInt(index + 2)), length: each.family === 4 ? 32 : 128 }),
            ),
          })),
        },
        guests: { ipv4: parts.ipv4, ipv6: parts.ipv6 },
        exit: {
          uplinks: parts.uplinks,
          ipv4: parts.masquerade ? "masquerade" : "off",
          ipv6: parts.nat66 && parts.ipv6 !== null ? "nat66" : "off",
        },
        isolation: {
          blockedDestinations: parts.blockedDestinations,
          allowedDestinations: parts.allowedDestinations,
          blockedPorts: parts.blockedPorts,
        },
        dns: parts.dns,
      });
    });
}

export type PresentTunnel = Extract<ObservedWireguard, { state: "present" }>;

/** The tunnel as it is seen where it is just what `spec` asks for, before anybody has connected. */
export function sampleTunnel({ wireguard }: NetworkSpec): PresentTunnel {
  return {
    state: "present",
    implementation: "kernel",
    up: true,
    mtu: wireguard.mtu,
    addresses: wireguard.addresses,
    listenPort: wireguard.listenPort,
    publicKey: "",
    peers: wireguard.peers.map(({ publicKey, allowedIps }) => ({
      publicKey,
      endpoint: null,
      allowedIps,
      latestHandshakeAtMs: null,
      rxBytes: 0,
      txBytes: 0,
    })),
  };
}
