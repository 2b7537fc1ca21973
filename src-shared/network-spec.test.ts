import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prefix } from "./net/address.ts";
import {
  interfaceNameSchema,
  isUsableGuestPrefix,
  MAX_PEERS,
  type NetworkSpec,
  networkSpecSchema,
  ownInterfaceSchema,
} from "./network-spec.ts";
import { sampleIpv4Spec, sampleKey, samplePeer, sampleSpec, validSpecs } from "./testing/sample-spec.ts";

/** The first complaint, or undefined where the spec is taken. */
function complaintAbout(candidate: unknown): string | undefined {
  const parsed = networkSpecSchema.safeParse(candidate);
  if (parsed.success) return undefined;
  const issue = parsed.error.issues[0];
  return `${issue?.path.join(".")}: ${issue?.message}`;
}

function withPeers(peers: unknown): unknown {
  const spec = sampleSpec();
  return { ...spec, wireguard: { ...spec.wireguard, peers } };
}

describe("valid specs", () => {
  it("are taken, and come out the same a second time", () => {
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        expect(networkSpecSchema.parse(spec)).toEqual(spec);
        expect(networkSpecSchema.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
      }),
    );
  });

  it("include the samples", () => {
    expect(complaintAbout(sampleSpec())).toBeUndefined();
    expect(complaintAbout(sampleIpv4Spec())).toBeUndefined();
    expect(complaintAbout(withPeers([samplePeer(0), samplePeer(1)]))).toBeUndefined();
  });

  it("have room for as many peers as a home node can ever serve, and not for one more", () => {
    const peers = Array.from({ length: MAX_PEERS + 1 }, (_, index) => samplePeer(index));
    expect(complaintAbout(withPeers(peers.slice(0, MAX_PEERS)))).toBeUndefined();
    expect(complaintAbout(withPeers(peers))).toMatch(/^wireguard\.peers: Too big/);
  });
});

/** Each takes a valid spec and makes something of it that must be refused. */
const mutations: Record<string, (spec: NetworkSpec) => unknown> = {
  "the interface ../x": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, interfaceName: "../x" } }),
  "the interface eth0": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, interfaceName: "eth0" } }),
  "the interface higgs100": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, interfaceName: "higgs100" } }),
  "an interface with a newline": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, interfaceName: "higgs0\n" } }),
  "an interface with options": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, interfaceName: "higgs0 -j X" } }),
  "the uplink ../../x": (spec) => ({ ...spec, exit: { ...spec.exit, uplinks: ["../../x"] } }),
  "an uplink that is every interface": (spec) => ({ ...spec, exit: { ...spec.exit, uplinks: ["all"] } }),
  "an uplink that is every later interface": (spec) => ({ ...spec, exit: { ...spec.exit, uplinks: ["default"] } }),
  "an uplink with a slash": (spec) => ({ ...spec, exit: { ...spec.exit, uplinks: ["eth0/forwarding"] } }),
  "an empty uplink": (spec) => ({ ...spec, exit: { ...spec.exit, uplinks: [""] } }),
  "seventeen uplinks": (spec) => ({ ...spec, exit: { ...spec.exit, uplinks: Array(17).fill("eth0") } }),
  "a public IPv4 guest network": (spec) => ({
    ...spec,
    guests: { ipv4: "8.8.0.0/16", ipv6: null },
    exit: { ...spec.exit, ipv6: "off" },
    wireguard: { ...spec.wireguard, addresses: ["8.8.0.1/16"], peers: [] },
  }),
  "a guest network that is too wide": (spec) => ({ ...spec, guests: { ...spec.guests, ipv4: "10.0.0.0/8" } }),
  "a guest network that reaches beyond private space": (spec) => ({
    ...spec,
    guests: { ...spec.guests, ipv4: "172.0.0.0/11" },
  }),
  "a global IPv6 guest network": (spec) => ({ ...spec, guests: { ...spec.guests, ipv6: "2a0a:77::/64" } }),
  "families the wrong way round": (spec) => ({ ...spec, guests: { ipv4: "fd00::/64", ipv6: "10.66.0.0/16" } }),
  "guests with host bits": (spec) => ({ ...spec, guests: { ...spec.guests, ipv4: "10.66.0.1/16" } }),
  "no own address": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, addresses: [] } }),
  "an own address outside the guest network": (spec) => ({
    ...spec,
    wireguard: { ...spec.wireguard, addresses: ["192.0.2.1/16", ...spec.wireguard.addresses.slice(1)] },
  }),
  "an own address with another length": (spec) => ({
    ...spec,
    wireguard: {
      ...spec.wireguard,
      addresses: spec.wireguard.addresses.map((address) => address.replace(/\/\d+$/, "/29")),
    },
  }),
  "three own addresses": (spec) => ({
    ...spec,
    wireguard: {
      ...spec.wireguard,
      addresses: [...spec.wireguard.addresses, "10.66.0.3/16", "10.66.0.4/16"].slice(0, 3),
    },
  }),
  "port 0": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, listenPort: 0 } }),
  "a port that is text": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, listenPort: "51820" } }),
  "an MTU below what IPv6 needs": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, mtu: 1279 } }),
  "a DNS answerer on a port of the system": (spec) => ({ ...spec, dns: { port: 53 } }),
  "another version": (spec) => ({ ...spec, version: 2 }),
  "another kind of exit": (spec) => ({ ...spec, exit: { ...spec.exit, ipv4: "route" } }),
  "a field at the top": (spec) => ({ ...spec, postUp: "reboot" }),
  "a field of the interface": (spec) => ({ ...spec, wireguard: { ...spec.wireguard, privateKey: sampleKey(0) } }),
  "a field of the exit": (spec) => ({ ...spec, exit: { ...spec.exit, table: "main" } }),
  "a constructor": (spec) => ({ ...spec, constructor: { prototype: {} } }),
  "a prototype": (spec) => JSON.parse(JSON.stringify(spec).replace(/}$/, ',"__proto__":{"polluted":true}}')),
  "a nested prototype": (spec) => JSON.parse(JSON.stringify(spec).replace('"guests":{', '"guests":{"__proto__":{},')),
  "a missing part": ({ isolation: _, ...rest }) => rest,
  "a blocked destination with a newline": (spec) => ({
    ...spec,
    isolation: { ...spec.isolation, blockedDestinations: ["10.0.0.0/8\n-A INPUT -j ACCEPT"] },
  }),
  "a blocked destination that is a name": (spec) => ({
    ...spec,
    isolation: { ...spec.isolation, blockedDestinations: ["example.org"] },
  }),
  "an allowance with another protocol": (spec) => ({
    ...spec,
    isolation: { ...spec.isolation, allowedDestinations: [{ destination: "10.0.0.0/8", protocol: "tcp -j ACCEPT" }] },
  }),
};

