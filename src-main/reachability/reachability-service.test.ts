import { afterEach, describe, expect, it } from "vitest";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import type { ProbeOutcome, ProbeResult } from "../../src-shared/relay/control.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { PROVE_EVERY_MS } from "./outcome.ts";
import type { OutsideView } from "./outside.ts";
import type { ProbeQuestion } from "./probe-exchange.ts";
import { ReachabilityService } from "./reachability-service.ts";
import type { Sharing } from "./sharing.ts";

const KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const PROBE_KEY = "Gu3stKeyxxxxxxxxxxxxxxxxxxxxxxxxxxxxx000000A=";
const SEEN = "11.22.33.2";
const ANSWERED: ProbeOutcome = { outcome: "answered", ms: 12 };
const SILENCE: ProbeOutcome = { outcome: "silence" };

const VIEW: OutsideView = {
  relay: "wss://relay.example",
  seen: SEEN,
  probeKey: PROBE_KEY,
  stun: { host: "relay.example", port: 3478 },
};

function mapped(external: Endpoint): PortMappingState {
  return {
    state: "mapped",
    since: "2026-01-01T00:00:00.000Z",
    protocol: "pcp",
    gateway: "192.168.77.1",
    external,
    internalPort: 51820,
    leaseEndsAt: null,
    renewAt: "2026-01-01T01:00:00.000Z",
    fallbacks: [],
  };
}

class Rig {
  readonly clock = new FakeClock();
  view: OutsideView | undefined = VIEW;
  /** What the probe finds, by port; every other port is silent. */
  readonly answers = new Map<number, ProbeOutcome>();
  probeFails: Result<ProbeResult> | undefined;
  seenByStun: string | undefined = SEEN;
  hops: (string | null)[] = ["192.168.77.1", "11.22.33.1"];
  behind: Endpoint | undefined;
  readonly asked: ProbeQuestion[] = [];
  readonly did: string[] = [];
  /** What the probe finds at further addresses of this machine; at every other the relay is not reached. */
  readonly answersFrom = new Map<string, ProbeOutcome>();
  readonly askedFrom: string[] = [];
  readonly service: ReachabilityService;
  #behindMapped: Endpoint | undefined;
  sharing: Sharing = {
    publicKey: KEY,
    listenPort: 51820,
    local: "192.168.77.10",
    gateway: "192.168.77.1",
    hasIpv6: false,
    ipv6: null,
    isPinholeOpen: false,
    ownEndpoint: null,
    mapping: mapped({ host: SEEN, port: 51820 }),
    hasRelays: true,
  };

  constructor() {
    const rig = this;
    this.service = new ReachabilityService({
      clock: this.clock,
      random: () => 0.5,
      logger: silentLogger(),
      outside: {
        get view() {
          return rig.view;
        },
        probe: async (question) => {
          rig.asked.push(question);
          if (rig.probeFails !== undefined) return rig.probeFails;
          const result = rig.answers.get(question.port) ?? SILENCE;
          return ok({
            type: "probe-result",
            id: 0,
            endpoint: { host: rig.view?.seen ?? "", port: question.port },
            result,
          });
        },
        probeFrom: async (address, question) => {
          rig.askedFrom.push(`${address} ${question.port}`);
          const result = rig.answersFrom.get(address);
          if (result === undefined) return fail("relay-unreachable", "The relay has no address of that family.");
          return ok({ type: "probe-result", id: 0, endpoint: { host: address, port: question.port }, result });
        },
      },
      stun: async () => (rig.seenByStun === undefined ? undefined : { host: rig.seenByStun, port: 40_000 }),
      trace: async () => rig.hops,
      applyPeer: async () => {
        rig.did.push(`apply ${rig.service.peer?.publicKey}`);
        return ok(undefined);
      },
      behind: {
        get mapped() {
          return rig.#behindMapped;
        },
        map: async ({ gateway, local, port }) => {
          rig.did.push(`behind ${gateway} ${local} ${port}`);
          rig.#behindMapped = rig.behind;
          return rig.behind;
        },
        release: async () => {
          rig.#behindMapped = undefined;
        },
      },
      remake: async (otherPort) => void rig.did.push(otherPort ? "remake with another port" : "remake"),
    });
  }

