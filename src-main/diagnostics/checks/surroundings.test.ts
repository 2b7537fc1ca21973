/** The checks of what the node knows of the world: reachability, relay, IPv6, limits, MTU. */
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { PathMtu } from "../../../src-shared/helper/diagnostics.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../../src-shared/model/settings.ts";
import { ok } from "../../../src-shared/result.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { CAPABILITIES } from "../../node/testing/fake-machine.ts";
import { HOME, link } from "../../routing/testing/observation.ts";
import type { CheckContext, NodeStatus, Verdict } from "../check.ts";
import { alone, EXIT, PLAN, RUNNING, SHARING_MACHINE, sharing, verdictOf } from "../testing/check-context.ts";
import { ipv6Checks } from "./ipv6.ts";
import { limitChecks } from "./limits.ts";
import { mtuChecks } from "./mtu.ts";
import { reachabilityChecks } from "./reachability.ts";
import { relayChecks } from "./relay.ts";

const AT = "2026-07-01T00:00:00.000Z";
const CONNECTED: NodeStatus["relay"] = {
  state: "connected",
  since: AT,
  url: "wss://relay.example.org",
  rttMs: 20,
  publicEndpoint: { host: "192.0.2.9", port: 40_000 },
  nodeId: "n",
  sessions: 0,
  rxBytes: 0,
  txBytes: 0,
  dropped: 0,
};
const UNREACHABLE: NodeStatus["reachability"] = {
  state: "unreachable",
  endpoint: { host: "192.0.2.7", port: 51_820 },
  since: AT,
  checkedAt: AT,
  reason: { code: "silence", message: "Nobody answered." },
  advice: [{ code: "forward-on-router", text: "Forward the port." }],
};
const REFUSED: NodeStatus["portMapping"] = {
  state: "unavailable",
  since: AT,
  reason: { code: "router-refused", message: "The router refuses." },
  nextProbeAt: null,
};

function status(more: Partial<NodeStatus> = {}): NodeStatus {
  const { reachability, natPath } = NOT_LOOKED;
  return { relay: { state: "off" }, portMapping: { state: "off" }, reachability, natPath, ...more };
}

function online(more: Partial<NodeStatus> = {}, settings: Partial<Settings> = {}): CheckContext {
  return { ...sharing(), status: status(more), settings: { ...DEFAULT_SETTINGS, egressTargets: [], ...settings } };
}

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

describe("reachability", () => {
  const ask = (id: string, context: CheckContext) => verdictOf(reachabilityChecks, id, context);

  it.each(["reachability.mapping", "reachability.outside", "reachability.nat-path"])(
    "is not told by %s without a node that shares",
    async (id) => {
      expect(await ask(id, sharing())).toEqual({ outcome: "skipped", detail: "No node is running." });
      expect(await ask(id, alone({}, { status: status() }))).toEqual({ outcome: "skipped", detail: "Sharing is off." });
    },
  );

  it("warns of a router that refuses, unless guests have another way", async () => {
    expect((await ask("reachability.mapping", online({ portMapping: REFUSED }))).outcome).toBe("warn");
    const named = online({ portMapping: REFUSED }, { publicEndpoint: { host: "home.example.org", port: 51_820 } });
    expect((await ask("reachability.mapping", named)).outcome).toBe("skipped");
    const reachability = {
      state: "reachable",
      endpoint: UNREACHABLE.endpoint,
      since: AT,
      provenAt: AT,
      ms: 9,
    } as const;
    expect((await ask("reachability.mapping", online({ portMapping: REFUSED, reachability }))).outcome).toBe("pass");
    expect((await ask("reachability.outside", online({ reachability }))).detail).toContain("192.0.2.7:51820");
  });

  it("fails where nobody gets in, and warns where the relay lets them in", async () => {
    expect(await ask("reachability.outside", online({ reachability: UNREACHABLE }))).toMatchObject({
      outcome: "fail",
      fix: "Forward the port.",
    });
    const relayed = online({ reachability: UNREACHABLE, relay: CONNECTED });
    expect((await ask("reachability.outside", relayed)).outcome).toBe("warn");
    expect((await ask("reachability.outside", online())).outcome).toBe("skipped");
  });

  it("warns of another address translation in front, where it keeps guests out", async () => {
    const natPath = {
      state: "known",
      verdict: "carrier-nat",
      hops: [],
      publicAddress: null,
      reason: { code: "carrier-nat", message: "The provider shares one address." },
      advice: [{ code: "set-up-relay", text: "Name a relay." }],
    } as const satisfies NodeStatus["natPath"];
    const kept = { ...natPath, hops: [], advice: [...natPath.advice] };
    expect(await ask("reachability.nat-path", online({ natPath: kept }))).toMatchObject({
      outcome: "warn",
      fix: "Name a relay.",
    });
    expect((await ask("reachability.nat-path", online({ natPath: kept, relay: CONNECTED }))).outcome).toBe("pass");
  });
});

