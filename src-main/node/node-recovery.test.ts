import { describe, expect, it } from "vitest";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import { FIRST_DNS_PORT, PEERS_EVERY_MS, RECOVERY_DELAYS_MS } from "./node-service.ts";
import { NodeRig, settled } from "./testing/node-rig.ts";

const GONE = { code: "helper-gone", message: "There is no helper." };
const ALL_WAITS_MS = RECOVERY_DELAYS_MS.reduce<number>((sum, ms) => sum + ms, 0);
/** Every wait of a recovery is a multiple of it. */
const STEP_MS = 250;

async function running(): Promise<NodeRig> {
  const rig = new NodeRig();
  await rig.node.on();
  rig.in("running");
  return rig;
}

/** Time passes, and whatever takes promises alone comes to its end. */
async function pass(rig: NodeRig, ms: number): Promise<void> {
  const endMs = rig.clock.monotonicMs() + ms;
  while (rig.clock.monotonicMs() < endMs) {
    await rig.clock.advance(Math.min(STEP_MS, endMs - rig.clock.monotonicMs()));
    await settled();
  }
}

describe("recovery", () => {
  it("begins at once when the helper dies, and is over when a new one has applied", async () => {
    const rig = await running();
    rig.helper.lose();
    await settled();
    rig.in("running");
    expect(rig.phases).toEqual(["starting", "running", "recovering", "running"]);
    expect(rig.states.find(({ phase }) => phase === "recovering")).toMatchObject({
      cause: { code: "helper-lost" },
      attempt: 1,
    });
    expect(rig.helper.count("apply")).toBe(2);
    expect(rig.helper.count("restore")).toBe(0);
    expect(rig.helper.holder).toBe(rig.helper.connected);
  });

  it("applies anew when somebody else has renewed the connection before", async () => {
    const rig = await running();
    rig.helper.reconnect();
    expect(rig.helper.holder).not.toBe(rig.helper.connected);
    await settled();
    expect(rig.helper.holder).toBe(rig.helper.connected);
    rig.in("running");
  });

  it("waits longer before each attempt, and counts them", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.lose();
    await settled();
    // The first attempt was made at once; each later one is announced before its wait.
    for (const [index, waitMs] of RECOVERY_DELAYS_MS.entries()) {
      if (waitMs === 0) continue;
      expect(rig.in("recovering").attempt).toBe(index + 1);
      const asked = rig.helper.count("ensure");
      await pass(rig, waitMs - 1);
      expect(rig.helper.count("ensure")).toBe(asked);
      if (index === RECOVERY_DELAYS_MS.length - 1) rig.helper.refusal = undefined;
      await pass(rig, 1);
      expect(rig.helper.count("ensure")).toBe(asked + 1);
    }
    rig.in("running");
  });

  it("fails after the last attempt without a helper, and remembers what is left", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.lose();
    await pass(rig, ALL_WAITS_MS);
    expect(rig.in("failed").error).toEqual(GONE);
    expect(rig.helper.count("ensure")).toBe(1 + RECOVERY_DELAYS_MS.length);
    expect(rig.memory).toEqual({ wanted: true, dirty: true });
    expect(rig.clock.pending).toBe(0);
    expect(rig.answeringAt).toBeUndefined();
    rig.helper.refusal = undefined;
    expect((await rig.node.off()).ok).toBe(true);
    expect(rig.memory.dirty).toBe(false);
  });

  it("fails after the last attempt with a helper, and everything is restored", async () => {
    const rig = await running();
    rig.helper.failNext("apply", "firewall-refused", RECOVERY_DELAYS_MS.length);
    rig.helper.distort = (seen) => ({ ...seen, wireguard: { state: "absent" } });
    rig.node.refresh();
    await settled();
    await pass(rig, ALL_WAITS_MS);
    expect(rig.in("failed").error.code).toBe("firewall-refused");
    expect(rig.helper.applied).toBeUndefined();
    expect(rig.helper.calls.at(-1)).toBe("restore");
    expect(rig.memory.dirty).toBe(false);
    rig.helper.distort = (seen) => seen;
    expect((await rig.node.on()).ok).toBe(true);
  });

  it("says that the network could not be put back where that fails in the end", async () => {
    const rig = await running();
    rig.helper.failNext("apply", "firewall-refused", RECOVERY_DELAYS_MS.length);
    rig.helper.stuck = ["net.ipv4.conf.eth0.forwarding"];
    rig.helper.applied = undefined;
    rig.node.refresh();
    await settled();
    await pass(rig, ALL_WAITS_MS);
    expect(rig.in("failed").error.code).toBe("restore-failed");
    expect(rig.memory.dirty).toBe(true);
  });

  it("does not ask a person again who has refused", async () => {
    const rig = await running();
    rig.helper.refusal = { code: "permission-refused", message: "No." };
    rig.helper.lose();
    await settled();
    expect(rig.in("failed").error.code).toBe("permission-refused");
    expect(rig.helper.count("ensure")).toBe(2);
    expect(rig.clock.pending).toBe(0);
  });

  it("ends at once when it is switched off during a wait", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.lose();
    await settled();
    expect(rig.in("recovering").attempt).toBe(2);
    rig.helper.refusal = undefined;
    expect((await rig.node.off()).ok).toBe(true);
    rig.in("stopped");
    expect(rig.clock.pending).toBe(0);
    expect(rig.helper.applied).toBeUndefined();
    expect(rig.helper.count("apply")).toBe(1);
  });

  it("ends at once when the node is disposed of during a wait", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.lose();
    await settled();
    rig.in("recovering");
    rig.helper.refusal = undefined;
    await rig.node.dispose();
    expect(rig.clock.pending).toBe(0);
    expect(rig.helper.applied).toBeUndefined();
    expect(rig.memory).toEqual({ wanted: true, dirty: false });
  });

  it("goes on when the helper dies again in the middle", async () => {
    const rig = await running();
    rig.helper.lose();
    let again = true;
    rig.node.onChange((state) => {
      if (state.phase === "recovering" && again) {
        again = false;
        queueMicrotask(() => rig.helper.lose());
      }
    });
    await settled();
    await pass(rig, ALL_WAITS_MS);
    rig.in("running");
    expect(rig.helper.holder).toBe(rig.helper.connected);
  });

  it.each<[string, (seen: NetworkObservation) => NetworkObservation]>([
    ["interface-gone", (seen) => ({ ...seen, wireguard: { state: "absent" } })],
    [
      "firewall-changed",
      (seen) => ({
        ...seen,
        firewall: { ...seen.firewall, ipv4: { state: "differs", differences: ["nat HIGGS-POSTROUTING: …"] } },
      }),
    ],
    ["exit-forgotten", (seen) => ({ ...seen, applied: null })],
  ])("repairs what others have done: %s", async (cause, distort) => {
    const rig = await running();
    rig.helper.distort = (seen) => {
      rig.helper.distort = (next) => next;
      return distort(seen);
    };
    await rig.node.settle();
    rig.in("running");
    expect(rig.states.find(({ phase }) => phase === "recovering")).toMatchObject({ cause: { code: cause } });
    expect(rig.helper.count("apply")).toBe(2);
  });

  it("tells the counters that the interface was gone before it is made anew", async () => {
    const rig = await running();
    rig.helper.distort = (seen) => {
      // Gone for the poll of the peers, and for the comparison that follows it.
      if (rig.helper.count("apply") > 1) return seen;
      return { ...seen, wireguard: { state: "absent" } };
    };
    const before = rig.seenPeers.length;
    await pass(rig, PEERS_EVERY_MS);
    expect(rig.phases).toEqual(["starting", "running", "recovering", "running"]);
    const since = rig.seenPeers.slice(before).map(({ state }) => state);
    expect(since[0]).toBe("absent");
    expect(since.at(-1)).toBe("present");
  });

  it("polls the peers once per interval after a recovery, also when an answer came late", async () => {
    const rig = await running();
    const late = Promise.withResolvers<void>();
    rig.helper.hold = late.promise;
    await rig.clock.advance(PEERS_EVERY_MS);
    rig.helper.hold = undefined;
    rig.helper.lose();
    await settled();
    rig.in("running");
    late.resolve();
    await settled();
    expect(rig.clock.pending).toBe(2);
    const before = rig.helper.count("observe-peers");
    await pass(rig, PEERS_EVERY_MS);
    expect(rig.helper.count("observe-peers")).toBe(before + 1);
  });

  it("shows that guests' DNS failed, and moves it to another port", async () => {
    const rig = await running();
    // Guests get no IPv6 any more, so that the answerer must leave its IPv6 address.
    rig.ipv6 = false;
    rig.dnsErrors.push("dns-port-taken", "dns-port-taken");
    expect((await rig.node.settle()).ok).toBe(true);
    expect(rig.states.find(({ phase }) => phase === "recovering")).toMatchObject({ cause: { code: "dns-port-taken" } });
    rig.in("running");
    expect(rig.answeringAt).toEqual({ addresses: ["10.66.0.1/16"], port: FIRST_DNS_PORT + 1 });
    expect(rig.helper.applied?.dns).toEqual({ port: FIRST_DNS_PORT + 1 });
  });

  it("never has two tasks at work at once", async () => {
    const rig = await running();
    const all = [];
    for (let n = 0; n < 5; n++) {
      rig.clients++;
      rig.helper.changeNetwork();
      all.push(rig.node.settle());
      rig.helper.lose();
      all.push(rig.node.off(), rig.node.on());
    }
    await Promise.all(all);
    rig.in("running");
    expect(rig.helper.mostAtOnce).toBe(1);
  });
});