  async share(change: Partial<Sharing> = {}): Promise<void> {
    this.sharing = { ...this.sharing, ...change };
    this.service.update(this.sharing);
    await this.clock.advance(0);
  }

  get reachability() {
    return this.service.findings.reachability;
  }

  get verdict() {
    const { natPath } = this.service.findings;
    return natPath.state === "known" ? natPath.verdict : natPath.state;
  }
}

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    await rig.service.dispose();
    expect(rig.clock.pending).toBe(0);
  }
});

function start(): Rig {
  const rig = new Rig();
  rigs.push(rig);
  return rig;
}

describe("reachability", () => {
  it("asks nobody and adds no peer while the node does not share", async () => {
    const rig = start();
    rig.service.update(undefined);
    await rig.clock.advance(3 * PROVE_EVERY_MS);
    expect([rig.asked, rig.did, rig.service.peer]).toEqual([[], [], undefined]);
    expect(rig.reachability).toMatchObject({ state: "unknown", reason: { code: "not-sharing" } });
  });

  it("has the probe's key in the kernel before it asks, and is proven by the answer", async () => {
    const rig = start();
    rig.answers.set(51820, ANSWERED);
    await rig.share();
    expect(rig.did).toEqual([`apply ${PROBE_KEY}`]);
    expect(rig.service.peer).toEqual({ publicKey: PROBE_KEY, allowedIps: [] });
    expect(rig.asked).toEqual([{ publicKey: KEY, port: 51820 }]);
    expect(rig.reachability).toMatchObject({ state: "reachable", endpoint: { host: SEEN, port: 51820 }, ms: 12 });
    expect(rig.service.proven).toEqual({ host: SEEN, port: 51820 });
    expect(rig.verdict).toBe("one-nat");
  });

  it("takes the peer away with the end of sharing", async () => {
    const rig = start();
    await rig.share();
    rig.service.update(undefined);
    expect(rig.service.peer).toBeUndefined();
    expect(rig.reachability.state).toBe("unknown");
    const asked = rig.asked.length;
    await rig.clock.advance(PROVE_EVERY_MS * 2);
    expect(rig.asked).toHaveLength(asked);
  });

  it("is tried again every ten minutes, and not for news that change nothing", async () => {
    const rig = start();
    rig.answers.set(51820, ANSWERED);
    await rig.share();
    for (let count = 0; count < 5; count++) {
      await rig.share({
        mapping: {
          ...mapped({ host: SEEN, port: 51820 }),
          leaseEndsAt: `2026-01-01T0${count}:00:00.000Z`,
        } as PortMappingState,
      });
    }
    expect(rig.asked).toHaveLength(1);
    await rig.clock.advance(PROVE_EVERY_MS);
    expect(rig.asked).toHaveLength(2);
  });

  it("is tried at once where the endpoint changes, at the port that guests then use", async () => {
    const rig = start();
    rig.answers.set(40_000, ANSWERED);
    await rig.share();
    await rig.share({ mapping: mapped({ host: SEEN, port: 40_000 }) });
    expect(rig.service.proven).toEqual({ host: SEEN, port: 40_000 });
    await rig.share({ ownEndpoint: { host: "home.example", port: 7 } });
    expect(rig.asked.at(-1)?.port).toBe(7);
  });

  it("waits with its trial until the router has given its answer", async () => {
    const rig = start();
    await rig.share({ mapping: { state: "probing", since: "2026-01-01T00:00:00.000Z", gateway: "192.168.77.1" } });
    expect(rig.asked).toEqual([]);
  });

  it("forgives one lost round of what was proven a moment ago", async () => {
    const rig = start();
    rig.answers.set(51820, ANSWERED);
    await rig.share();
    rig.answers.clear();
    await rig.clock.advance(PROVE_EVERY_MS);
    expect(rig.reachability.state).toBe("reachable");
    await rig.clock.advance(20_000);
    expect(rig.reachability).toMatchObject({ state: "unreachable", reason: { code: "mapping-dead" } });
  });

  it("has a dead mapping made anew, then with another port, then leaves it to the relay", async () => {
    const rig = start();
    await rig.share();
    expect(rig.did).toEqual([`apply ${PROBE_KEY}`, "remake"]);
    await rig.clock.advance(20_000);
    expect(rig.did.at(-1)).toBe("remake with another port");
    await rig.clock.advance(20_000);
    await rig.clock.advance(3 * PROVE_EVERY_MS);
    expect(rig.did).toHaveLength(3);
    expect(rig.reachability).toMatchObject({
      state: "unreachable",
      advice: [{ code: "check-firewall" }, { code: "forward-on-router" }, { code: "relay-meanwhile" }],
    });
  });

  it("does not believe a router that names another address than the internet sees, though it has granted the port", async () => {
    const rig = start();
    await rig.share({ mapping: mapped({ host: "5.6.7.8", port: 51820 }) });
    expect(rig.verdict).toBe("false-address");
    expect(rig.reachability).toMatchObject({
      state: "unreachable",
      endpoint: { host: SEEN, port: 51820 },
      reason: { code: "false-address" },
    });
    expect(rig.did).toEqual([`apply ${PROBE_KEY}`]);
  });

  it("believes the trial where the router is wrong about its address but lets guests in", async () => {
    const rig = start();
    rig.answers.set(51820, ANSWERED);
    await rig.share({ mapping: mapped({ host: "5.6.7.8", port: 51820 }) });
    expect(rig.service.proven).toEqual({ host: SEEN, port: 51820 });
  });

  it("has a second router at home forward to the first, and proves that too", async () => {
    const rig = start();
    rig.hops = ["192.168.77.1", "192.168.88.1"];
    rig.behind = { host: SEEN, port: 51821 };
    rig.answers.set(51821, ANSWERED);
    await rig.share({ mapping: mapped({ host: "192.168.88.2", port: 51820 }) });
    expect(rig.did).toContain("behind 192.168.88.1 192.168.77.10 51820");
    expect(rig.service.proven).toEqual({ host: SEEN, port: 51821 });
    expect(rig.verdict).toBe("double-nat");
    await rig.clock.advance(PROVE_EVERY_MS);
    expect(rig.asked.at(-1)?.port).toBe(51821);
    expect(rig.verdict).toBe("double-nat");
  });

  it("says that two routers are in the way where the second does not forward", async () => {
    const rig = start();
    rig.hops = ["192.168.77.1", "192.168.88.1"];
    await rig.share({ mapping: mapped({ host: "192.168.88.2", port: 51820 }) });
    expect(rig.reachability).toMatchObject({ state: "unreachable", reason: { code: "double-nat" } });
  });

  it("is unknown, which is nothing bad, without a relay, and knows the path all the same", async () => {
    const rig = start();
    rig.view = undefined;
    await rig.share({ hasRelays: false });
    expect(rig.reachability).toMatchObject({ state: "unknown", reason: { code: "no-relay" } });
    expect(rig.verdict).toBe("one-nat");
    expect(rig.service.peer).toBeUndefined();
  });

  it("keeps what it knows while the relay is away for a moment, and not for longer", async () => {
    const rig = start();
    rig.answers.set(51820, ANSWERED);
    await rig.share();
    rig.view = undefined;
    await rig.share();
    expect(rig.reachability.state).toBe("reachable");
    await rig.clock.advance(4 * PROVE_EVERY_MS);
    expect(rig.reachability).toMatchObject({ state: "unknown", reason: { code: "relay-not-connected" } });
  });

  it("does not take a web proxy's address for its own", async () => {
    const rig = start();
    rig.view = { ...VIEW, seen: "11.22.99.99" };
    await rig.share();
    expect(rig.reachability).toMatchObject({ state: "unknown", reason: { code: "behind-proxy" } });
    expect(rig.verdict).toBe("one-nat");
  });

  it.each([
    ["probe-not-public", { outcome: "refused", code: "probe-not-public" }],
    ["probe-off", { outcome: "refused", code: "probe-off" }],
  ] as const)("is unknown where the relay refuses with %s", async (code, outcome) => {
    const rig = start();
    rig.answers.set(51820, outcome);
    await rig.share();
    expect(rig.reachability).toMatchObject({ state: "unknown", reason: { code } });
  });

  it("asks a busy relay again soon", async () => {
    const rig = start();
    rig.answers.set(51820, { outcome: "refused", code: "probe-busy" });
    await rig.share();
    rig.answers.set(51820, ANSWERED);
    await rig.clock.advance(20_000);
    expect(rig.reachability.state).toBe("reachable");
  });

  it("asks again where the question was lost", async () => {
    const rig = start();
    rig.probeFails = fail("probe-timeout", "lost");
    await rig.share();
    expect(rig.reachability).toMatchObject({ state: "unknown", reason: { code: "probe-timeout" } });
    rig.probeFails = undefined;
    rig.answers.set(51820, ANSWERED);
    await rig.clock.advance(20_000);
    expect(rig.reachability.state).toBe("reachable");
  });

  it("looks again when it is asked to", async () => {
    const rig = start();
    await rig.share({ mapping: { state: "off" } });
    expect(rig.reachability).toMatchObject({ state: "unreachable", reason: { code: "not-forwarded" } });
    rig.answers.set(51820, ANSWERED);
    await rig.service.refresh();
    expect(rig.reachability.state).toBe("reachable");
  });
});