describe("a spec is refused", () => {
  it.each(Object.keys(mutations))("with %s", (name) => {
    const mutate = mutations[name] ?? ((spec: NetworkSpec) => spec);
    fc.assert(
      fc.property(validSpecs(), (spec) => {
        expect(networkSpecSchema.safeParse(mutate(spec)).success).toBe(false);
      }),
      { numRuns: 20 },
    );
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ["a peer outside the guest network", [{ ...samplePeer(0), allowedIps: ["192.168.1.2/32"] }]],
    ["a peer that takes the whole guest network", [{ ...samplePeer(0), allowedIps: ["10.66.0.0/16"] }]],
    ["a peer that takes everything", [{ ...samplePeer(0), allowedIps: ["0.0.0.0/0"] }]],
    ["a peer that takes everything over IPv6", [{ ...samplePeer(0), allowedIps: ["::/0"] }]],
    ["a peer that takes the node's own address", [{ ...samplePeer(0), allowedIps: ["10.66.0.1/32"] }]],
    ["the same key twice", [samplePeer(0), { ...samplePeer(1), publicKey: samplePeer(0).publicKey }]],
    ["the same address twice", [samplePeer(0), { ...samplePeer(1), allowedIps: samplePeer(0).allowedIps }]],
    [
      "the same IPv6 address written in two ways",
      [
        { ...samplePeer(0), allowedIps: ["fd00:1:2:3::5/128"] },
        { ...samplePeer(1), allowedIps: ["FD00:1:2:3:0:0:0:5/128"] },
      ],
    ],
    ["an address twice in one peer", [{ ...samplePeer(0), allowedIps: ["10.66.0.2/32", "10.66.0.2/32"] }]],
    ["a key with a line after it", [{ ...samplePeer(0), publicKey: `${sampleKey(0)}\nEndpoint = 192.0.2.1:1` }]],
    ["a shared key that is none", [{ ...samplePeer(0), presharedKey: "secret" }]],
    ["an endpoint with a line after it", [{ ...samplePeer(0), endpoint: { host: "192.0.2.1\n[Peer]", port: 1 } }]],
    ["a keepalive that is text", [{ ...samplePeer(0), persistentKeepaliveSeconds: "25" }]],
    ["a field of a peer", [{ ...samplePeer(0), name: "x" }]],
    ["peers that are no list", { length: 1, 0: samplePeer(0) }],
  ])("with %s", (_, peers) => {
    expect(complaintAbout(withPeers(peers))).toBeDefined();
  });

  it("with IPv6 for guests that have none", () => {
    const spec = sampleIpv4Spec();
    expect(complaintAbout({ ...spec, exit: { ...spec.exit, ipv6: "nat66" } })).toMatch(/^exit\.ipv6: /);
  });

  it.each<[string, Record<string, unknown>]>([
    ["unique local addresses that leave untranslated", { ipv6: "routed" }],
    ["a translated prefix that is not named", { ipv6: "nptv6" }],
    ["a prefix where nothing is translated to it", { ipv6: "nat66", ipv6Prefix: "2a0a:66:0:1::/64" }],
    ["a translated prefix of another length", { ipv6: "nptv6", ipv6Prefix: "2a0a:66::/56" }],
    ["a translated prefix that is not global", { ipv6: "nptv6", ipv6Prefix: "fd00:9::/64" }],
    ["a translated prefix of IPv4", { ipv6: "nptv6", ipv6Prefix: "11.22.33.0/24" }],
  ])("with %s", (_case, exit) => {
    const spec = sampleSpec();
    expect(complaintAbout({ ...spec, exit: { ...spec.exit, ...exit } })).toMatch(/^exit\.ipv6/);
  });

  it("with global addresses that leave translated", () => {
    const spec = sampleSpec();
    const routed = {
      ...spec,
      guests: { ...spec.guests, ipv6: "2a0a:66:0:1::/64" },
      wireguard: { ...spec.wireguard, addresses: ["10.66.0.1/16", "2a0a:66:0:1::1/64"], peers: [] },
    };
    expect(complaintAbout({ ...routed, exit: { ...spec.exit, ipv6: "nat66" } })).toMatch(/^exit\.ipv6: /);
    expect(networkSpecSchema.safeParse({ ...routed, exit: { ...spec.exit, ipv6: "routed" } }).error).toBeUndefined();
  });

  it("and never with a crash, whatever stands in its place", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.json().map((text): unknown => JSON.parse(text)),
        ),
        (candidate) => {
          expect(networkSpecSchema.safeParse(candidate).success).toBe(false);
        },
      ),
    );
  });

  it("or taken, and never with a crash, whatever stands in the place of one part", () => {
    const paths = ["version", "wireguard", "guests", "exit", "isolation", "dns"] as const;
    const deeper = ["addresses", "peers", "listenPort", "interfaceName"] as const;
    fc.assert(
      fc.property(
        validSpecs(),
        fc.constantFrom(...paths),
        fc.constantFrom(...deeper),
        fc.anything(),
        (spec, path, deep, odd) => {
          networkSpecSchema.safeParse({ ...spec, [path]: odd });
          networkSpecSchema.safeParse({ ...spec, wireguard: { ...spec.wireguard, [deep]: odd } });
          networkSpecSchema.safeParse({ ...spec, wireguard: { ...spec.wireguard, [deep]: [odd] } });
        },
      ),
    );
  });
});

