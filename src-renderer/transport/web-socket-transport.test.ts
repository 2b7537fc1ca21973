import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { type SocketLike, WebSocketTransport } from "./web-socket-transport.ts";

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: { id: number; call: string }[] = [];
  closed = 0;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed++;
  }

  /** Opens and answers the subscription. */
  async accept(): Promise<void> {
    this.onopen?.();
    this.onmessage?.({ data: JSON.stringify({ id: this.sent[0]?.id, ok: true, output: {} }) });
    await Promise.resolve();
    await Promise.resolve();
  }
}

function transport() {
  const clock = new FakeClock();
  const sockets: FakeSocket[] = [];
  const seen: string[] = [];
  const panel = new WebSocketTransport({
    clock,
    connect: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
  });
  panel.start({ onConnection: (state) => seen.push(state), onEvent: (name) => seen.push(name) });
  return { clock, sockets, seen, panel };
}

const EVENT = JSON.stringify({ event: "clients.changed", payload: { run: "r", revision: 0, value: [] } });

describe("the panel's connection", () => {
  it("is open once events are on their way", async () => {
    const { clock, sockets, seen } = transport();
    expect(seen).toEqual(["connecting"]);
    await sockets[0]?.accept();
    await clock.advance(0);
    sockets[0]?.onmessage?.({ data: EVENT });
    expect(seen).toEqual(["connecting", "open", "clients.changed"]);
  });

  it("is sought again, ever more slowly, until it is back", async () => {
    const { clock, sockets, seen } = transport();
    for (const [attempt, waitMs] of [500, 1000, 2000, 4000, 5000, 5000].entries()) {
      sockets[attempt]?.onclose?.();
      await clock.advance(waitMs - 1);
      expect(sockets).toHaveLength(attempt + 1);
      await clock.advance(1);
      expect(sockets).toHaveLength(attempt + 2);
    }
    await sockets.at(-1)?.accept();
    await clock.advance(0);
    expect(seen.at(-1)).toBe("open");
    sockets.at(-1)?.onclose?.();
    await clock.advance(500);
    expect(sockets).toHaveLength(8);
  });

  it("fails calls under way when it is lost, and at once while it is away", async () => {
    const { clock, sockets, panel } = transport();
    await sockets[0]?.accept();
    await clock.advance(0);
    const call = panel.call("node.on", {});
    sockets[0]?.onclose?.();
    expect(await call).toMatchObject({ ok: false, error: { code: "disconnected" } });
    expect(await panel.call("node.on", {})).toMatchObject({ ok: false, error: { code: "disconnected" } });
  });

  it("leaves nothing behind when it is disposed of", async () => {
    const { clock, sockets, seen, panel } = transport();
    sockets[0]?.onclose?.();
    panel.dispose();
    panel.dispose();
    await clock.advance(60_000);
    expect(sockets).toHaveLength(1);
    expect(clock.pending).toBe(0);
    expect(seen).toEqual(["connecting", "lost"]);
  });
});
