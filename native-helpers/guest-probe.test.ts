import { createSocket } from "node:dgram";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type GuestQuestion, guestAnswerSchema } from "../src-shared/helper/diagnostics.ts";
import { runGuestProbe } from "./guest-probe.ts";

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function* text(content: string) {
  yield content;
}

async function ask(question: GuestQuestion) {
  let printed = "";
  await runGuestProbe(text(JSON.stringify(question)), (line) => {
    printed += line;
  });
  return guestAnswerSchema.parse(JSON.parse(printed));
}

function listen(server: ReturnType<typeof createServer> | ReturnType<typeof createHttpServer>): Promise<number> {
  closers.push(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

const HERE = { to: "127.0.0.1", timeoutMs: 2_000 } as const;

describe("what the temporary guest tries", () => {
  it("connects over TCP, and tells a refusal from an answer", async () => {
    const port = await listen(createServer((socket) => socket.destroy()));
    expect(await ask({ kind: "tcp", port, ...HERE })).toMatchObject({ outcome: "answered" });
    expect(await ask({ kind: "tcp", port: 1, ...HERE })).toMatchObject({ outcome: "refused", detail: "ECONNREFUSED" });
  });

  it("sends a datagram, and waits no longer than asked", async () => {
    const echo = createSocket("udp4");
    closers.push(() => echo.close());
    echo.on("message", (message, from) => echo.send(message, from.port, from.address));
    await new Promise<void>((resolve) => echo.bind(0, "127.0.0.1", resolve));
    expect(await ask({ kind: "udp", port: echo.address().port, ...HERE })).toMatchObject({ outcome: "answered" });
    const silent = createSocket("udp4");
    closers.push(() => silent.close());
    await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
    const question = { kind: "udp", to: "127.0.0.1", port: silent.address().port, timeoutMs: 100 } as const;
    expect(await ask(question)).toMatchObject({ outcome: "silence" });
  });

  it("counts what it downloads, and stops at the most", async () => {
    const port = await listen(createHttpServer((_, response) => response.end(Buffer.alloc(100_000))));
    const question = { kind: "download", port, path: "/", ...HERE } as const;
    expect(await ask({ ...question, maxBytes: 1_000_000 })).toMatchObject({ outcome: "answered", bytes: 100_000 });
    const cut = await ask({ ...question, maxBytes: 10 });
    expect(cut.bytes).toBeGreaterThanOrEqual(10);
    expect(await ask({ ...question, port: 1, maxBytes: 10 })).toMatchObject({ outcome: "refused", bytes: 0 });
  });

  it.each(["{", '{"kind":"run","program":"sh"}', '{"kind":"ping","to":"192.0.2.1"}', "x".repeat(5_000)])(
    "does nothing for what is no question of its own: %.20s",
    async (question) => {
      await expect(runGuestProbe(text(question), () => {})).rejects.toThrow();
    },
  );
});
