import { describe, expect, it } from "vitest";
import { callShapes } from "../../src-shared/ipc/contract.ts";
import { MAX_CALL_CHARACTERS, MAX_CALLS_IN_FLIGHT } from "../../src-shared/ipc/wire.ts";
import { HiggsFailure } from "../../src-shared/result.ts";
import { GateConnection, MAX_BACKLOG_BYTES, MAX_WAITING_EVENTS, SLOW_READER_BYTES } from "./gate.ts";
import { FAKE_CHECKS, FAKE_NOW, FakeNode, fakeClient } from "./testing/fake-node.ts";

interface Answer {
  id?: number | null;
  ok?: boolean;
  output?: unknown;
  error?: { code: string; message: string };
  event?: string;
  payload?: { revision: number; base?: number; changed?: unknown[]; removed?: string[]; value?: unknown };
}

function gate() {
  const node = new FakeNode();
  const sent: Answer[] = [];
  const unexpected: unknown[] = [];
  const refused: string[] = [];
  const wire = { backlog: 0, ended: 0, dropped: 0 };
  const connection = new GateConnection({
    api: node,
    checkOutput: true,
    onUnexpected: (_call, thrown) => unexpected.push(thrown),
    onRefused: (code) => refused.push(code),
    transport: {
      send: (text) => sent.push(JSON.parse(text)),
      backlogBytes: () => wire.backlog,
      end: () => wire.ended++,
      drop: () => wire.dropped++,
    },
  });
  async function ask(request: unknown): Promise<Answer> {
    const before = sent.length;
    connection.receive(typeof request === "string" ? request : JSON.stringify(request));
    await expect.poll(() => sent.length).toBeGreaterThan(before);
    return sent[before] ?? {};
  }
  return { node, sent, unexpected, refused, wire, connection, ask };
}

