import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_CALL_CHARACTERS } from "../../src-shared/ipc/wire.ts";
import { unwrap } from "../../src-shared/result.ts";
import { connectControl } from "./control-client.ts";
import { type ControlSocket, openControlSocket } from "./control-socket.ts";
import { controlSocketPath } from "./socket-path.ts";
import { FakeNode } from "./testing/fake-node.ts";

let dataDir: string;
let node: FakeNode;
const opened: { close(): unknown }[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "higgs-ipc-"));
  node = new FakeNode();
});

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function open(): Promise<ControlSocket> {
  const socket = unwrap(
    await openControlSocket({
      dataDir,
      api: node,
      checkOutput: true,
      onUnexpected: (_call, thrown) => expect.fail(String(thrown)),
    }),
  );
  opened.push(socket);
  return socket;
}

async function client() {
  const connected = unwrap(await connectControl(dataDir));
  opened.push(connected);
  return connected;
}

/** A raw connection, for what the client would never send. */
async function raw(): Promise<{ socket: Socket; received: () => string; closed: () => boolean }> {
  const socket = connect(path.join(dataDir, "control.sock"));
  let text = "";
  let closed = false;
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  socket.on("close", () => {
    closed = true;
  });
  socket.on("error", () => {});
  opened.push({ close: () => socket.destroy() });
  await new Promise((resolve) => socket.once("connect", resolve));
  return { socket, received: () => text, closed: () => closed };
}

describe("the control socket", () => {
  it("is the owner's alone", async () => {
    const { path: socketPath } = await open();
    expect(socketPath).toBe(path.join(dataDir, "control.sock"));
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  });

  it("carries calls, failures and events", async () => {
    await open();
    const control = await client();
    const events: string[] = [];
    expect(await control.subscribe((name) => events.push(name))).toEqual({ ok: true, value: undefined });
    expect(await control.call("clients.add", { name: "phone" })).toMatchObject({ ok: true, value: { name: "phone" } });
    expect(await control.call("clients.add", { name: "Phone" })).toMatchObject({
      ok: false,
      error: { code: "client-exists" },
    });
    await expect.poll(() => events).toContain("clients.changed");
  });

  it("keeps answers apart when several calls are under way", async () => {
    await open();
    const control = await client();
    const answers = await Promise.all(["a", "b", "c"].map((name) => control.call("clients.add", { name })));
    expect(answers.map((answer) => answer.ok && answer.value.name)).toEqual(["a", "b", "c"]);
  });

  it("refuses a line that never ends, and hangs up", async () => {
    await open();
    const { socket, received, closed } = await raw();
    socket.write("x".repeat(MAX_CALL_CHARACTERS + 1));
    await expect.poll(closed).toBe(true);
    expect(received()).toContain("call-too-large");
  });

  it("answers what is not JSON and goes on", async () => {
    await open();
    const { socket, received } = await raw();
    socket.write('{"id":1,\n{"id":2,"call":"node.state"}\n');
    await expect.poll(received).toContain('"id":2');
    expect(received()).toContain("bad-request");
  });

  it("tells handlers when the caller hangs up", async () => {
    await open();
    node.hold = new Promise(() => {});
    const { socket } = await raw();
    socket.write('{"id":1,"call":"node.on"}\n');
    await expect.poll(() => node.signals.length).toBe(1);
    socket.destroy();
    await expect.poll(() => node.signals[0]?.aborted).toBe(true);
  });

  it("fails a call under way when the node goes", async () => {
    const control = await open();
    node.hold = new Promise(() => {});
    const call = (await client()).call("node.on", {});
    await expect.poll(() => node.calls.length).toBe(1);
    await control.close();
    expect(await call).toMatchObject({ ok: false, error: { code: "disconnected" } });
  });

  it("is not opened twice for one data directory", async () => {
    await open();
    const second = await openControlSocket({ dataDir, api: node, onUnexpected: () => {} });
    expect(second).toMatchObject({ ok: false, error: { code: "already-running" } });
    expect(await (await client()).call("node.state", {})).toMatchObject({ ok: true });
  });

  it("takes the place of a socket that a killed node left behind", async () => {
    const socketPath = path.join(dataDir, "control.sock");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(`${socketPath}.old`, resolve));
    // Node removes the path it was bound to when it closes; a renamed one stays, as after kill -9.
    const { rename } = await import("node:fs/promises");
    await rename(`${socketPath}.old`, socketPath);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect((await stat(socketPath)).isSocket()).toBe(true);
    await open();
    expect(await (await client()).call("node.state", {})).toMatchObject({ ok: true });
  });

  it("does not remove a file that is no socket", async () => {
    const file = path.join(dataDir, "control.sock");
    await writeFile(file, "mine");
    const result = await openControlSocket({ dataDir, api: node, onUnexpected: () => {} });
    expect(result).toMatchObject({ ok: false, error: { code: "control-socket-blocked" } });
    expect(await readFile(file, "utf8")).toBe("mine");
  });

  it("is gone after close, which may be called twice", async () => {
    const control = await open();
    await control.close();
    await control.close();
    expect(await connectControl(dataDir)).toMatchObject({ ok: false, error: { code: "not-running" } });
    await expect(stat(control.path)).rejects.toThrow("ENOENT");
  });
});

describe("connecting", () => {
  it("says that no node is running", async () => {
    expect(await connectControl(dataDir)).toMatchObject({ ok: false, error: { code: "not-running" } });
    await chmod(dataDir, 0o700);
    expect(await connectControl(path.join(dataDir, "nowhere"))).toMatchObject({
      ok: false,
      error: { code: "not-running" },
    });
  });

  it("refuses a path that the system cannot bind", () => {
    expect(controlSocketPath(`/${"x".repeat(120)}`, "linux")).toMatchObject({
      ok: false,
      error: { code: "data-dir-path-too-long" },
    });
  });

  it("uses one named pipe per data directory on Windows", () => {
    const one = unwrap(controlSocketPath("C:\\Users\\a\\higgsnode", "win32"));
    expect(one).toMatch(/^\\\\\.\\pipe\\higgsnode-[0-9a-f]{32}$/);
    expect(unwrap(controlSocketPath("c:\\users\\A\\higgsnode", "win32"))).toBe(one);
    expect(unwrap(controlSocketPath("C:\\Users\\b\\higgsnode", "win32"))).not.toBe(one);
  });
});
