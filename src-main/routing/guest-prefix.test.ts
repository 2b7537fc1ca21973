import { describe, expect, it } from "vitest";
import { parsePrefix } from "../../src-shared/net/address.ts";
import { isUsableGuestPrefix } from "../../src-shared/network-spec.ts";
import { unwrap } from "../../src-shared/result.ts";
import { chooseGuestPrefixes as choose, type GuestPrefixQuestion, type StoredPrefixes } from "./guest-prefix.ts";
import { HOME, link, observation } from "./testing/observation.ts";

const AUTO = { guestIpv4: "auto", guestIpv6: "auto" } as const;
const random = () => Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0x9a);

function chooseGuestPrefixes(
  settings: GuestPrefixQuestion["settings"],
  seen: GuestPrefixQuestion["observation"],
  stored: StoredPrefixes,
) {
  return choose({ settings, observation: seen, ownInterface: "higgs0", stored, random });
}

describe("chooseGuestPrefixes", () => {
  it("takes 10.66.0.0/16 and a random unique local /64, where nothing is in the way or nothing was looked at", () => {
    for (const seen of [HOME, { links: [], routes: [] }]) {
      expect(unwrap(chooseGuestPrefixes(AUTO, seen, {}))).toEqual({
        ipv4: "10.66.0.0/16",
        ipv6: "fd12:3456:789a::/64",
        remember: { ipv4: "10.66.0.0/16", ula: "fd12:3456:789a::/64" },
        notes: [],
      });
    }
  });

  it.each([
    [["10.66.4.0/24 dev tun0"], "10.67.0.0/16"],
    [["10.66.0.0/15 dev tun0", "10.68.0.1/32 dev tun0"], "10.69.0.0/16"],
    [["10.64.0.0/10 dev tun0", "10.128.0.0/9 dev tun0"], "10.0.0.0/16"],
    [["10.0.0.0/8 dev tun0"], "172.16.0.0/16"],
    [["10.0.0.0/8 dev tun0", "172.16.0.0/12 dev tun0"], "100.64.0.0/16"],
  ])("goes on to the next free network when %j are in use", (routes, expected) => {
    const chosen = unwrap(chooseGuestPrefixes(AUTO, observation([], routes), {}));
    expect(chosen.ipv4).toBe(expected);
    const parsed = parsePrefix(chosen.ipv4);
    expect(parsed !== undefined && isUsableGuestPrefix(parsed)).toBe(true);
  });

  it("keeps what an earlier start chose, also when the first choice has become free", () => {
    const stored = { ipv4: "10.70.0.0/16", ula: "fd99:1:2::/64" };
    expect(unwrap(chooseGuestPrefixes(AUTO, HOME, stored))).toMatchObject({
      ipv4: "10.70.0.0/16",
      ipv6: "fd99:1:2::/64",
      notes: [],
    });
  });

  it("leaves what an earlier start chose when something else uses it now, and says so", () => {
    const seen = observation([link("tun0", ["10.70.1.1/24", "fd99:1:2::1/64"])], []);
    const stored = { ipv4: "10.70.0.0/16", ula: "fd99:1:2::/64" };
    expect(unwrap(chooseGuestPrefixes(AUTO, seen, stored))).toMatchObject({
      ipv4: "10.66.0.0/16",
      ipv6: "fd12:3456:789a::/64",
      notes: [{ code: "guest-prefix-changed" }, { code: "guest-prefix-changed" }],
    });
  });

  it("does not believe stored prefixes that could not be guests' prefixes", () => {
    const stored = { ipv4: "8.8.8.0/24", ula: "2001:db8::/64" };
    expect(unwrap(chooseGuestPrefixes(AUTO, HOME, stored))).toMatchObject({
      ipv4: "10.66.0.0/16",
      remember: { ula: "fd12:3456:789a::/64" },
    });
  });

  it("refuses a prefix that the owner has set and that collides, naming the route and the way out", () => {
    const result = chooseGuestPrefixes({ ...AUTO, guestIpv4: "192.168.0.0/16" }, HOME, {});
    expect(result).toMatchObject({ ok: false, error: { code: "prefix-conflict" } });
    if (!result.ok) {
      expect(result.error.message).toContain("192.168.1.0/24 on eth0");
      expect(result.error.hint).toContain("guestIpv4");
    }
    expect(chooseGuestPrefixes({ ...AUTO, guestIpv6: "fd00:aaaa:bbbb:1::/64" }, HOME, {})).toMatchObject({
      ok: false,
      error: { code: "prefix-conflict" },
    });
  });

  it("takes what the owner has set, keeps the unique local prefix for later, and gives no IPv6 where it is off", () => {
    const set = { guestIpv4: "192.168.99.0/24", guestIpv6: "off" } as const;
    expect(unwrap(chooseGuestPrefixes(set, HOME, { ula: "fd99:1:2::/64" }))).toMatchObject({
      ipv4: "192.168.99.0/24",
      ipv6: null,
      remember: { ula: "fd99:1:2::/64" },
    });
  });

  it("is not put off by a VPN that routes all unique local addresses, but says when no IPv4 network is left", () => {
    const vpn = observation([], ["fc00::/7 dev tun0"]);
    expect(unwrap(chooseGuestPrefixes(AUTO, vpn, {})).ipv6).toBe("fd12:3456:789a::/64");
    const greedy = observation([], ["10.0.0.0/8 dev tun0", "172.16.0.0/12 dev tun0", "100.64.0.0/10 dev tun0"]);
    expect(chooseGuestPrefixes(AUTO, greedy, {})).toMatchObject({
      ok: false,
      error: { code: "no-free-prefix" },
    });
  });
});
