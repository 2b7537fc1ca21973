import { describe, expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { NOT_LOOKED } from "../testing/not-looked.ts";
import { CALL_TIMEOUT_MS, LONG_CALL_TIMEOUT_MS, MessageClient } from "./message-client.ts";

function client() {
  const clock = new FakeClock();
  const sent: { id: number; call: string; input?: unknown }[] = [];
  const messages = new MessageClient({ clock, send: (text) => sent.push(JSON.parse(text)) });
  const receive = (message: unknown) => messages.receive(JSON.stringify(message));
  return { clock, sent, messages, receive };
}

const STOPPED = {
  run: "r",
  revision: 1,
  value: {
    version: "1",
    node: { phase: "stopped", since: "2026-01-01T12:00:00.000Z" },
    relay: { state: "off" },
    portMapping: { state: "off" },
    ...NOT_LOOKED,
  },
};

describe("the message client", () => {
  it("matches answers with calls, in whatever order they come", async () => {
    const { messages, receive, sent } = client();
    const first = messages.call("node.state", {});
    const second = messages.call("clients.list", {});
    expect(sent).toEqual([
      { id: 1, call: "node.state", input: {} },
      { id: 2, call: "clients.list", input: {} },
    ]);
    receive({ id: 2, ok: true, output: { run: "r", revision: 0, value: [] } });
    receive({ id: 1, ok: false, error: { code: "broken", message: "broken" } });
    expect(await first).toEqual({ ok: false, error: { code: "broken", message: "broken" } });
    expect(await second).toMatchObject({ ok: true, value: { value: [] } });
  });

  it("notices an answer that the contract does not know", async () => {
    const { messages, receive } = client();
    const call = messages.call("node.state", {});
    receive({
      id: 1,
      ok: true,
      output: { run: "r", revision: 0, value: { version: "9", node: { phase: "dancing" } } },
    });
    expect(await call).toMatchObject({ ok: false, error: { code: "version-mismatch" } });
  });

  it("waits long for what waits for a person, and not for the rest", async () => {
    const { clock, messages } = client();
    const results: string[] = [];
    void messages.call("node.state", {}).then((result) => results.push(result.ok ? "?" : result.error.code));
    void messages.call("node.on", {}).then((result) => results.push(result.ok ? "?" : result.error.message));
    await clock.advance(CALL_TIMEOUT_MS);
    expect(results).toEqual(["no-answer"]);
    await clock.advance(LONG_CALL_TIMEOUT_MS);
    expect(results).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it("ends what is under way when it is closed, and takes no more", async () => {
    const { clock, messages } = client();
    const call = messages.call("node.on", {});
    const error = { code: "disconnected", message: "gone" };
    messages.close(error);
    messages.close({ code: "other", message: "later" });
    expect(await call).toEqual({ ok: false, error });
    expect(await messages.call("node.on", {})).toEqual({ ok: false, error });
    expect(clock.pending).toBe(0);
  });

  it("is closed by an error that belongs to no call", async () => {
    const { messages, receive } = client();
    const call = messages.call("node.on", {});
    receive({ id: null, ok: false, error: { code: "call-too-large", message: "too large" } });
    expect(await call).toMatchObject({ ok: false, error: { code: "call-too-large" } });
  });

  it("passes events on, and ignores what is no message", async () => {
    const { messages, receive } = client();
    const events: string[] = [];
    const subscribed = messages.subscribe((name) => events.push(name));
    receive({ id: 1, ok: true, output: {} });
    expect(await subscribed).toEqual({ ok: true, value: undefined });
    receive({ event: "node.stateChanged", payload: STOPPED });
    receive({ event: "node.stateChanged", payload: { revision: "x" } });
    receive({ event: "node.unheardOf", payload: STOPPED });
    receive({ id: 77, ok: true, output: {} });
    receive("nonsense");
    messages.receive("{");
    expect(events).toEqual(["node.stateChanged"]);
  });

  it("sends no events to a listener that could not subscribe", async () => {
    const { messages, receive } = client();
    const events: string[] = [];
    const subscribed = messages.subscribe((name) => events.push(name));
    receive({ id: 1, ok: false, error: { code: "too-many-calls", message: "too many" } });
    expect((await subscribed).ok).toBe(false);
    receive({ event: "node.stateChanged", payload: STOPPED });
    expect(events).toEqual([]);
  });
});