describe("a node with an IPv6 endpoint", () => {
  const IPV6 = { host: "2a0a:77::10", port: 51820 };
  const ELSEWHERE: OutsideView = { ...VIEW, probesElsewhere: true };

  function ipv6Rig(view: OutsideView = ELSEWHERE): Rig {
    const rig = new Rig();
    rigs.push(rig);
    rig.view = view;
    rig.answers.set(51820, ANSWERED);
    rig.sharing = { ...rig.sharing, hasIpv6: true, ipv6: IPV6 };
    return rig;
  }

  it("is proven there over a connection that comes from there, beside IPv4", async () => {
    const rig = ipv6Rig();
    rig.answersFrom.set(IPV6.host, ANSWERED);
    await rig.share();
    expect(rig.askedFrom).toEqual(["2a0a:77::10 51820"]);
    expect(rig.reachability).toMatchObject({ state: "reachable", endpoint: { host: SEEN } });
    expect(rig.service.findings.reachabilityIpv6).toMatchObject({ state: "reachable", endpoint: IPV6 });
    expect(rig.service.proven).toEqual({ host: SEEN, port: 51820 });
    rig.service.update(undefined);
    expect(rig.service.findings.reachabilityIpv6).toBeUndefined();
  });

  it("is said to be closed where nothing arrives, and tried again when the router has opened it", async () => {
    const rig = ipv6Rig();
    rig.answersFrom.set(IPV6.host, SILENCE);
    await rig.share();
    const closed = rig.service.findings.reachabilityIpv6;
    expect(closed).toMatchObject({ state: "unreachable", reason: { code: "ipv6-closed" } });
    rig.answersFrom.set(IPV6.host, ANSWERED);
    await rig.share({ isPinholeOpen: true });
    expect(rig.service.findings.reachabilityIpv6).toMatchObject({ state: "reachable" });
  });

  it("is of unknown reachability, not a bad one, where the relay has no IPv6 or does not try other addresses", async () => {
    const without = ipv6Rig();
    await without.share();
    const reason = { code: "relay-unreachable" };
    expect(without.service.findings.reachabilityIpv6).toMatchObject({ state: "unknown", reason });
    const old = ipv6Rig(VIEW);
    await old.share();
    expect(old.askedFrom).toEqual([]);
    expect(old.service.findings.reachabilityIpv6).toMatchObject({ reason: { code: "relay-cannot-probe" } });
  });

  it("is proven over both families too where the relay's own connection is the one over IPv6", async () => {
    const rig = ipv6Rig({ ...ELSEWHERE, seen: IPV6.host });
    rig.answersFrom.set("192.168.77.10", ANSWERED);
    await rig.share();
    expect(rig.askedFrom).toEqual(["192.168.77.10 51820"]);
    expect(rig.asked).toEqual([{ publicKey: KEY, port: 51820 }]);
    expect(rig.service.findings.reachabilityIpv6).toMatchObject({ state: "reachable", endpoint: IPV6 });
  });
});
