import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { containsPrefix, formatPrefix, type Prefix, parsePrefix, prefix } from "../../src-shared/net/address.ts";
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import { networkSpecSchema } from "../../src-shared/network-spec.ts";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { addressesOf, hostPrefixOf, nodeAddressesOf } from "../clients/address-allocator.ts";
import { ClientRegistry } from "../clients/client-registry.ts";
import type { Ipv6Choice } from "../ipv6/choose-ipv6.ts";
import { onLinkPrefixes, readUplinks } from "../routing/network-route-manager.ts";
import { HOME } from "../routing/testing/observation.ts";
import { migrate } from "../storage/migrations.ts";
import { WireGuardManager } from "../wireguard/wireguard-manager.ts";
import { buildNetworkSpec, type SpecParts } from "./network-spec-builder.ts";

const OFF: Ipv6Choice = { mode: "off", reason: { code: "ipv6-switched-off", message: "" } };

const PREFIXES = { ipv4: "10.66.0.0/16", ipv6: "fd12:3456:789a::/64" };

function home(more: Partial<SpecParts> = {}): SpecParts {
  return {
    settings: DEFAULT_SETTINGS,
    prefixes: PREFIXES,
    uplinks: readUplinks(HOME, "higgs0"),
    onLink: onLinkPrefixes(HOME, "higgs0"),
    wireguard: {
      interfaceName: "higgs0",
      listenPort: 51820,
      mtu: 1420,
      addresses: nodeAddressesOf(PREFIXES),
      peers: [],
    },
    dnsPort: 20053,
    ipv6: { mode: "nat66", reason: "" },
    ...more,
  };
}

const ipv4Prefix = fc
  .record({ value: fc.nat(0xffffff), length: fc.integer({ min: 0, max: 32 }) })
  .map(({ value, length }) =>
    formatPrefix(parsePrefix(`${(value >> 16) & 255}.${(value >> 8) & 255}.${value & 255}.7/${length}`) as Prefix),
  );
const ipv6Prefix = fc
  .record({ value: fc.nat(0xffff), length: fc.integer({ min: 3, max: 128 }) })
  .map(({ value, length }) =>
    formatPrefix(
      parsePrefix(`2${value.toString(16).padStart(4, "0").slice(1)}:${value.toString(16)}::1/${length}`) as Prefix,
    ),
  );
const uplink = fc.option(
  fc.record({
    interfaceName: fc.string({ maxLength: 20 }),
    gateway: fc.constant(null),
    addresses: fc.constant(["192.0.2.1"]),
  }),
);

function key(n: number): string {
  return createHash("sha256").update(String(n)).digest("base64");
}

