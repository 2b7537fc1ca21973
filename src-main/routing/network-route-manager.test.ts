import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { containsPrefix, formatPrefix, type Prefix, parsePrefix, prefix } from "../../src-shared/net/address.ts";
import { conflictsWith, onLinkPrefixes, readUplinks, withoutContained } from "./network-route-manager.ts";
import { HOME, link, observation } from "./testing/observation.ts";

describe("readUplinks", () => {
  it("finds the uplink of both families with its public address first and no link-local one", () => {
    expect(readUplinks(HOME, "higgs0")).toEqual({
      ipv4: { interfaceName: "eth0", gateway: "192.168.1.1", addresses: ["192.168.1.20"] },
      ipv6: {
        interfaceName: "eth0",
        gateway: "fe80::1",
        addresses: ["2001:db8:1:2::20", "fd00:aaaa:bbbb:1::20"],
      },
      all: ["eth0"],
    });
  });

  it("takes the lowest metric, and lists every interface with a default route", () => {
    const seen = observation(
      [link("wlan0", ["10.1.0.5/24"]), link("eth0", ["192.168.1.20/24"]), link("wwan0", ["100.70.0.9/30"])],
      [
        "default via 10.1.0.1 dev wlan0 metric 600",
        "default via 192.168.1.1 dev eth0 metric 100",
        "default dev wwan0 metric 700",
      ],
    );
    const uplinks = readUplinks(seen, "higgs0");
    expect(uplinks.ipv4?.interfaceName).toBe("eth0");
    expect(uplinks.ipv6).toBeNull();
    expect(uplinks.all).toEqual(["eth0", "wlan0", "wwan0"]);
  });

  it("follows a VPN that overlays the default route with two halves", () => {
    const seen = observation(
      [link("eth0", ["192.168.1.20/24"]), link("tun0", ["10.8.0.2/24"])],
      [
        "default via 192.168.1.1 dev eth0 metric 0",
        "0.0.0.0/1 via 10.8.0.1 dev tun0",
        "128.0.0.0/1 via 10.8.0.1 dev tun0",
      ],
    );
    expect(readUplinks(seen, "higgs0")).toMatchObject({ ipv4: { interfaceName: "tun0" }, all: ["tun0", "eth0"] });
  });

  it("prefers a link that is up, and never takes its own interface, loopback or a blackhole", () => {
    const seen = observation(
      [link("eth0", ["192.168.1.20/24"], false), link("wlan0", ["192.168.2.20/24"]), link("higgs0", ["10.66.0.1/16"])],
      [
        "default dev higgs0 metric 1",
        "default via 192.168.1.1 dev eth0 metric 100",
        "default via 192.168.2.1 dev wlan0 metric 600",
        "default metric 4278198272",
        "default dev lo metric 5",
      ],
    );
    expect(readUplinks(seen, "higgs0")).toMatchObject({ ipv4: { interfaceName: "wlan0" }, all: ["wlan0", "eth0"] });
  });

  it("has no IPv6 uplink where there is a route but only a link-local address", () => {
    const seen = observation([link("eth0", ["fe80::20/64"])], ["default via fe80::1 dev eth0 metric 1024"]);
    expect(readUplinks(seen, "higgs0")).toEqual({ ipv4: null, ipv6: null, all: ["eth0"] });
    expect(readUplinks(observation([], []), "higgs0")).toEqual({ ipv4: null, ipv6: null, all: [] });
  });
});

describe("onLinkPrefixes", () => {
  it("names the home's networks, its public IPv6 prefix among them", () => {
    expect(onLinkPrefixes(HOME, "higgs0")).toEqual(["192.168.1.0/24", "2001:db8:1:2::/64", "fd00:aaaa:bbbb:1::/64"]);
  });

  it("names networks without a route, single hosts, and containers, but not its own", () => {
    const seen = observation(
      [
        link("eth0", ["203.0.113.9/24"]),
        link("ppp0", ["198.51.100.7"]),
        link("docker0", ["172.17.0.1/16"]),
        link("higgs0", ["10.66.0.1/16"]),
      ],
      ["203.0.113.254/32 dev eth0", "198.51.100.1/32 dev ppp0", "10.66.0.0/16 dev higgs0", "172.17.0.0/16 dev docker0"],
    );
    expect(onLinkPrefixes(seen, "higgs0")).toEqual([
      "172.17.0.0/16",
      "198.51.100.1/32",
      "198.51.100.7/32",
      "203.0.113.0/24",
    ]);
  });

  it("does not take a VPN's shares of the internet for networks nearby", () => {
    const seen = observation(
      [link("wg7", ["10.9.0.2/32"])],
      [
        "0.0.0.0/1 dev wg7",
        "128.0.0.0/2 dev wg7",
        "11.0.0.0/8 dev wg7",
        "2000::/3 dev wg7",
        "default dev wg7",
        "10.0.0.0/8 dev wg7",
      ],
    );
    expect(onLinkPrefixes(seen, "higgs0")).toEqual(["10.0.0.0/8"]);
  });
});

describe("conflictsWith", () => {
  it("finds routes and addresses that overlap, and leaves default routes and its own interface aside", () => {
    const seen = observation(
      [link("higgs0", ["10.66.0.1/16"]), link("eth0", ["10.67.3.4/24"])],
      [
        "default via 10.67.3.1 dev eth0",
        "0.0.0.0/1 dev tun0",
        "10.66.0.0/16 dev higgs0",
        "10.68.5.0/24 via 10.67.3.9 dev eth0",
        "10.69.0.0/16",
      ],
    );
    const found = (text: string) =>
      conflictsWith(prefix(text), seen, "higgs0").map((one) => `${formatPrefix(one.prefix)} ${one.interfaceName}`);
    expect(found("10.66.0.0/16")).toEqual([]);
    expect(found("10.67.0.0/16")).toEqual(["10.67.3.0/24 eth0"]);
    expect(found("10.68.0.0/16")).toEqual(["10.68.5.0/24 eth0"]);
    expect(found("10.69.7.0/24")).toEqual(["10.69.0.0/16 null"]);
  });
});

describe("withoutContained", () => {
  it("keeps just the outermost prefixes", () => {
    const any = fc
      .record({ value: fc.nat(0xffff), length: fc.integer({ min: 8, max: 32 }) })
      .map(({ value, length }) => parsePrefix(`10.${value >> 8}.${value & 255}.${value & 255}/${length}`) as Prefix);
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), (prefixes) => {
        const kept = withoutContained(prefixes);
        for (const one of prefixes) expect(kept.filter((outer) => containsPrefix(outer, one))).toHaveLength(1);
        for (const one of kept) expect(prefixes).toContainEqual(one);
      }),
    );
  });
});