describe("the relay", () => {
  const NAMED = { relayServers: ["ws://127.0.0.1:9"] };

  it("is not looked at where none is wanted", async () => {
    for (const { id } of relayChecks) {
      expect((await verdictOf(relayChecks, id, online())).outcome).toBe("skipped");
      expect((await verdictOf(relayChecks, id, online({}, { ...NAMED, relayMode: "off" }))).outcome).toBe("skipped");
    }
  });

  it.each<[string, NodeStatus["relay"], string, string]>([
    ["relay.link", CONNECTED, "pass", "wss://relay.example.org, guests at 192.0.2.9:40000."],
    [
      "relay.link",
      { state: "waiting", error: { code: "x", message: "It is gone." }, retryAt: AT },
      "fail",
      "It is gone.",
    ],
    ["relay.link", { state: "connecting" }, "skipped", "It is being connected at this moment."],
    ["relay.latency", CONNECTED, "pass", "Round trip 20 ms."],
    ["relay.latency", { ...CONNECTED, rttMs: 900 }, "warn", "Round trip 900 ms."],
    ["relay.latency", { ...CONNECTED, rttMs: null }, "skipped", "It has not been measured yet."],
  ])("%s follows the connection", async (id, relay, outcome, detail) => {
    expect(await verdictOf(relayChecks, id, online({ relay }, NAMED))).toMatchObject({ outcome, detail });
  });

  it("must answer where it is named; one of several that does not is a warning", async () => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const alive = `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const outcomeOf = async (relayServers: string[]) =>
      (await verdictOf(relayChecks, "relay.server", online({}, { relayServers }))).outcome;
    expect(await outcomeOf([alive])).toBe("pass");
    expect(await outcomeOf([alive, "ws://127.0.0.1:1"])).toBe("warn");
    expect(await outcomeOf(["ws://127.0.0.1:1"])).toBe("fail");
  });

  it("has no certificate to look at without wss://", async () => {
    expect((await verdictOf(relayChecks, "relay.certificate", online({}, NAMED))).outcome).toBe("skipped");
  });
});

describe("IPv6 of guests", () => {
  const ask = (id: string, context: CheckContext) => verdictOf(ipv6Checks, id, context);

  it.each<[(typeof EXIT)["ipv6"], Verdict["outcome"]]>([
    [{ state: "on", mode: "nat66" }, "pass"],
    [{ state: "on", mode: "nat66", check: { outcome: "passed", at: AT } }, "pass"],
    [{ state: "on", mode: "nat66", check: { outcome: "failed", at: AT, error: { code: "x", message: "x" } } }, "warn"],
    [{ state: "failed", error: { code: "x", message: "x" } }, "warn"],
    [{ state: "off", reason: { code: "x", message: "x" } }, "skipped"],
  ])("that is %j gives %s", async (ipv6, outcome) => {
    const state = { ...RUNNING, exit: { ...EXIT, ipv6 } } as typeof RUNNING;
    const context = { ...sharing({}, { state }), status: status() };
    expect((await ask("ipv6.guests", context)).outcome).toBe(outcome);
  });

  it("needs forwarding, where they have any", async () => {
    expect((await ask("ipv6.forwarding", sharing())).outcome).toBe("pass");
    const off = { forwarding: { ...SHARING_MACHINE.forwarding, ipv6: false } };
    expect((await ask("ipv6.forwarding", sharing(off))).outcome).toBe("fail");
    expect((await ask("ipv6.forwarding", sharing(off, { ipv6Failed: true }))).outcome).toBe("skipped");
  });

  it("comes in where the router lets it, and is not missed where it does not", async () => {
    const pinhole = { state: "closed", reason: { code: "x", message: "Refused." } } as const;
    expect((await ask("ipv6.way-in", online({ pinhole }))).outcome).toBe("skipped");
    expect((await ask("ipv6.way-in", online())).outcome).toBe("skipped");
  });
});

describe("limits", () => {
  const LIMITED = {
    ...PLAN,
    spec: { ...PLAN.spec, limits: { clients: [{}, {}] } as unknown as NonNullable<typeof PLAN.spec.limits> },
  };

  it.each([
    ["matches", "pass"],
    ["absent", "fail"],
  ] as const)("that are %s in the kernel give %s", async (state, outcome) => {
    const context = sharing({ limits: { state } }, { plan: LIMITED });
    expect((await verdictOf(limitChecks, "limits.applied", context)).outcome).toBe(outcome);
  });

  it("that differ are named, and nothing is said where nobody is limited", async () => {
    const differs = sharing({ limits: { state: "differs", differences: ["class 1:2 is missing"] } }, { plan: LIMITED });
    expect(await verdictOf(limitChecks, "limits.applied", differs)).toMatchObject({
      outcome: "fail",
      detail: "class 1:2 is missing",
    });
    expect((await verdictOf(limitChecks, "limits.applied", sharing())).outcome).toBe("skipped");
  });

  it("need a kernel that has them", async () => {
    const limits = { state: "unsupported", error: { code: "x", message: "No HTB." } } as const;
    const context = alone({ capabilities: { ...CAPABILITIES, limits } });
    expect(await verdictOf(limitChecks, "limits.support", context)).toMatchObject({
      outcome: "warn",
      detail: "No HTB.",
    });
  });
});

describe("packet size", () => {
  const TARGET = { ...DEFAULT_SETTINGS, egressTargets: ["192.0.2.80:443"] };
  const probing = (seen: PathMtu): CheckContext =>
    alone(
      {},
      {
        settings: TARGET,
        probe: {
          pathMtu: async () => ok(seen),
          lookUpRoute: async () => ok({ state: "none", reason: "" }),
        },
      },
    );

  it.each<[string, PathMtu, Verdict["outcome"]]>([
    ["the whole tunnel", { mtu: 1500, told: null, tried: 1500 }, "pass"],
    ["less, and says so", { mtu: 1400, told: 1400, tried: 1500 }, "warn"],
    ["less, without a word", { mtu: 1400, told: null, tried: 1500 }, "fail"],
    ["nothing at all", { mtu: null, told: null, tried: 1500 }, "skipped"],
  ])("on a path that lets through %s", async (_, seen, outcome) => {
    const verdict = await verdictOf(mtuChecks, "mtu.path4", probing(seen));
    expect(verdict.outcome).toBe(outcome);
    if ("fix" in verdict) expect(verdict.fix).toContain("settings set mtu=1320");
  });

  it("cannot be tried without the helper, or without a target", async () => {
    expect((await verdictOf(mtuChecks, "mtu.path4", alone())).outcome).toBe("skipped");
    expect((await verdictOf(mtuChecks, "mtu.path4", alone({}, { settings: TARGET }))).outcome).toBe("skipped");
  });

  it("must fit the uplink's own link", async () => {
    expect((await verdictOf(mtuChecks, "mtu.link", alone())).outcome).toBe("pass");
    const narrow = { ...HOME, links: [{ ...link("eth0", ["192.168.1.20/24"]), mtu: 1400 }] };
    expect(await verdictOf(mtuChecks, "mtu.link", alone({ observation: narrow }))).toMatchObject({
      outcome: "warn",
      detail: expect.stringContaining("1400 bytes"),
    });
  });
});
