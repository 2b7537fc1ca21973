import { describe, expect, it } from "vitest";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import { observation } from "../routing/testing/observation.ts";
import { FIRST_DNS_PORT } from "./exit-works.ts";
import { PEERS_EVERY_MS } from "./node-service.ts";
import { ATTEMPTS_UNTIL_TOLD, LONGEST_WAIT_MS, waitAfterMs } from "./recovery-ladder.ts";
import { NodeRig, settled } from "./testing/node-rig.ts";

const GONE = { code: "helper-gone", message: "There is no helper." };
/** From the fault to the last of the quick attempts. */
const QUICK_MS = waitAfterMs(1) + waitAfterMs(2);
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

  it("asks for limits again that the machine refused, but not at every event", async () => {
    const rig = new NodeRig();
    rig.helper.limits = { state: "failed", error: { code: "limits-failed", message: "tc said no." } };
    await rig.node.on();
    expect(rig.helper.count("apply")).toBe(1);
    await rig.node.settle();
    await rig.node.settle();
    expect(rig.helper.count("apply")).toBe(2);
    rig.helper.limits = undefined;
    await pass(rig, 10_000);
    await rig.node.settle();
    await rig.node.settle();
    expect(rig.helper.count("apply")).toBe(3);
  });

  it("waits longer before each attempt, and counts them", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.lose();
    await settled();
    // The first attempt was made at once; each later one is announced before its wait.
    for (let failures = 1; failures < ATTEMPTS_UNTIL_TOLD; failures++) {
      expect(rig.in("recovering").attempt).toBe(failures + 1);
      const asked = rig.helper.count("ensure");
      await pass(rig, waitAfterMs(failures) - 1);
      expect(rig.helper.count("ensure")).toBe(asked);
      if (failures === ATTEMPTS_UNTIL_TOLD - 1) rig.helper.refusal = undefined;
      await pass(rig, 1);
      expect(rig.helper.count("ensure")).toBe(asked + 1);
    }
    rig.in("running");
  });

  it("is degraded after three attempts without a helper while the kernel serves guests, and goes on slowly", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.lose();
    await pass(rig, QUICK_MS);
    expect(rig.in("degraded").problems).toEqual([GONE]);
    expect(rig.answeringAt).toBeDefined();
    expect(rig.node.recovery).toMatchObject({ state: "waiting", cause: "helper", attempt: 4 });
    expect(rig.recoveries.map(({ kind }) => kind)).toEqual([
      "recovery-step",
      "recovery-step",
      "recovery-step",
      "recovery-failed",
    ]);
    rig.helper.refusal = undefined;
    await pass(rig, waitAfterMs(3));
    rig.in("running");
    expect(rig.node.recovery).toEqual({ state: "idle" });
    expect(rig.recoveries.at(-1)).toMatchObject({
      kind: "recovered",
      fact: "helper",
      step: "restart-helper",
      attempt: 4,
      durationMs: QUICK_MS + waitAfterMs(3),
    });
    expect(rig.phases).toEqual(["starting", "running", "recovering", "degraded", "running"]);
  });

  it("fails after three attempts where the tunnel went with the helper, and remembers what is left", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.interfaceGone = true;
    rig.helper.lose();
    await pass(rig, QUICK_MS);
    expect(rig.in("failed").error).toEqual(GONE);
    expect(rig.helper.count("ensure")).toBe(1 + ATTEMPTS_UNTIL_TOLD);
    expect(rig.memory).toEqual({ wanted: true, dirty: true });
    expect(rig.answeringAt).toBeUndefined();
    rig.helper.refusal = undefined;
    expect((await rig.node.off()).ok).toBe(true);
    expect(rig.memory.dirty).toBe(false);
    expect(rig.clock.pending).toBe(0);
  });

  it("makes at most one attempt per step of the backoff in ten minutes, whatever happens meanwhile", async () => {
    const rig = await running();
    rig.helper.refusal = GONE;
    rig.helper.interfaceGone = true;
    rig.helper.lose();
    let due = 0;
    for (let ms = 0; ms <= 600_000; due++) ms += waitAfterMs(due);
    const before = rig.helper.count("ensure");
    for (let second = 0; second < 600; second++) {
      rig.node.refresh();
      rig.helper.changeNetwork();
      await rig.clock.advance(1_000);
    }
    await settled();
    expect(rig.helper.count("ensure") - before).toBeLessThanOrEqual(due);
    expect(rig.in("failed").error).toEqual(GONE);
    expect(rig.recoveries.filter(({ kind }) => kind === "recovery-failed")).toHaveLength(1);
    rig.helper.refusal = undefined;
    rig.helper.interfaceGone = false;
    await pass(rig, LONGEST_WAIT_MS);
    rig.in("running");
  });

  it("fails after three attempts with a helper, everything is restored, and it starts again when that works", async () => {
    const rig = await running();
    rig.helper.failNext("apply", "firewall-refused", ATTEMPTS_UNTIL_TOLD);
    rig.helper.distort = (seen) => ({ ...seen, wireguard: { state: "absent" } });
    rig.node.refresh();
    await settled();
    await pass(rig, QUICK_MS);
    expect(rig.in("failed").error.code).toBe("firewall-refused");
    expect(rig.helper.applied).toBeUndefined();
    expect(rig.helper.calls.at(-1)).toBe("restore");
    expect(rig.memory.dirty).toBe(false);
    rig.helper.distort = (seen) => seen;
    await pass(rig, waitAfterMs(3));
    rig.in("running");
  });

  it("makes the helper anew when applying has failed twice", async () => {
    const rig = await running();
    rig.helper.failNext("apply", "firewall-refused", 2);
    rig.helper.applied = undefined;
    rig.node.refresh();
    await settled();
    await pass(rig, QUICK_MS);
    rig.in("running");
    expect(rig.recoveries.map(({ step }) => step)).toEqual(["apply", "apply", "restart-helper", "restart-helper"]);
    expect(rig.helper.count("restart")).toBe(1);
    expect(rig.helper.holder).toBe(rig.helper.connected);
  });

  it("leaves the helper alone when it is the machine that has no way out", async () => {
    const rig = new NodeRig();
    rig.helper.machine = observation([], []);
    expect((await rig.node.on()).ok).toBe(false);
    await pass(rig, 120_000);
    expect(rig.helper.count("restart")).toBe(0);
    expect(rig.node.recovery).toMatchObject({ state: "waiting", cause: "networkRoute" });
  });

  it("tries at once when the machine has changed, and not when an event tells nothing new", async () => {
    const rig = await running();
    rig.helper.failNext("apply", "firewall-refused", 100);
    rig.helper.applied = undefined;
    rig.node.refresh();
    await settled();
    await pass(rig, QUICK_MS + waitAfterMs(3));
    rig.in("failed");
    const tried = rig.helper.count("apply");
    rig.helper.changeNetwork();
    await pass(rig, 1_000);
    expect(rig.helper.count("apply")).toBe(tried);
    rig.clients++;
    rig.helper.forgetFailures();
    rig.node.refresh();
    await pass(rig, 1_000);
    rig.in("running");
  });

  it("shows why guests are not served though everything is in place, until they are", async () => {
    const rig = await running();
    rig.concerns = [{ code: "uplink-down", message: "eth0 is not connected." }];
    await rig.node.settle();
    expect(rig.in("degraded").problems).toEqual(rig.concerns);
    expect(rig.recoveries).toEqual([]);
    rig.concerns = [];
    await rig.node.settle();
    rig.in("running");
  });

  it("says that the network could not be put back where that fails in the end", async () => {
    const rig = await running();
    rig.helper.failNext("apply", "firewall-refused", ATTEMPTS_UNTIL_TOLD);
    rig.helper.stuck = ["net.ipv4.conf.eth0.forwarding"];
    rig.helper.applied = undefined;
    rig.node.refresh();
    await settled();
    await pass(rig, QUICK_MS);
    expect(rig.in("failed").error.code).toBe("restore-failed");
    expect(rig.memory.dirty).toBe(true);
  });

  it("does not ask a person again who has refused", async () => {
    const rig = await running();
    rig.helper.refusal = { code: "permission-refused", message: "No." };
    rig.helper.lose();
    await settled();
    for (let check = 0; check < 10; check++) {
      expect((await rig.node.settle()).ok).toBe(true);
      await pass(rig, 30_000);
    }
    expect(rig.in("degraded").problems).toMatchObject([{ code: "permission-refused" }]);
    expect(rig.helper.count("ensure")).toBe(2);
    expect(rig.node.recovery).toEqual({ state: "idle" });
  });

  it("asks again when the owner presses the button, and goes on with a helper that is there in spite of a refusal", async () => {
    const rig = await running();
    rig.helper.refusal = { code: "permission-refused", message: "No." };
    rig.helper.lose();
    await settled();
    expect((await rig.node.on()).ok).toBe(false);
    expect(rig.helper.count("ensure")).toBe(3);
    rig.in("degraded");
    rig.helper.refusal = undefined;
    await rig.helper.ensure();
    await rig.node.settle();
    rig.in("running");
    expect(rig.helper.holder).toBe(rig.helper.connected);
  });

  it("asks for a password once and not again by itself", async () => {
    const rig = await running();
    rig.helper.prompts = true;
    rig.helper.refusal = GONE;
    rig.helper.lose();
    await settled();
    await pass(rig, LONGEST_WAIT_MS);
    expect(rig.helper.count("ensure")).toBe(2);
    expect(rig.recoveries.at(-1)).toMatchObject({ kind: "recovery-failed", attempt: 1 });
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
    await pass(rig, QUICK_MS);
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
    expect(rig.clock.pending).toBe(1);
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