describe("buildNetworkSpec", () => {
  it("keeps guests out of the home network in both families and refuses mail by default", () => {
    const spec = networkSpecSchema.parse(buildNetworkSpec(home()));
    expect(spec.exit).toEqual({ uplinks: ["eth0"], ipv4: "masquerade", ipv6: "nat66" });
    const blocked = spec.isolation.blockedDestinations.map(prefix);
    for (const text of ["192.168.1.0/24", "2001:db8:1:2::/64", "fd00:aaaa:bbbb:1::/64", "169.254.169.254/32"]) {
      expect(blocked.some((outer) => containsPrefix(outer, prefix(text)))).toBe(true);
    }
    expect(blocked.some((outer) => containsPrefix(outer, prefix("1.1.1.1/32")))).toBe(false);
    expect(spec.isolation.blockedPorts).toEqual([{ protocol: "tcp", port: 25 }]);
    expect(spec.dns).toEqual({ port: 20053 });
  });

  it("gives no IPv6 where it is not wanted, the machine has none, or guests have no prefix", () => {
    const noPrefix = { ipv4: PREFIXES.ipv4, ipv6: null };
    for (const parts of [
      home({ ipv6: OFF }),
      home({ uplinks: { ...readUplinks(HOME, "higgs0"), ipv6: null } }),
      home({ prefixes: noPrefix, wireguard: { ...home().wireguard, addresses: nodeAddressesOf(noPrefix) } }),
    ]) {
      expect(networkSpecSchema.parse(buildNetworkSpec(parts)).exit.ipv6).toBe("off");
    }
  });

  it("refuses guests more ports where the owner is strict, and none where the owner wants that", () => {
    const strict = buildNetworkSpec(home({ settings: { ...DEFAULT_SETTINGS, blockedPorts: "strict" } }));
    expect(networkSpecSchema.parse(strict).isolation.blockedPorts).toContainEqual({ protocol: "tcp", port: 445 });
    const none = buildNetworkSpec(home({ settings: { ...DEFAULT_SETTINGS, blockedPorts: "none" } }));
    expect(none.isolation.blockedPorts).toEqual([]);
  });

  it("is always a spec that the helper accepts, and never refuses guests less than it was told to", () => {
    fc.assert(
      fc.property(
        fc.record({
          onLink: fc.array(fc.oneof(ipv4Prefix, ipv6Prefix), { maxLength: 400 }),
          ipv4: uplink,
          ipv6: uplink,
          all: fc.array(fc.oneof(fc.string({ maxLength: 20 }), fc.constant("eth0")), { maxLength: 30 }),
          clients: fc.uniqueArray(fc.integer({ min: 2, max: 65_534 }), { maxLength: 30 }),
          guestIpv6: fc.option(fc.constant("fd12:3456:789a::/64")),
          dnsPort: fc.option(fc.integer({ min: 1024, max: 65_535 })),
          ipv6Choice: fc.constantFrom<Ipv6Choice>(
            OFF,
            { mode: "nat66", reason: "" },
            { mode: "nptv6", prefix: "2a0a:88:1:2::/64", reason: "" },
          ),
          blockedPorts: fc.constantFrom("none" as const, "standard" as const, "strict" as const),
        }),
        ({ onLink, ipv4, ipv6, all, clients, guestIpv6, dnsPort, ipv6Choice, blockedPorts }) => {
          const prefixes = { ipv4: "10.66.0.0/16", ipv6: guestIpv6 };
          const peers = clients.map((n) => ({
            publicKey: key(n),
            allowedIps: (addressesOf(n, prefixes) ?? []).map(hostPrefixOf),
          }));
          const wireguard = { ...home().wireguard, addresses: nodeAddressesOf(prefixes), peers };
          const settings = { ...DEFAULT_SETTINGS, blockedPorts };
          const spec = buildNetworkSpec({
            settings,
            prefixes,
            uplinks: { ipv4, ipv6, all },
            onLink,
            wireguard,
            dnsPort,
            ipv6: ipv6Choice,
          });
          expect(networkSpecSchema.safeParse(spec).error).toBeUndefined();
          const blocked = spec.isolation.blockedDestinations.map(prefix);
          for (const text of onLink) expect(blocked.some((outer) => containsPrefix(outer, prefix(text)))).toBe(true);
        },
      ),
    );
  });
});

describe("WireGuardManager", () => {
  it("gives each client a peer, but not the paused ones and those the guest network has no room for", () => {
    const db = new DatabaseSync(":memory:");
    migrate(db);
    const registry = new ClientRegistry({ db, clock: new FakeClock(), settings: () => DEFAULT_SETTINGS });
    const manager = new WireGuardManager({ registry });
    for (const name of ["Ann", "Ben", "Cem"]) unwrap(registry.add(name));
    unwrap(registry.pause("Ben"));
    const wireguard = manager.contribute(DEFAULT_SETTINGS, PREFIXES);
    expect(wireguard.addresses).toEqual(["10.66.0.1/16", "fd12:3456:789a::1/64"]);
    expect(wireguard.peers.map((peer) => peer.allowedIps)).toEqual([
      ["10.66.0.2/32", "fd12:3456:789a::2/128"],
      ["10.66.0.4/32", "fd12:3456:789a::4/128"],
    ]);
    networkSpecSchema.parse(buildNetworkSpec(home({ wireguard })));
    const small = { ipv4: "10.66.0.0/30", ipv6: null };
    expect(manager.contribute(DEFAULT_SETTINGS, small).peers).toHaveLength(1);
    expect(manager.withoutAddress(small).map((client) => client.name)).toEqual(["Ben", "Cem"]);
    const ann = unwrap(registry.find("Ann"));
    const peer = {
      publicKey: ann.publicKey,
      endpoint: null,
      allowedIps: [],
      latestHandshakeAtMs: 1,
      rxBytes: 5,
      txBytes: 6,
    };
    const present: ObservedWireguard = {
      state: "present",
      implementation: "kernel",
      up: true,
      mtu: 1420,
      addresses: [],
      listenPort: 51820,
      publicKey: "",
      peers: [peer],
    };
    manager.recordUsage(present);
    manager.recordUsage({ state: "absent" });
    manager.recordUsage(present);
    expect(unwrap(registry.find("Ann"))).toMatchObject({ rxBytes: 10, txBytes: 12 });
    registry.close();
    db.close();
  });
});
