import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src-shared/clock.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { busSocketPath, hasStatusNotifierHost } from "./session-bus.ts";

/** The messages of a bus as far as they matter: an answer to Hello, the name that was given, answers and a refusal. */
const HELLO_ANSWER = message(2, "s", Buffer.from("050000003a312e3000", "hex"));
const NAME_ACQUIRED = message(4, "s", Buffer.from("050000003a312e3000", "hex"));
const TRUE = message(2, "v", Buffer.from("0162000001000000", "hex"));
const FALSE = message(2, "v", Buffer.from("0162000000000000", "hex"));
const TEXT = message(2, "v", Buffer.from("01730000010000003100", "hex"));
const SERVICE_UNKNOWN = message(3, "s", Buffer.from("0400000066696e6500", "hex"));

/** Little-endian, with a signature as its one header field. */
function message(type: number, signature: string, body: Buffer): Buffer {
  const fields = Buffer.from([8, 1, 0x67, 0, 1, signature.charCodeAt(0), 0]);
  const head = Buffer.alloc(16);
  head.set([0x6c, type, 1, 1]);
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(1, 8);
  head.writeUInt32LE(fields.length, 12);
  return Buffer.concat([head, fields, Buffer.alloc(1), body]);
}

describe("asking the session's bus for a tray", () => {
  let folder: string;
  let server: Server;
  let path: string;
  let said: string;
  const sockets: Socket[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "higgsnode-bus-"));
    path = join(folder, "bus");
    said = "";
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    rmSync(folder, { recursive: true, force: true });
  });

  /** A bus that lets everybody in, or answers `greeting`, and then says `pieces` one after the other. */
  async function bus(pieces: readonly Buffer[], greeting = "OK 00\r\n"): Promise<void> {
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk) => {
        const before = said;
        said += chunk.toString("latin1");
        if (before === "") socket.write(greeting);
        if (!before.includes("BEGIN") && said.includes("BEGIN")) for (const piece of pieces) socket.write(piece);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }

  const ask = () =>
    hasStatusNotifierHost({ env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` }, uid: 1000, clock: systemClock });

  it("says yes where a host is registered, and asks as the user it is", async () => {
    await bus([HELLO_ANSWER, NAME_ACQUIRED, TRUE]);
    expect(await ask()).toBe(true);
    expect(said.startsWith(`\0AUTH EXTERNAL ${Buffer.from("1000").toString("hex")}\r\nBEGIN\r\n`)).toBe(true);
    expect(said).toContain("IsStatusNotifierHostRegistered");
  });

  it.each([
    ["no host is registered", [HELLO_ANSWER, NAME_ACQUIRED, FALSE]],
    ["nobody watches", [HELLO_ANSWER, NAME_ACQUIRED, SERVICE_UNKNOWN]],
    ["the answer is of another type", [HELLO_ANSWER, TEXT]],
    ["the answer is beyond all bounds", [Buffer.alloc(70_000, 0xff)]],
  ])("says no where %s", async (_, pieces) => {
    await bus(pieces);
    expect(await ask()).toBe(false);
  });

  it("puts answers together from the pieces they come in", async () => {
    const all = Buffer.concat([HELLO_ANSWER, NAME_ACQUIRED, TRUE]);
    await bus([...all].map((byte) => Buffer.from([byte])));
    expect(await ask()).toBe(true);
  });

  it("says no where it is not let in, or there is no bus", async () => {
    await bus([], "REJECTED EXTERNAL\r\n");
    expect(await ask()).toBe(false);
    const nowhere = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}.missing` };
    expect(await hasStatusNotifierHost({ env: nowhere, uid: 0, clock: systemClock })).toBe(false);
    expect(await hasStatusNotifierHost({ env: {}, uid: 0, clock: systemClock })).toBe(false);
  });

  it("does not wait for a bus that hangs", async () => {
    await bus([]);
    const clock = new FakeClock();
    const env = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
    const asked = hasStatusNotifierHost({ env, uid: 0, clock });
    await clock.advance(2_000);
    expect(await asked).toBe(false);
    expect(clock.pending).toBe(0);
  });
});

describe("where the session's bus is", () => {
  it.each([
    [{ DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1000/bus" }, "/run/user/1000/bus"],
    [{ DBUS_SESSION_BUS_ADDRESS: "tcp:host=x;unix:path=/tmp/a%20b,guid=0" }, "/tmp/a b"],
    [{ DBUS_SESSION_BUS_ADDRESS: "unix:abstract=/tmp/dbus-x,guid=0" }, "\0/tmp/dbus-x"],
    [{ XDG_RUNTIME_DIR: "/run/user/7" }, "/run/user/7/bus"],
    [{}, undefined],
  ])("%j", (env, path) => {
    expect(busSocketPath(env)).toBe(path);
  });
});
