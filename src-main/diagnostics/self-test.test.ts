import { describe, expect, it } from "vitest";
import type { GuestAnswer, GuestQuestion } from "../../src-shared/helper/diagnostics.ts";
import { type SelfTestStep, selfTestSchema } from "../../src-shared/model/diagnosis.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src-shared/model/settings.ts";
import { fail, ok, type Result, unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { runSelfTest, type SelfTestSurroundings } from "./self-test.ts";
import type { OpenTestGuest } from "./test-guest.ts";
import { PLAN } from "./testing/check-context.ts";

const SETTINGS: Settings = { ...DEFAULT_SETTINGS, egressTargets: ["192.0.2.80:80", "[2001:db8::80]:80"] };
const ROUTED = { ...PLAN, route: { local: "192.168.1.20", gateway: "192.168.1.1" } };

type Answer = (question: GuestQuestion) => Result<GuestAnswer>;

function seen(outcome: GuestAnswer["outcome"], detail: string = outcome, more: Partial<GuestAnswer> = {}) {
  return ok({ outcome, detail, ms: 5, ...more });
}

/** An exit that gives a guest all it needs, and keeps the home network to itself. */
const healthy: Answer = (question) => {
  switch (question.kind) {
    case "path-mtu":
      return seen("answered", "", { pathMtu: { mtu: 1420, told: null, tried: 1420 } });
    case "download":
      return seen("answered", "", { bytes: 8_000_000, ms: 400 });
    case "ping":
      return seen("silence");
    case "tcp":
      return question.to.startsWith("192.168.") ? seen("refused", "EHOSTUNREACH") : seen("answered");
    default:
      return seen("answered");
  }
};

async function test(answer: Answer, more: Partial<SelfTestSurroundings> = {}, left: string[] = []) {
  const told: SelfTestStep[] = [];
  const open: OpenTestGuest = {
    addresses: ["10.66.255.254"],
    implementation: "kernel",
    ask: async (question) => answer(question),
  };
  const result = await runSelfTest({
    clock: new FakeClock(),
    guest: { with: async (use) => ok({ value: await use(open), left }) } as SelfTestSurroundings["guest"],
    settings: SETTINGS,
    plan: ROUTED,
    pings: async () => true,
    signal: new AbortController().signal,
    onStep: (step) => told.push(step),
    ...more,
  });
  return { result, told };
}

function outcomes(steps: readonly SelfTestStep[]): string[] {
  return steps.map(({ stage, outcome }) => `${stage} ${outcome}`);
}

describe("the self-test", () => {
  it("passes stage by stage where a guest gets what it needs, and tells of each as it ends", async () => {
    const { result, told } = await test(healthy);
    const selfTest = selfTestSchema.parse(unwrap(result));
    expect(outcomes(selfTest.steps)).toEqual([
      "guest pass",
      "handshake pass",
      "dns pass",
      "ipv4 pass",
      "ipv6 pass",
      "mtu pass",
      "lan-isolation pass",
      "throughput pass",
      "clean-up pass",
    ]);
    expect(selfTest.steps.find(({ stage }) => stage === "throughput")?.detail).toContain("160 Mbit/s");
    expect(told).toEqual(selfTest.steps);
    expect(selfTest.outcome).toBe("pass");
  });

  it.each<[string, GuestQuestion["kind"], Result<GuestAnswer>, string]>([
    ["names are not answered", "dns", seen("silence"), "dns fail"],
    [
      "large packets vanish",
      "path-mtu",
      seen("answered", "", { pathMtu: { mtu: 1380, told: null, tried: 1420 } }),
      "mtu fail",
    ],
    [
      "a router says that they are too large",
      "path-mtu",
      seen("answered", "", { pathMtu: { mtu: 1380, told: 1380, tried: 1420 } }),
      "mtu warn",
    ],
    [
      "nobody answers echo requests",
      "path-mtu",
      seen("silence", "", { pathMtu: { mtu: null, told: null, tried: 1420 } }),
      "mtu skipped",
    ],
    ["the router answers a guest's ping", "ping", seen("answered"), "lan-isolation fail"],
    [
      "a download is too small to say anything",
      "download",
      seen("answered", "75 bytes", { bytes: 75 }),
      "throughput skipped",
    ],
  ])("says so where %s", async (_, kind, instead, expected) => {
    const { result } = await test((question) => (question.kind === kind ? instead : healthy(question)));
    expect(outcomes(unwrap(result).steps)).toContain(expected);
    expect(unwrap(result).outcome).toBe(expected.endsWith("fail") ? "fail" : "pass");
  });

  it("takes a reset from the home network for an answer, and one from the internet too", async () => {
    const { result } = await test((question) =>
      question.kind === "tcp" ? seen("refused", "ECONNREFUSED") : healthy(question),
    );
    expect(outcomes(unwrap(result).steps)).toEqual(expect.arrayContaining(["ipv4 pass", "lan-isolation fail"]));
  });

  it("fails IPv4 and only warns of IPv6 where the internet does not answer", async () => {
    const { result } = await test((question) => (question.kind === "tcp" ? seen("silence") : healthy(question)));
    expect(outcomes(unwrap(result).steps)).toEqual(
      expect.arrayContaining(["ipv4 fail", "ipv6 warn", "lan-isolation pass"]),
    );
  });

  it("proves nothing by the silence of a router that answers nobody, or that guests may reach", async () => {
    const silent = await test(healthy, { pings: async () => false });
    expect(outcomes(unwrap(silent.result).steps)).toContain("lan-isolation skipped");
    const settings = { ...SETTINGS, allowedDestinations: [{ destination: "192.168.1.0/24" }] };
    expect(outcomes(unwrap((await test(healthy, { settings })).result).steps)).toContain("lan-isolation skipped");
  });

  it("stops after a handshake that nobody answers, and still cleans up", async () => {
    const { result } = await test((question) => (question.kind === "handshake" ? seen("silence") : healthy(question)));
    expect(outcomes(unwrap(result).steps)).toEqual([
      "guest pass",
      "handshake fail",
      ...["dns", "ipv4", "ipv6", "mtu", "lan-isolation", "throughput"].map((stage) => `${stage} skipped`),
      "clean-up pass",
    ]);
  });

  it("fails where something is left, and stops where nobody waits for it", async () => {
    const { result } = await test(healthy, {}, ["interface higgsg0"]);
    expect(unwrap(result).steps.at(-1)).toMatchObject({
      stage: "clean-up",
      outcome: "fail",
      detail: "Left: interface higgsg0.",
    });
    const ended = await test(healthy, { signal: AbortSignal.abort() });
    expect(outcomes(unwrap(ended.result).steps)).toContain("handshake skipped");
  });

  it("is refused where there is nothing to test, and fails where no guest can be made", async () => {
    const refusing = (code: string) =>
      ({ with: async () => fail(code, "No.") }) as unknown as SelfTestSurroundings["guest"];
    expect((await test(healthy, { guest: refusing("not-sharing"), plan: undefined })).result.ok).toBe(false);
    expect((await test(healthy, { guest: refusing("test-guest-busy") })).result.ok).toBe(false);
    const { result } = await test(healthy, { guest: refusing("test-guest-refused") });
    expect(unwrap(result)).toMatchObject({
      outcome: "fail",
      steps: [{ stage: "guest", outcome: "fail" }, { outcome: "skipped" }, {}, {}, {}, {}, {}, {}],
    });
  });
});
