import { describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../../src-shared/model/settings.ts";
import { abilityOf } from "./host-view.ts";
import {
  asChange,
  guestIpv6Choice,
  linesOf,
  parseCaFile,
  parseEgressTargets,
  parseGuestIpv4,
  parseGuestIpv6,
  parseGuestIpv6Prefix,
  parseListenPort,
  parseMtu,
  parsePublicEndpoint,
  parseRatePair,
  parseRelayServers,
  publicEndpointText,
  textOrEmpty,
} from "./settings-form.ts";

describe("relay servers", () => {
  it("are one per line, however they are parted, each once and in one form", () => {
    expect(parseRelayServers(" wss://Relay.example.org/\n wss://b.example:443, wss://b.example:443", false)).toEqual({
      ok: true,
      value: ["wss://relay.example.org", "wss://b.example"],
    });
    expect(parseRelayServers("", false)).toEqual({ ok: true, value: [] });
  });

  it("name the line that is wrong", () => {
    expect(parseRelayServers("wss://a.example https://b.example", false)).toEqual({
      ok: false,
      problem: { key: "relay.serverInvalid", text: "https://b.example" },
    });
  });

  it("are encrypted, unless the owner allows otherwise or they are on this computer", () => {
    expect(parseRelayServers("ws://a.example", false)).toMatchObject({ problem: { key: "relay.serverPlain" } });
    expect(parseRelayServers("ws://a.example", true).ok).toBe(true);
    expect(parseRelayServers("ws://127.0.0.1:8080", false).ok).toBe(true);
  });

  it("are at most as many as the setting holds", () => {
    const many = Array.from({ length: 9 }, (_, index) => `wss://r${index}.example`).join("\n");
    expect(parseRelayServers(many, false)).toMatchObject({ problem: { key: "relay.serverTooMany" } });
  });
});

describe("numbers", () => {
  it.each([
    ["51820", 51820],
    [" 1 ", 1],
  ])("port %j", (text, value) => {
    expect(parseListenPort(text)).toEqual({ ok: true, value });
  });

  it.each(["", "0", "65536", "51820x", "1e3", "-1"])("no port: %j", (text) => {
    expect(parseListenPort(text)).toEqual({ ok: false, problem: { key: "way.listenPortInvalid" } });
  });

  it.each([
    ["1280", true],
    ["1500", true],
    ["1279", false],
    ["9000", false],
  ])("MTU %s", (text, holds) => {
    expect(parseMtu(text).ok).toBe(holds);
  });
});

describe("addresses", () => {
  it("are found out by itself where the field is empty", () => {
    expect(parsePublicEndpoint("  ")).toEqual({ ok: true, value: "auto" });
    expect(parseGuestIpv4("")).toEqual({ ok: true, value: "auto" });
    expect(parseGuestIpv6Prefix("")).toEqual({ ok: true, value: "auto" });
    expect(publicEndpointText("auto")).toBe("");
    expect(textOrEmpty("auto")).toBe("");
  });

  it("are read as people write them, and written back the same", () => {
    const endpoint = parsePublicEndpoint("[2001:db8::1]:51820");
    expect(endpoint).toEqual({ ok: true, value: { host: "2001:db8::1", port: 51820 } });
    expect(endpoint.ok && publicEndpointText(endpoint.value)).toBe("[2001:db8::1]:51820");
    expect(parseGuestIpv4("10.99.0.0/16").ok).toBe(true);
    expect(parseGuestIpv6("own", "fd12:3456:789a:1::/64").ok).toBe(true);
    expect(parseCaFile(" /etc/ca.pem ")).toEqual({ ok: true, value: "/etc/ca.pem" });
  });

  it.each([
    [parsePublicEndpoint("home.example.org"), "way.publicEndpointInvalid"],
    [parseGuestIpv4("8.8.8.0/24"), "advanced.guestIpv4Invalid"],
    [parseGuestIpv6("own", "auto"), "advanced.guestIpv6Invalid"],
    [parseGuestIpv6("own", "fd00::/32"), "advanced.guestIpv6Invalid"],
    [parseGuestIpv6Prefix("fd00::/64"), "advanced.guestIpv6PrefixInvalid"],
    [parseCaFile("x".repeat(5000)), "relay.caFileInvalid"],
  ])("are refused with a sentence of their own: %j", (result, key) => {
    expect(result).toMatchObject({ ok: false, problem: { key } });
  });

  it("of guests over IPv6 are by themselves, off, or the owner's", () => {
    expect(guestIpv6Choice("auto")).toBe("auto");
    expect(guestIpv6Choice("fd12:3456:789a:1::/64")).toBe("own");
    expect(parseGuestIpv6("off", "whatever stands in the hidden field")).toEqual({ ok: true, value: "off" });
  });

  it("to try are addresses with ports", () => {
    expect(parseEgressTargets("1.1.1.1:443\n[2606:4700:4700::1111]:443").ok).toBe(true);
    expect(parseEgressTargets("1.1.1.1")).toEqual({
      ok: false,
      problem: { key: "advanced.egressTargetInvalid", text: "1.1.1.1" },
    });
    expect(parseEgressTargets(DEFAULT_SETTINGS.egressTargets.join("\n"))).toEqual({
      ok: true,
      value: DEFAULT_SETTINGS.egressTargets,
    });
    expect(linesOf(" a , b;c\n\n")).toEqual(["a", "b", "c"]);
  });
});

describe("speeds", () => {
  it("are a pair in Mbit/s, and none at all where both fields are empty", () => {
    expect(parseRatePair("uplinkRate", "100", { down: "100", up: "12,5" })).toEqual({
      ok: true,
      value: { down: "100mbit", up: "12500kbit" },
    });
    expect(parseRatePair("totalRate", "", { down: "", up: "20" })).toEqual({
      ok: true,
      value: { down: null, up: "20mbit" },
    });
    expect(parseRatePair("totalRate", " ", { down: " ", up: "" })).toEqual({ ok: true, value: null });
  });

  it.each(["fast", "0", "-1", "0.001", "999999999"])("refuse %j in the field where it stands", (own) => {
    expect(parseRatePair("totalRate", own, { down: own, up: "1" })).toEqual({
      ok: false,
      problem: { key: "share.rateInvalid" },
    });
  });
});

describe("a field as a change", () => {
  it("names its setting, or keeps its problem", () => {
    expect(asChange("mtu", parseMtu("1400"))).toEqual({ ok: true, value: { mtu: 1400 } });
    expect(asChange("mtu", parseMtu("1"))).toEqual({ ok: false, problem: { key: "advanced.mtuInvalid" } });
  });
});

describe("what the host can do", () => {
  const facts = { kind: "desktop", canStartAtLogin: true, canKeepAwake: false } as const;

  it("is told apart from what is not known, and from why it cannot", () => {
    expect(abilityOf(facts, "canStartAtLogin", false)).toBe("can");
    expect(abilityOf(facts, "canKeepAwake", false)).toBe("cannot");
    expect(abilityOf({ ...facts, kind: "headless" }, "canKeepAwake", false)).toBe("headless");
    expect(abilityOf(undefined, "canKeepAwake", false)).toBe("asking");
    expect(abilityOf(undefined, "canKeepAwake", true)).toBe("unknown");
  });
});