describe("the gate", () => {
  it("answers a call with what the handler returns, under the caller's id", async () => {
    const { ask } = gate();
    expect(await ask({ id: 7, call: "clients.add", input: { name: "phone" } })).toMatchObject({
      id: 7,
      ok: true,
      output: { name: "phone" },
    });
  });

  it("lets a call without input be a call with an empty one", async () => {
    expect(await gate().ask({ id: 1, call: "node.state" })).toMatchObject({ ok: true });
  });

  it.each([
    ["what is not JSON", "{", null, "bad-request"],
    ["what is no object", "[1]", null, "bad-request"],
    ["a call without a name", { id: 3 }, 3, "bad-request"],
    ["a call with a field too many", { id: 3, call: "node.state", extra: 1 }, 3, "bad-request"],
    ["an id that is no whole number", { id: 1.5, call: "node.state" }, null, "bad-request"],
    ["a call that is not in the contract", { id: 4, call: "node.explode" }, 4, "unknown-call"],
    ["a name that every object has", { id: 4, call: "constructor" }, 4, "unknown-call"],
    ["an event in the place of a call", { id: 4, call: "node.stateChanged" }, 4, "unknown-call"],
    ["input with a field too many", { id: 5, call: "node.on", input: { force: true } }, 5, "bad-input"],
    ["a name with a newline", { id: 6, call: "clients.add", input: { name: "a\nb" } }, 6, "bad-input"],
  ])("refuses %s", async (_what, request, id, code) => {
    const { ask, node } = gate();
    expect(await ask(request)).toMatchObject({ id, ok: false, error: { code } });
    expect(node.calls).toEqual([]);
  });

  it("tells of what no program of ours sends, and not of a wrong input", async () => {
    const { ask, connection, refused } = gate();
    await ask("{");
    await ask({ id: 1, call: "node.explode" });
    await ask({ id: 2, call: "clients.add", input: { name: "" } });
    connection.receive(" ".repeat(MAX_CALL_CHARACTERS + 1));
    expect(refused).toEqual(["bad-request", "unknown-call", "call-too-large"]);
  });

  it("names the field of a bad input", async () => {
    const answer = await gate().ask({ id: 1, call: "clients.add", input: { name: 5 } });
    expect(answer.error?.message).toContain("name");
  });

  it("ends the connection of a caller whose message is too long", () => {
    const { connection, sent, wire } = gate();
    connection.receive(" ".repeat(MAX_CALL_CHARACTERS + 1));
    expect(sent).toMatchObject([{ id: null, ok: false, error: { code: "call-too-large" } }]);
    expect(wire.ended).toBe(1);
  });

  it("passes an expected failure on and does not log it", async () => {
    const { ask, node, unexpected } = gate();
    node.failNext = new HiggsFailure({ code: "port-taken", message: "taken", hint: "another" });
    const answer = await ask({ id: 1, call: "node.on" });
    expect(answer.error).toEqual({ code: "port-taken", message: "taken", hint: "another" });
    expect(unexpected).toEqual([]);
  });

  it("answers a surprise as internal, without its stack, and tells of it once", async () => {
    const { ask, node, unexpected } = gate();
    const surprise = new TypeError("x is undefined");
    node.failNext = surprise;
    const answer = await ask({ id: 1, call: "node.on" });
    expect(answer.error).toEqual({ code: "internal", message: "x is undefined" });
    expect(unexpected).toEqual([surprise]);
  });

  it("notices a handler that returns what the contract forbids", async () => {
    const { ask, node } = gate();
    node.clients = [{ ...(await node.handlers["clients.add"]({ name: "a" }, context())), publicKey: "short" }];
    expect(await ask({ id: 1, call: "clients.list" })).toMatchObject({ ok: false, error: { code: "internal" } });
  });

  it("refuses more calls at once than it promises, and takes more when those are done", async () => {
    const { connection, sent, node, ask } = gate();
    let release = () => {};
    node.hold = new Promise((resolve) => {
      release = resolve;
    });
    for (let id = 0; id <= MAX_CALLS_IN_FLIGHT; id++) connection.receive(JSON.stringify({ id, call: "node.state" }));
    expect(sent).toMatchObject([{ id: MAX_CALLS_IN_FLIGHT, error: { code: "too-many-calls" } }]);
    node.hold = undefined;
    release();
    await expect.poll(() => sent.length).toBe(MAX_CALLS_IN_FLIGHT + 1);
    expect(await ask({ id: 99, call: "node.state" })).toMatchObject({ id: 99, ok: true });
  });

  it("tells a handler that its caller has gone, and answers nothing more", async () => {
    const { connection, node, sent } = gate();
    let release = () => {};
    node.hold = new Promise((resolve) => {
      release = resolve;
    });
    connection.receive(JSON.stringify({ id: 1, call: "node.on" }));
    connection.close();
    expect(node.signals[0]?.aborted).toBe(true);
    release();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual([]);
  });

  it("has a handler for every call of the contract", () => {
    expect(Object.keys(new FakeNode().handlers).sort()).toEqual([...callShapes.keys()].sort());
  });
});

