import { describe, expect, it } from "vitest";
import type { CallName } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { PhaseState } from "../../src-shared/model/node-state.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { NOT_LOOKED } from "../../src-shared/testing/not-looked.ts";
import type { Transport, TransportListener } from "../transport/transport.ts";
import { createNodeStore } from "./node-store.ts";
import { newer } from "./revised.ts";

const since = "2026-01-01T12:00:00.000Z";

function state(revision: number, phase: "stopped" | "stopping", run = "r1") {
  const node: PhaseState = { phase, since };
  return {
    run,
    revision,
    value: { version: "1", node, relay: { state: "off" }, portMapping: { state: "off" }, ...NOT_LOOKED },
  };
}

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

/** Answers from a list, in the order in which they are asked for. */
function store(...answers: Result<unknown>[]) {
  const calls: [CallName, unknown][] = [];
  let listener: TransportListener | undefined;
  let disposed = 0;
  const transport: Transport = {
    call: async (name, input) => {
      calls.push([name, input]);
      return (answers.shift() ?? fail("unexpected", "no answer left")) as never;
    },
    start: (given) => {
      listener = given;
    },
    dispose: () => {
      disposed++;
    },
  };
  const made = createNodeStore(transport);
  return { ...made, calls, listener: () => listener, disposed: () => disposed };
}

describe("revisions", () => {
  it("drop what is older or the same, and begin anew with another run", () => {
    const held = state(5, "stopped");
    expect(newer(undefined, held)).toBe(held);
    expect(newer(held, state(4, "stopping"))).toBe(held);
    expect(newer(held, state(5, "stopping"))).toBe(held);
    expect(newer(held, state(6, "stopping")).revision).toBe(6);
    expect(newer(held, state(0, "stopping", "r2")).run).toBe("r2");
  });
});

describe("the store", () => {
  it("shows the latest state, whether an event or an answer brought it", async () => {
    const { state: panel, actions, listener } = store(ok(state(7, "stopping")));
    listener()?.onEvent("node.stateChanged", state(3, "stopped"));
    expect(panel.getState().node?.revision).toBe(3);
    await actions.share(false);
    expect(panel.getState().node?.revision).toBe(7);
    listener()?.onEvent("node.stateChanged", state(6, "stopped"));
    expect(panel.getState().node?.value.node.phase).toBe("stopping");
  });

  it("follows the connection and the clients", () => {
    const { state: panel, listener } = store();
    listener()?.onConnection("lost");
    listener()?.onEvent("clients.changed", { run: "r1", revision: 1, value: [CLIENT] });
    expect(panel.getState()).toMatchObject({ connection: "lost", clients: { value: [{ name: "TV" }] } });
  });

  it("shows a refusal until the next try", async () => {
    const { state: panel, actions } = store(fail("permission-refused", "refused"), ok(state(1, "stopped")));
    const first = actions.share(true);
    expect(panel.getState().switching).toBe(true);
    await first;
    expect(panel.getState()).toMatchObject({ switching: false, problem: { code: "permission-refused" } });
    await actions.share(true);
    expect(panel.getState().problem).toBeUndefined();
  });

  it("shows a new client's configuration once", async () => {
    const { state: panel, actions, calls } = store(ok(CLIENT), ok({ client: CLIENT, config: "[Interface]" }));
    expect(await actions.addClient("TV")).toBe(true);
    expect(calls).toEqual([
      ["clients.add", { name: "TV" }],
      ["clients.config", { name: "c1" }],
    ]);
    expect(panel.getState().config?.config).toBe("[Interface]");
    actions.closeConfig();
    expect(panel.getState().config).toBeUndefined();
  });

  it("shows a configuration again, or why it cannot be shown", async () => {
    const { state: panel, actions } = store(
      ok({ client: CLIENT, config: "[Interface]" }),
      fail("key-forgotten", "the key is forgotten"),
    );
    await actions.showConfig(CLIENT);
    expect(panel.getState().config?.client.name).toBe("TV");
    await actions.showConfig(CLIENT);
    expect(panel.getState()).toMatchObject({ config: undefined, problem: { code: "key-forgotten" } });
  });

  it("keeps the name for another try where the client was not added", async () => {
    const { actions, state: panel } = store(fail("client-exists", "exists"));
    expect(await actions.addClient("TV")).toBe(false);
    expect(panel.getState()).toMatchObject({ adding: false, problem: { code: "client-exists" } });
    actions.dismissProblem();
    expect(panel.getState().problem).toBeUndefined();
  });

  it("marks a client whose call is under way", async () => {
    const { actions, state: panel, calls } = store(ok(CLIENT), ok(CLIENT));
    const pausing = actions.pause(CLIENT, true);
    expect([...panel.getState().pending]).toEqual(["c1"]);
    await pausing;
    expect(panel.getState().pending.size).toBe(0);
    await actions.pause(CLIENT, false);
    expect(calls.map(([name]) => name)).toEqual(["clients.pause", "clients.resume"]);
  });
});
