import { describe, expect, it } from "vitest";
import {
  type NatHop,
  type NatPath,
  type NatVerdict,
  natAdviceCodeSchema,
  natVerdictSchema,
} from "../../../src-shared/model/nat-path.ts";
import type { ExitState, NodeState } from "../../../src-shared/model/node-state.ts";
import type { PortMappingState } from "../../../src-shared/model/port-mapping.ts";
import type { Reachability } from "../../../src-shared/model/reachability.ts";
import type { RelayLinkState } from "../../../src-shared/model/relay-link.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { LANGUAGES } from "../../../src-shared/text/language.ts";
import { createTranslator } from "../../../src-shared/text/translate.ts";
import { adviceOf } from "./advice-view.ts";
import { timeLeft } from "./time-left.ts";
import { answerOf, chainOf } from "./way-in-view.ts";

const since = "2026-01-01T12:00:00.000Z";
const endpoint = { host: "11.22.33.4", port: 51820 };
const EXIT: ExitState = {
  interfaceName: "higgs0",
  implementation: "kernel",
  listenPort: 51821,
  publicKey: "key",
  guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: null },
  uplink: { ipv4: "eth0", ipv6: null },
  reach: { endpoint, source: "mapping" },
  ipv6: { state: "on", mode: "nat66" },
  clients: { total: 1, connected: 0 },
  traffic: { rxBytes: 0, txBytes: 0 },
};
const MAPPED: PortMappingState = {
  state: "mapped",
  since,
  protocol: "pcp",
  gateway: "192.168.1.1",
  external: endpoint,
  internalPort: 51820,
  leaseEndsAt: null,
  renewAt: since,
  fallbacks: [],
};
const UNAVAILABLE: PortMappingState = {
  state: "unavailable",
  since,
  reason: { code: "router-silent", message: "x" },
  nextProbeAt: null,
};
const REACHABLE: Reachability = { state: "reachable", endpoint, since, provenAt: since, ms: 20 };
const UNREACHABLE: Reachability = {
  state: "unreachable",
  endpoint,
  since,
  checkedAt: since,
  reason: { code: "x", message: "x" },
  advice: [
    { code: "bridge-mode", text: "x" },
    { code: "bridge-mode", text: "x" },
    { code: "forward-on-second-router", text: "x" },
  ],
};
const CONNECTED: RelayLinkState = {
  state: "connected",
  since,
  url: "wss://relay.example",
  rttMs: 20,
  publicEndpoint: endpoint,
  nodeId: "n",
  sessions: 0,
  rxBytes: 0,
  txBytes: 0,
  dropped: 0,
};

function path(verdict: NatVerdict): NatPath {
  const router: NatHop = {
    kind: "home-router",
    address: "192.168.1.1",
    externalAddress: "192.168.0.2",
    learntFrom: ["default-route"],
  };
  const outer: NatHop = {
    kind: verdict === "carrier-nat" ? "carrier" : "second-router",
    address: "192.168.0.1",
    externalAddress: "11.22.33.4",
    learntFrom: ["expired-packet"],
  };
  return {
    state: "known",
    verdict,
    hops: verdict === "no-nat" ? [] : verdict === "one-nat" ? [router] : [router, outer],
    publicAddress: "11.22.33.4",
    reason: verdict === "no-nat" || verdict === "one-nat" ? null : { code: verdict, message: "x" },
    advice: [],
  };
}

function sharing(changes: Partial<NodeState> = {}, exit: Partial<ExitState> = {}): NodeState {
  return {
    version: "1",
    node: { phase: "running", since, exit: { ...EXIT, ...exit } },
    relay: { state: "off" },
    portMapping: { state: "off" },
    ...NOT_LOOKED,
    ...changes,
  };
}

const nowhere = { reach: { endpoint: null, source: "none" } } as const;

describe("the answer", () => {
  it.each<[string, NodeState, string]>([
    ["a node that is off", { ...sharing(), node: { phase: "stopped", since } }, "off"],
    ["a node that starts", { ...sharing(), node: { phase: "starting", since, step: "apply" } }, "busy"],
    ["a proof from outside", sharing({ reachability: REACHABLE, relay: CONNECTED }), "direct"],
    ["silence, with a relay", sharing({ reachability: UNREACHABLE, relay: CONNECTED }), "relayed"],
    ["silence without one", sharing({ reachability: UNREACHABLE }), "closed"],
    ["an address nobody tried", sharing(), "unproven"],
    ["an address being tried", sharing({ reachability: { state: "checking", since } }), "checking"],
    ["two routers, though nobody has tried", sharing({ natPath: path("double-nat") }), "closed"],
    ["two routers and a relay", sharing({ natPath: path("double-nat"), relay: CONNECTED }), "relayed"],
    ["no address at all", sharing({}, nowhere), "unknown"],
  ])("of %s", (_, state, key) => {
    expect(answerOf(state).key).toBe(key);
  });
});

