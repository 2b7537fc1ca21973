import { describe, expect, it } from "vitest";
import type { CallName } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import type { Transport, TransportListener } from "../transport/transport.ts";
import { createPanelStore } from "./panel-store.ts";
import { PREDICTION_MS } from "./predictions.ts";

const since = "2026-01-01T12:00:00.000Z";
const CLIENT: Client = {
  id: "c1",
  name: "TV",
  publicKey: "key",
  addresses: [],
  createdAt: since,
  paused: false,
  connected: false,
  usage: { rxBytes: 0, txBytes: 0 },
};
const CONFIG = { client: CLIENT, config: "[Interface]" };

function state(revision: number, more = {}) {
  const value = {
    version: "1",
    node: { phase: "stopped", since },
    relay: { state: "off" },
    portMapping: { state: "off" },
  };
  return { run: "r1", revision, value: { ...value, ...NOT_LOOKED, ...more } };
}

/** Answers from a list, in the order in which they are asked for; `undefined` is never answered. */
function store(...answers: (Result<unknown> | undefined)[]) {
  const calls: [CallName, unknown][] = [];
  const clock = new FakeClock();
  let listener: TransportListener | undefined;
  let disposed = 0;
  const transport: Transport = {
    call: (name, input) => {
      calls.push([name, input]);
      const answer = answers.length === 0 ? fail("unexpected", "no answer left") : answers.shift();
      return (answer === undefined ? new Promise(() => {}) : Promise.resolve(answer)) as never;
    },
    start: (given) => {
      listener = given;
    },
    dispose: () => {
      disposed++;
    },
  };
  const made = createPanelStore(transport, clock);
  const tell = (name: string, payload: unknown) => listener?.onEvent(name as never, payload);
  return { ...made, clock, calls, tell, listener: () => listener, disposed: () => disposed };
}

