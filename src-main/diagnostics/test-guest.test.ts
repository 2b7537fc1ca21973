import { describe, expect, it } from "vitest";
import type { HelperParams, HelperResult, HelperVerb } from "../../src-shared/helper/protocol.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { sampleKey } from "../../src-shared/testing/sample-spec.ts";
import { TestGuest } from "./test-guest.ts";

const PREFIXES = { ipv4: "10.66.0.0/24", ipv6: "fd00:1:2:3::/64" };

function rig(answers: Partial<Record<HelperVerb, Result<unknown>>> = {}) {
  const log: string[] = [];
  const state = { prefixes: PREFIXES as typeof PREFIXES | undefined, taken: [2, 3], peerRefused: false };
  const guest = new TestGuest({
    helper: {
      async call<V extends HelperVerb>(verb: V, params: HelperParams<V>): Promise<Result<HelperResult<V>>> {
        log.push(`${verb} ${JSON.stringify(params)}`);
        const usual: Partial<Record<HelperVerb, Result<unknown>>> = {
          "open-test-guest": ok({ publicKey: sampleKey(7), implementation: "kernel" }),
          "close-test-guest": ok({ left: [] }),
          "ask-test-guest": ok({ outcome: "answered", detail: "", ms: 1 }),
        };
        return (answers[verb] ?? usual[verb] ?? fail("no-answer", verb)) as Result<HelperResult<V>>;
      },
    },
    prefixes: () => state.prefixes,
    takenHostNumbers: () => state.taken,
    setPeer: async (peer) => {
      log.push(`peer ${peer?.allowedIps.join(" ") ?? "none"}`);
      return peer !== undefined && state.peerRefused ? fail("refused", "No.") : ok(undefined);
    },
  });
  return { guest, log, state };
}

describe("the temporary guest", () => {
  it("gets the last address nobody has, is let in, and taken away again", async () => {
    const { guest, log, state } = rig();
    state.taken = [2, 254];
    const used = await guest.with(async ({ addresses, ask }) => {
      await ask({ kind: "ping", to: "192.0.2.1" });
      return addresses;
    });
    expect(used).toEqual(ok({ value: ["10.66.0.253", "fd00:1:2:3::fd"], left: [] }));
    expect(log).toEqual([
      'open-test-guest {"addresses":["10.66.0.253","fd00:1:2:3::fd"]}',
      "peer 10.66.0.253/32 fd00:1:2:3::fd/128",
      'ask-test-guest {"question":{"kind":"ping","to":"192.0.2.1"}}',
      "close-test-guest {}",
      "peer none",
    ]);
  });

  it("is taken away when what it is used for throws", async () => {
    const { guest, log } = rig();
    await expect(guest.with(() => Promise.reject(new Error("a mistake")))).rejects.toThrow("a mistake");
    expect(log.slice(-2)).toEqual(["close-test-guest {}", "peer none"]);
    expect((await guest.with(async () => 1)).ok).toBe(true);
  });

  it.each<[string, Parameters<typeof rig>[0], boolean, string]>([
    [
      "cannot be made",
      { "open-test-guest": fail("test-guest-refused", "No namespaces.") },
      false,
      "test-guest-refused",
    ],
    ["is not let in", {}, true, "refused"],
  ])("leaves nothing behind when it %s", async (_, answers, peerRefused, code) => {
    const { guest, log, state } = rig(answers);
    state.peerRefused = peerRefused;
    expect(await guest.with(async () => 1)).toMatchObject({ ok: false, error: { code } });
    expect(log.slice(-2)).toEqual(["close-test-guest {}", "peer none"]);
  });

  it("tells what could not be taken away", async () => {
    const { guest } = rig({ "close-test-guest": ok({ left: ["network namespace higgs-guest"] }) });
    expect(await guest.with(async () => 1)).toEqual(ok({ value: 1, left: ["network namespace higgs-guest"] }));
    const lost = rig({ "close-test-guest": fail("helper-lost", "The helper is gone.") });
    expect(await lost.guest.with(async () => 1)).toMatchObject({ value: { left: ["The helper is gone."] } });
  });

  it("is one at a time, and none while nothing is shared or no address is free", async () => {
    const { guest, log, state } = rig();
    const gate = Promise.withResolvers<void>();
    const first = guest.with(() => gate.promise);
    expect(await guest.with(async () => 1)).toMatchObject({ error: { code: "test-guest-busy" } });
    gate.resolve();
    await first;
    state.prefixes = undefined;
    expect(await guest.with(async () => 1)).toMatchObject({ error: { code: "not-sharing" } });
    state.prefixes = { ...PREFIXES, ipv4: "10.66.0.0/30" };
    expect(await guest.with(async () => 1)).toMatchObject({ error: { code: "guest-network-full" } });
    expect(log.filter((line) => line.startsWith("open"))).toHaveLength(1);
  });
});
