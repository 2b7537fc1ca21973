import { describe, expect, it } from "vitest";
import type { ProbeRequest } from "../../src-shared/relay/control.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { PROBE_ANSWER_WITHIN_MS, ProbeExchange } from "./probe-exchange.ts";

const QUESTION = { publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", port: 51820 };
const endpoint = { host: "11.22.33.2", port: 51820 };

function open() {
  const clock = new FakeClock();
  const sent: ProbeRequest[] = [];
  return { clock, sent, exchange: new ProbeExchange(clock, (request) => void sent.push(request)) };
}

describe("questions for a probe", () => {
  it("get each their own answer, and unasked ones count for nothing", async () => {
    const { clock, sent, exchange } = open();
    const [first, second] = [exchange.ask(QUESTION), exchange.ask(QUESTION)];
    exchange.answer({ type: "probe-result", id: 99, endpoint, result: { outcome: "silence" } });
    for (const { id } of [...sent].reverse()) {
      exchange.answer({ type: "probe-result", id, endpoint, result: { outcome: "answered", ms: id } });
    }
    expect(await first).toMatchObject({ value: { result: { ms: sent[0]?.id } } });
    expect(await second).toMatchObject({ value: { result: { ms: sent[1]?.id } } });
    expect(clock.pending).toBe(0);
  });

  it("are over when nobody answers in time, and when the connection ends", async () => {
    const { clock, exchange } = open();
    const late = exchange.ask(QUESTION);
    await clock.advance(PROBE_ANSWER_WITHIN_MS);
    expect(await late).toMatchObject({ error: { code: "probe-timeout" } });
    const cut = exchange.ask(QUESTION);
    exchange.close();
    expect(await cut).toMatchObject({ error: { code: "relay-not-connected" } });
    expect(await exchange.ask(QUESTION)).toMatchObject({ error: { code: "relay-not-connected" } });
    expect(clock.pending).toBe(0);
  });
});