describe("the store", () => {
  it("shows the latest state, whether an event or an answer brought it", async () => {
    const { state: panel, actions, tell } = store(ok(state(7)));
    tell("node.stateChanged", state(3));
    expect(panel.getState().node?.revision).toBe(3);
    await actions.share(false);
    expect(panel.getState().node?.revision).toBe(7);
    tell("node.stateChanged", state(6));
    expect(panel.getState().node?.revision).toBe(7);
  });

  it("follows the connection", () => {
    const { state: panel, listener } = store();
    expect(panel.getState().connection).toBe("connecting");
    listener()?.onConnection("lost");
    expect(panel.getState().connection).toBe("lost");
  });

  it("asks once for the list of clients where deltas do not fit", async () => {
    const { state: panel, calls, tell, clock } = store(ok({ run: "r1", revision: 9, value: [CLIENT] }));
    const delta = { run: "r1", base: 7, revision: 8, changed: [], removed: [] };
    tell("clients.delta", delta);
    tell("clients.delta", { ...delta, base: 8, revision: 9 });
    await clock.advance(0);
    expect(calls).toEqual([["clients.list", {}]]);
    expect(panel.getState().clients?.revision).toBe(9);
  });

  it("predicts the switch, and forgets that when the node has answered", async () => {
    const { state: panel, actions } = store(fail("not-permitted", "refused"), ok(state(1)));
    const first = actions.share(true);
    expect(panel.getState().predictions).toMatchObject({ share: { value: true } });
    await first;
    expect(panel.getState()).toMatchObject({ predictions: {}, problem: { code: "not-permitted" } });
    await actions.share(true);
    expect(panel.getState().problem).toBeUndefined();
  });

  it("lets a prediction expire that the node never confirms", async () => {
    const { state: panel, actions, clock } = store(undefined);
    void actions.setSettings({ theme: "dark" });
    expect(panel.getState().predictions["setting.theme"]?.value).toBe("dark");
    await clock.advance(PREDICTION_MS);
    expect(panel.getState().predictions).toEqual({});
  });

  it("takes the settings that the node confirms, and hands a refusal to the form", async () => {
    const confirmed = { run: "r1", revision: 2, value: { ...DEFAULT_SETTINGS, theme: "dark" } };
    const { state: panel, actions, calls } = store(ok(confirmed), fail("settings-invalid", "no"));
    expect((await actions.setSettings({ theme: "dark" })).ok).toBe(true);
    expect(calls).toEqual([["settings.set", { changes: { theme: "dark" } }]]);
    expect(panel.getState().settings?.value.theme).toBe("dark");
    expect(await actions.setSettings({ mtu: 1 })).toMatchObject({ ok: false, error: { code: "settings-invalid" } });
    expect(panel.getState().problem).toBeUndefined();
  });

  it("shows a new client's configuration once", async () => {
    const { state: panel, actions, calls } = store(ok(CLIENT), ok(CONFIG));
    expect((await actions.addClient("TV")).ok).toBe(true);
    expect(calls).toEqual([
      ["clients.add", { name: "TV" }],
      ["clients.config", { name: "c1", newKey: false, via: "direct" }],
    ]);
    expect(panel.getState().config).toMatchObject({ config: "[Interface]", via: "direct" });
    actions.closeConfig();
    expect(panel.getState().config).toBeUndefined();
  });

  it("takes a configuration for the relay where guests come in through it alone", async () => {
    const { actions, calls, tell } = store(ok(CONFIG));
    const exit = { reach: { endpoint: null, source: "none" }, clients: { total: 0, connected: 0 } };
    tell("node.stateChanged", state(1, { node: { phase: "running", since, exit }, relay: { state: "connected" } }));
    await actions.showConfig(CLIENT, { newKey: true });
    expect(calls).toEqual([["clients.config", { name: "c1", newKey: true, via: "relay" }]]);
  });

  it("hands a failure to whoever asked: a name that is taken, a key that is forgotten", async () => {
    const { state: panel, actions } = store(fail("client-exists", "exists"), fail("key-forgotten", "forgotten"));
    expect(await actions.addClient("TV")).toMatchObject({ ok: false, error: { code: "client-exists" } });
    expect(await actions.showConfig(CLIENT)).toMatchObject({ ok: false, error: { code: "key-forgotten" } });
    expect(panel.getState().problem).toBeUndefined();
  });

  it("marks a client whose call is under way", async () => {
    const { actions, state: panel, calls } = store(ok(CLIENT), ok(CLIENT), fail("no", "no"));
    const pausing = actions.pause(CLIENT, true);
    expect([...panel.getState().pending]).toEqual(["c1"]);
    expect(panel.getState().predictions["client.c1.paused"]?.value).toBe(true);
    await pausing;
    expect(panel.getState().pending.size).toBe(0);
    await actions.pause(CLIENT, false);
    expect(calls.map(([name]) => name)).toEqual(["clients.pause", "clients.resume"]);
    expect(await actions.remove(CLIENT)).toBe(false);
    expect(panel.getState().problem?.code).toBe("no");
    actions.dismissProblem();
    expect(panel.getState().problem).toBeUndefined();
  });

  it("shows a notice for a moment, and the latest one", async () => {
    const { actions, state: panel, clock } = store();
    actions.notify("first");
    await clock.advance(3_000);
    actions.notify("second");
    await clock.advance(3_000);
    expect(panel.getState().notice?.text).toBe("second");
    await clock.advance(3_000);
    expect(panel.getState().notice).toBeUndefined();
  });

  it("keeps a diagnosis that is under way, and what it brought, whichever screen is shown", async () => {
    const diagnosis = { outcome: "pass", checks: [] };
    const { actions, state: panel } = store(ok(diagnosis), fail("no-answer", "silent"));
    const first = actions.call("diagnose.run", {});
    expect(panel.getState().runs["diagnose.run"]).toMatchObject({ busy: true, value: undefined });
    await first;
    expect(panel.getState().runs["diagnose.run"]).toMatchObject({ busy: false, value: diagnosis });
    await actions.call("diagnose.run", {});
    expect(panel.getState().runs["diagnose.run"]).toMatchObject({ error: { code: "no-answer" }, value: diagnosis });
  });

  it("leaves no timer behind when it is disposed of, twice as well", () => {
    const { actions, clock, dispose, disposed } = store(undefined);
    void actions.share(true);
    actions.notify("x");
    dispose();
    dispose();
    expect(clock.pending).toBe(0);
    expect(disposed()).toBe(2);
  });
});
