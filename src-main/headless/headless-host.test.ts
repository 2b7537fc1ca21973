import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fail, HiggsFailure, ok, type Result } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { connectControl } from "../ipc/control-client.ts";
import { openControlSocket } from "../ipc/control-socket.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { FakeNode } from "../ipc/testing/fake-node.ts";
import {
  CLOSE_DEADLINE_MS,
  type HeadlessOptions,
  INSIST_AFTER_MS,
  runHeadlessHost,
  type StopSignal,
} from "./headless-host.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "higgs-host-"));
  await mkdir(path.join(dataDir, "renderer"));
  await writeFile(path.join(dataDir, "renderer", "index.html"), "<!doctype html>");
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

function host(options: Partial<HeadlessOptions> = {}, result?: Result<NodeApi>) {
  const node = new FakeNode();
  const clock = new FakeClock();
  const listeners = new Set<(signal: StopSignal) => void>();
  let composed = 0;
  const text = { out: "", err: "" };
  const done = runHeadlessHost(
    { dataDir, share: false, panel: null, ...options },
    {
      clock,
      compose: async () => {
        composed++;
        return result ?? ok(node);
      },
      stdout: (chunk) => {
        text.out += chunk;
      },
      stderr: (chunk) => {
        text.err += chunk;
      },
      onSignal: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      onUnexpected: (call, thrown) => {
        text.err += `unexpected ${call}: ${String(thrown)}\n`;
      },
    },
  );
  const signal = (name: StopSignal) => {
    for (const listener of listeners) listener(name);
  };
  return { node, clock, listeners, text, done, signal, composed: () => composed };
}

describe("the headless host", () => {
  it("says in one line of JSON where it can be reached", async () => {
    const { text, done, signal } = host({ panel: { port: 0, rendererDir: path.join(dataDir, "renderer") } });
    await expect.poll(() => text.out).toContain("\n");
    const ready = JSON.parse(text.out);
    expect(ready).toEqual({
      ready: true,
      panel: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/),
      socket: path.join(dataDir, "control.sock"),
    });
    expect((await fetch(ready.panel, { redirect: "manual" })).status).toBe(303);
    signal("SIGTERM");
    await done;
    await expect(fetch(ready.panel)).rejects.toThrow();
  });

  it("shares nothing unless it is asked to", async () => {
    const { node, text, done, signal } = host();
    await expect.poll(() => text.out).toContain('"panel":null');
    signal("SIGINT");
    expect(await done).toEqual(ok(0));
    expect(node.calls).toEqual([]);
  });

  it("shares with --share, and stays when that fails", async () => {
    const { node, text, done, signal } = host({ share: true });
    node.failNext = new HiggsFailure({
      code: "permission-refused",
      message: "permission was refused",
      hint: "Try again.",
    });
    await expect.poll(() => text.err).toContain("higgsnode: permission was refused. Try again.\n");
    const control = await connectControl(dataDir);
    expect(control.ok).toBe(true);
    signal("SIGINT");
    expect(await done).toEqual(ok(0));
  });

  it("closes the node once on a signal, and leaves no socket and no listener", async () => {
    const { node, text, done, signal, listeners, clock } = host();
    await expect.poll(() => text.out).toContain("ready");
    signal("SIGHUP");
    expect(await done).toEqual(ok(0));
    expect(node.closed).toBe(1);
    expect(listeners.size).toBe(0);
    expect(clock.pending).toBe(0);
    expect(await connectControl(dataDir)).toMatchObject({ ok: false, error: { code: "not-running" } });
  });

  it("leaves at once on a second signal and says what that may mean", async () => {
    const { node, text, done, signal, clock } = host();
    node.closing = new Promise(() => {});
    await expect.poll(() => text.out).toContain("ready");
    signal("SIGINT");
    await expect.poll(() => node.closed).toBe(1);
    await clock.advance(INSIST_AFTER_MS);
    signal("SIGINT");
    expect(await done).toEqual(ok(1));
    expect(text.err).toContain("higgsnode restore-network");
  });

  it("takes one Ctrl+C that arrives twice for one", async () => {
    const { node, text, done, signal } = host();
    const closed = Promise.withResolvers<void>();
    node.closing = closed.promise;
    await expect.poll(() => text.out).toContain("ready");
    signal("SIGINT");
    signal("SIGINT");
    await expect.poll(() => node.closed).toBe(1);
    closed.resolve();
    expect(await done).toEqual(ok(0));
  });

  it("does not wait for ever for a node that does not close", async () => {
    const { node, text, done, signal, clock } = host();
    node.closing = new Promise(() => {});
    await expect.poll(() => text.out).toContain("ready");
    signal("SIGINT");
    await expect.poll(() => node.closed).toBe(1);
    await clock.advance(CLOSE_DEADLINE_MS);
    expect(await done).toEqual(ok(1));
  });

  it("closes the node it built where the control socket cannot be opened", async () => {
    await writeFile(path.join(dataDir, "control.sock"), "in the way");
    const { node, done } = host();
    expect(await done).toMatchObject({ ok: false, error: { code: "control-socket-blocked" } });
    expect(node.closed).toBe(1);
  });

  it("fails where the node cannot be built", async () => {
    const { text, done } = host({}, fail("data-dir-not-writable", "not writable"));
    expect(await done).toMatchObject({ ok: false, error: { code: "data-dir-not-writable" } });
    expect(text.out).toBe("");
  });

  it("builds no node where another runs already", async () => {
    const other = await openControlSocket({ dataDir, api: new FakeNode(), onUnexpected: () => {} });
    const { composed, done } = host();
    expect(await done).toMatchObject({ ok: false, error: { code: "already-running" } });
    expect(composed()).toBe(0);
    if (other.ok) await other.value.close();
  });
});