describe("a subscription", () => {
  it("begins with the answer, then the present value of every revised state", async () => {
    const { ask, sent } = gate();
    expect(await ask({ id: 1, call: "subscribe" })).toEqual({ id: 1, ok: true, output: {} });
    expect(sent.slice(1).map((message) => message.event)).toEqual([
      "node.stateChanged",
      "clients.changed",
      "settings.changed",
    ]);
  });

  it("brings no event before it is asked for, and each once however often it is asked for", async () => {
    const { ask, sent, node } = gate();
    node.setClients([]);
    expect(sent).toEqual([]);
    await ask({ id: 1, call: "subscribe" });
    await ask({ id: 2, call: "subscribe" });
    sent.length = 0;
    node.setPhase({ phase: "stopping", since: FAKE_NOW });
    expect(sent).toHaveLength(1);
  });

  it("ends with the connection", async () => {
    const { ask, connection, node } = gate();
    await ask({ id: 1, call: "subscribe" });
    connection.close();
    connection.close();
    expect(node.listeners).toBe(0);
  });

  it("gives a slow reader only the latest of each state", async () => {
    const { ask, sent, node, wire, connection } = gate();
    await ask({ id: 1, call: "subscribe" });
    sent.length = 0;
    wire.backlog = SLOW_READER_BYTES;
    for (let turn = 0; turn < 2 * MAX_WAITING_EVENTS; turn++) node.setClients([]);
    node.setPhase({ phase: "stopping", since: FAKE_NOW });
    expect(sent).toEqual([]);
    wire.backlog = 0;
    connection.drained();
    expect(sent.map((message) => [message.event, message.payload?.revision])).toEqual([
      ["clients.changed", 2 * MAX_WAITING_EVENTS],
      ["node.stateChanged", 2 * MAX_WAITING_EVENTS + 1],
    ]);
    expect(wire.dropped).toBe(0);
  });

  it("brings the clients whole once, and then what has changed of them", async () => {
    const { ask, sent, node } = gate();
    const clients = ["a", "b", "c", "d"].map((id) => fakeClient({ id, name: id }));
    node.setClients(clients);
    await ask({ id: 1, call: "subscribe" });
    expect(sent.find(({ event }) => event === "clients.changed")?.payload?.value).toHaveLength(4);
    sent.length = 0;
    node.setClients([...clients.slice(0, 2), fakeClient({ id: "c", name: "c", paused: true }), ...clients.slice(3)]);
    node.setClients(clients.slice(0, 3));
    expect(sent.map(({ event }) => event)).toEqual(["clients.delta", "clients.delta"]);
    expect(sent[0]?.payload).toMatchObject({ base: 1, revision: 2, changed: [{ id: "c" }], removed: [] });
    expect(sent[1]?.payload).toMatchObject({ base: 2, revision: 3, changed: [{ id: "c" }], removed: ["d"] });
  });

  it("brings the clients whole again to whoever subscribes again", async () => {
    const { ask, sent, node } = gate();
    node.setClients([fakeClient()]);
    await ask({ id: 1, call: "subscribe" });
    sent.length = 0;
    await ask({ id: 2, call: "subscribe" });
    expect(sent.map(({ event }) => event)).toContain("clients.changed");
  });

  it("tells a slow reader in one delta what has changed since it last read", async () => {
    const { ask, sent, node, wire, connection } = gate();
    const clients = ["a", "b", "c", "d"].map((id) => fakeClient({ id, name: id }));
    node.setClients(clients);
    await ask({ id: 1, call: "subscribe" });
    sent.length = 0;
    wire.backlog = SLOW_READER_BYTES;
    node.setClients([fakeClient({ id: "a", name: "a", paused: true }), ...clients.slice(1)]);
    node.setClients([fakeClient({ id: "a", name: "a", paused: true }), ...clients.slice(1, 3)]);
    wire.backlog = 0;
    connection.drained();
    expect(sent).toMatchObject([
      { event: "clients.delta", payload: { base: 1, revision: 3, changed: [{ id: "a" }], removed: ["d"] } },
    ]);
  });

  it("is dropped when events that cannot be merged pile up", async () => {
    const { ask, node, wire } = gate();
    await ask({ id: 1, call: "subscribe" });
    wire.backlog = SLOW_READER_BYTES;
    for (let turn = 0; turn <= MAX_WAITING_EVENTS; turn++) {
      node.emit("diagnose.progress", { done: 1, total: 1, check: FAKE_CHECKS[0] });
    }
    expect(wire.dropped).toBe(1);
    expect(node.listeners).toBe(0);
  });

  it("is dropped when answers pile up unread", async () => {
    const { connection, wire } = gate();
    wire.backlog = MAX_BACKLOG_BYTES + 1;
    connection.receive(JSON.stringify({ id: 1, call: "node.state" }));
    await expect.poll(() => wire.dropped).toBe(1);
  });
});

function context() {
  return { signal: new AbortController().signal };
}
