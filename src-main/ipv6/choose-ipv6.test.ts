import { describe, expect, it } from "vitest";
import type { ObservedRoute } from "../../src-shared/network-observation.ts";
import { chooseIpv6, type Ipv6Question } from "./choose-ipv6.ts";

const ULA = "fd12:3456:789a::/64";
const AUTO: Ipv6Question["settings"] = { guestIpv6: "auto", guestIpv6Mode: "auto", guestIpv6Prefix: "auto" };

function route(destination: string): ObservedRoute {
  return { family: 6, destination, gateway: null, interfaceName: "eth0", metric: 256, onLink: true };
}

function choose(
  settings: Partial<Ipv6Question["settings"]> = {},
  more: { guests?: string | null; hasUplink?: boolean; held?: string[]; routes?: string[] } = {},
) {
  const choice = chooseIpv6({
    settings: { ...AUTO, ...settings },
    guests: more.guests === undefined ? ULA : more.guests,
    hasUplink: more.hasUplink ?? true,
    observation: { routes: (more.routes ?? []).map(route), heldPrefixes: more.held ?? [] },
  });
  if (choice.mode === "off") return choice.reason.code;
  return choice.mode === "nptv6" ? `${choice.mode} ${choice.prefix}` : choice.mode;
}

describe("the guests' way out over IPv6", () => {
  it.each<[string, string, string]>([
    ["nothing is known of prefixes", choose(), "nat66"],
    ["it is switched off", choose({ guestIpv6: "off" }), "ipv6-switched-off"],
    ["the machine has none", choose({}, { hasUplink: false }), "ipv6-no-uplink"],
    ["guests have no prefix", choose({}, { guests: null }), "ipv6-no-prefix"],
    ["guests have a global prefix", choose({}, { guests: "2a0a:66:0:1::/64" }), "routed"],
    ["one prefix was named", choose({ guestIpv6Prefix: "2a0a:66:0:1::/64" }), "nptv6 2a0a:66:0:1::/64"],
    ["a larger one was named", choose({ guestIpv6Prefix: "2a0a:66::/56" }), "nptv6 2a0a:66:0:ff::/64"],
    ["a smaller one was named", choose({ guestIpv6Prefix: "2a0a:66::/80" }), "ipv6-prefix-too-small"],
    ["one was delegated", choose({}, { held: ["2a0a:67::/56"] }), "nptv6 2a0a:67:0:ff::/64"],
    [
      "parts of what was delegated are in use",
      choose(
        {},
        { held: ["2a0a:67::/62"], routes: ["2a0a:67:0:3::/64", "2a0a:67:0:2:1::/80", "2a0a:67::/62", "::/0"] },
      ),
      "nptv6 2a0a:67:0:1::/64",
    ],
    [
      "all of what was delegated is in use",
      choose({}, { held: ["2a0a:67::/63"], routes: ["2a0a:67:0:1::/64", "2a0a:67::/64"] }),
      "nat66",
    ],
    ["what is held is not global", choose({}, { held: ["fd00::/48", "nonsense"] }), "nat66"],
    ["translation to one address was chosen", choose({ guestIpv6Mode: "nat66" }, { held: ["2a0a:67::/56"] }), "nat66"],
    ["a prefix is insisted on and there is none", choose({ guestIpv6Mode: "nptv6" }), "ipv6-no-prefix"],
  ])("is chosen where %s", (_case, chosen, expected) => {
    expect(chosen).toBe(expected);
  });
});