describe("interface names", () => {
  it("of ours are higgs0 to higgs99 and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^higgs[0-9\n ]{0,4}$/)), (name) => {
        expect(ownInterfaceSchema.safeParse(name).success).toBe(/^higgs\d\d?$/.test(name) && !name.includes("\n"));
      }),
    );
  });

  it("of others never leave the directory they name, nor stand for all interfaces", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("..", ".", "all", "default", "a/b", "-x", "eth0:1")),
        (name) => {
          if (!interfaceNameSchema.safeParse(name).success) return;
          expect(name).toMatch(/^[^/\s-][^/\s]*$/);
          expect(["", ".", "..", "all", "default"]).not.toContain(name);
          expect(name.length).toBeLessThan(16);
        },
      ),
    );
  });

  it.each(["eth0", "enp0s31f6", "wlx00c0caabcdef", "eth0.100", "br-lan", "veth@if3", "wg_home"])(
    "may be %s",
    (name) => {
      expect(interfaceNameSchema.safeParse(name).success).toBe(true);
    },
  );
});

describe("guest prefixes", () => {
  it.each([
    "10.66.0.0/16",
    "172.16.0.0/16",
    "192.168.0.0/24",
    "100.64.0.0/30",
    "fd00::/64",
    "fc00::/120",
    "2a0a:66:0:1::/64",
  ])("may be %s", (text) => {
    expect(isUsableGuestPrefix(prefix(text))).toBe(true);
  });

  it.each([
    "10.0.0.0/15",
    "10.66.0.0/31",
    "172.32.0.0/16",
    "192.169.0.0/16",
    "100.128.0.0/16",
    "fd00::/63",
    "fd00::/121",
    "fe80::/64",
    "2a0a:66::/56",
    "2002:a00:1::/64",
  ])("may not be %s", (text) => {
    expect(isUsableGuestPrefix(prefix(text))).toBe(false);
  });
});