describe("the chain", () => {
  const states = (state: NodeState) => Object.fromEntries(chainOf(state).map((hop) => [hop.kind, hop.state]));

  it("goes from the internet to this computer", () => {
    expect(chainOf(sharing({ natPath: path("double-nat") })).map(({ kind }) => kind)).toEqual([
      "internet",
      "provider",
      "second-router",
      "home-router",
      "computer",
    ]);
  });

  it("names the provider once, where the provider is the one who translates", () => {
    expect(chainOf(sharing({ natPath: path("carrier-nat") })).map(({ kind }) => kind)).toEqual([
      "internet",
      "carrier",
      "home-router",
      "computer",
    ]);
  });

  it("calls every hop open once a knock from outside was answered", () => {
    expect(states(sharing({ natPath: path("double-nat"), reachability: REACHABLE }))).toMatchObject({
      "second-router": "good",
      "home-router": "good",
      computer: "good",
    });
  });

  it.each<[NatVerdict, string]>([
    ["double-nat", "second-router"],
    ["carrier-nat", "carrier"],
    ["another-nat", "second-router"],
    ["false-address", "second-router"],
    ["one-nat", "home-router"],
  ])("says who stops guests: %s", (verdict, kind) => {
    expect(states(sharing({ natPath: path(verdict), reachability: UNREACHABLE }))[kind]).toBe("stops");
  });

  it("only suspects as long as nobody has knocked", () => {
    expect(states(sharing({ natPath: path("double-nat"), portMapping: MAPPED }))).toMatchObject({
      "second-router": "suspect",
      "home-router": "granted",
    });
    expect(states(sharing({ natPath: path("one-nat"), portMapping: UNAVAILABLE }))["home-router"]).toBe("suspect");
    expect(states(sharing({ natPath: path("one-nat") }))["home-router"]).toBe("unknown");
  });

  it("suspects this computer's firewall where nothing else stands in between", () => {
    expect(states(sharing({ natPath: path("no-nat"), reachability: UNREACHABLE })).computer).toBe("suspect");
    expect(states(sharing({ natPath: path("no-nat") })).computer).toBe("ready");
  });

  it("calls nothing good or bad while sharing is off", () => {
    const off: NodeState = { ...sharing({ natPath: path("one-nat") }), node: { phase: "stopped", since } };
    expect(states(off)).toMatchObject({ "home-router": "off", computer: "off" });
  });

  it("shows the router that was asked, before anybody has looked further", () => {
    expect(chainOf(sharing({ portMapping: MAPPED })).find(({ kind }) => kind === "home-router")).toMatchObject({
      inside: "192.168.1.1",
      outside: "11.22.33.4",
      state: "granted",
    });
  });
});

describe("advice", () => {
  it("is given once each, with the addresses and the port it needs", () => {
    expect(adviceOf(sharing({ natPath: path("double-nat"), reachability: UNREACHABLE, relay: CONNECTED }))).toEqual({
      codes: ["bridge-mode", "forward-on-second-router"],
      optional: true,
      values: { port: 51821, firstRouter: " (192.168.0.2)", secondRouter: " (192.168.0.1)" },
    });
  });

  it("is not given to somebody who is reached, or who needs none", () => {
    expect(adviceOf(sharing({ natPath: path("double-nat"), reachability: REACHABLE }))).toBeUndefined();
    expect(adviceOf(sharing())).toBeUndefined();
  });
});

describe("time left", () => {
  it.each([
    [7_170_000, "1:59:30"],
    [59_999, "01:00"],
    [1, "00:01"],
    [0, undefined],
    [-5, undefined],
    [Number.NaN, undefined],
  ])("of %d ms is %s", (ms, text) => {
    expect(timeLeft(ms)).toBe(text);
  });
});

describe.each(LANGUAGES)("texts in %s", (language) => {
  const t = createTranslator(language);
  const values = { port: 1234, firstRouter: " (192.0.2.1)", secondRouter: " (192.0.2.2)" };

  it.each(natAdviceCodeSchema.options)("say the advice %s", (code) => {
    const words = `${t(`network.advice.${code}.title`, values)} ${t(`network.advice.${code}.how`, values)}`;
    expect(words.length).toBeGreaterThan(30);
    expect(words).not.toMatch(/network\.advice|\{\{/);
  });

  it.each(natVerdictSchema.options)("say the verdict %s", (verdict) => {
    const words = `${t(`network.verdict.${verdict}.title`)} ${t(`network.verdict.${verdict}.body`)}`;
    expect(words.length).toBeGreaterThan(30);
    expect(words).not.toContain("network.verdict");
  });

  it("put the values of an advice into its words", () => {
    const how = t("network.advice.forward-on-second-router.how", values);
    expect(how).toContain("1234");
    expect(how).toContain("(192.0.2.1)");
    expect(t("network.advice.forward-on-second-router.title", values)).toContain("(192.0.2.2)");
  });
});
