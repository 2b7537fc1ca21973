import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HelperServer } from "../../native-helpers/server.ts";
import { FakeBackend } from "../../native-helpers/testing/fake-backend.ts";
import { MAX_HELPER_MESSAGE_BYTES } from "../../src-shared/helper/protocol.ts";
import { fail, type HiggsError, ok } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { sampleSpec } from "../../src-shared/testing/sample-spec.ts";
import { HelperClient } from "./helper-client.ts";
import { HelperLink, type LaunchHelper } from "./helper-link.ts";
import type { HelperEndpoint } from "./helper-paths.ts";

const TOKEN = "cafe".repeat(16);
const READY_WITHIN_MS = 15_000;

let directory: string;
let endpoint: HelperEndpoint;
let clock: FakeClock;
let backend: FakeBackend;
let cleanUps: (() => unknown)[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "higgs-link-"));
  endpoint = { socketPath: join(directory, "s"), tokenPath: join(directory, "t") };
  clock = new FakeClock();
  backend = new FakeBackend();
  cleanUps = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  rmSync(directory, { recursive: true, force: true });
});

/** Polls until the assertion holds; the deadline is for a machine under load. */
function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { interval: 2, timeout: 15_000 });
}

async function startHelper(): Promise<HelperServer> {
  const server = new HelperServer({
    backend,
    clock: new FakeClock(),
    log: { write: () => {} },
    token: TOKEN,
    version: "1.2.3",
    graceMs: 30_000,
    stayWhenIdle: true,
    onDone: () => {},
  });
  rmSync(endpoint.socketPath, { force: true });
  await server.listen(endpoint.socketPath);
  writeFileSync(endpoint.tokenPath, TOKEN);
  cleanUps.push(() => server.close());
  return server;
}

/** A helper that was taken over: it answers a line with whatever `reply` says. */
async function startImpostor(reply: (line: string, socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding("utf8");
    socket.on("error", () => {});
    socket.on("data", (chunk: string) => {
      for (const line of chunk.split("\n").filter((each) => each !== "")) reply(line, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(endpoint.socketPath, resolve));
  writeFileSync(endpoint.tokenPath, TOKEN);
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return server;
}

const HELLO = { protocol: 1, version: "1", pid: 1, ownsNetwork: false };

function makeLink(launch: LaunchHelper): HelperLink {
  const link = new HelperLink({ endpoint, clock, launch, readyWithinMs: READY_WITHIN_MS });
  cleanUps.push(() => link.dispose());
  return link;
}

function neverLaunch(): never {
  throw new Error("nothing was to be launched");
}

async function connected(): Promise<HelperClient> {
  const client = await HelperClient.connect(endpoint, clock);
  if (!client.ok) throw new Error(client.error.code);
  cleanUps.push(() => client.value.close());
  return client.value;
}

describe("HelperClient", () => {
  it("introduces itself and asks, against the real server", async () => {
    await startHelper();
    const client = await connected();
    expect(client.helper).toMatchObject({ version: "1.2.3", ownsNetwork: false });
    expect(await client.call("apply", { spec: sampleSpec() })).toMatchObject({ ok: true, value: { changed: true } });
    expect(await client.call("observe-peers", {})).toEqual({ ok: true, value: { state: "absent" } });
    expect(clock.pending).toBe(0);
  });

  it("hands on what the helper refuses, with its code", async () => {
    await startHelper();
    backend.applyOutcome = fail("port-in-use", "UDP port 51820 is used.", "Choose another.");
    const answer = await (await connected()).call("apply", { spec: sampleSpec() });
    expect(answer).toEqual(fail("port-in-use", "UDP port 51820 is used.", "Choose another."));
  });

  it("finds no helper where there is no token, or nobody behind the socket", async () => {
    expect(await HelperClient.connect(endpoint, clock)).toMatchObject({ error: { code: "helper-absent" } });
    writeFileSync(endpoint.tokenPath, TOKEN);
    expect(await HelperClient.connect(endpoint, clock)).toMatchObject({ error: { code: "helper-absent" } });
  });

  it("is told when its token is of an earlier helper", async () => {
    await startHelper();
    writeFileSync(endpoint.tokenPath, "old");
    expect(await HelperClient.connect(endpoint, clock)).toMatchObject({ error: { code: "wrong-token" } });
    expect(clock.pending).toBe(0);
  });

  it("settles every call under way when the helper dies, and tells once", async () => {
    const server = await startHelper();
    const client = await connected();
    const release = backend.hold();
    const lost = vi.fn();
    client.onClose(lost);
    const calls = [client.call("observe", {}), client.call("observe-peers", {})];
    await eventually(() => expect(backend.calls).toEqual(["observe"]));
    const closing = server.close();
    for (const answer of await Promise.all(calls)) expect(answer).toMatchObject({ error: { code: "helper-lost" } });
    release();
    await closing;
    client.close();
    client.close();
    expect(lost).toHaveBeenCalledTimes(1);
    expect(await client.call("observe", {})).toMatchObject({ error: { code: "helper-lost" } });
    expect(clock.pending).toBe(0);
  });

  it("gives a call up after a minute, and the connection goes on", async () => {
    await startHelper();
    const client = await connected();
    const release = backend.hold();
    const call = client.call("observe", {});
    await eventually(() => expect(backend.calls).toEqual(["observe"]));
    await clock.advance(60_000);
    expect(await call).toMatchObject({ error: { code: "helper-timeout" } });
    release();
    expect(await client.call("observe-peers", {})).toMatchObject({ ok: true });
  });

  it("does not take an answer that has the wrong shape, or no meaning at all", async () => {
    await startImpostor((line, socket) => {
      const { id, verb } = JSON.parse(line) as { id: number; verb: string };
      const result = verb === "hello" ? HELLO : { state: "present", peers: "all of them" };
      socket.write(`nonsense\n{"id":999,"ok":true,"result":1}\n${JSON.stringify({ id, ok: true, result })}\n`);
    });
    const client = await connected();
    expect(await client.call("observe-peers", {})).toMatchObject({ error: { code: "helper-nonsense" } });
  });

  it("closes a connection on which more comes than any answer holds", async () => {
    await startImpostor((line, socket) => {
      const { id, verb } = JSON.parse(line) as { id: number; verb: string };
      if (verb === "hello") socket.write(`${JSON.stringify({ id, ok: true, result: HELLO })}\n`);
      else socket.write("x".repeat(MAX_HELPER_MESSAGE_BYTES + 1));
    });
    const client = await connected();
    expect(await client.call("observe-peers", {})).toMatchObject({ error: { code: "helper-lost" } });
    expect(client.closed).toBe(true);
  });
});

describe("HelperLink", () => {
  it("takes the helper that runs already, and starts none", async () => {
    await startHelper();
    const link = makeLink(neverLaunch);
    expect(link.connected).toBeUndefined();
    expect((await link.ensure()).ok).toBe(true);
    expect(link.connected?.helper.version).toBe("1.2.3");
    expect(await link.call("observe-peers", {})).toMatchObject({ ok: true });
  });

  it("raises one prompt, however many ask at the same time", async () => {
    const launch = vi.fn(async () => {
      await startHelper();
      return ok(undefined);
    });
    const link = makeLink(launch);
    const answers = await Promise.all([link.ensure(), link.ensure(), link.call("observe-peers", {})]);
    expect(answers.map(({ ok: good }) => good)).toEqual([true, true, true]);
    expect(launch).toHaveBeenCalledTimes(1);
  });

  it("keeps one connection where somebody looks for a helper while another is connecting", async () => {
    await startHelper();
    const link = makeLink(neverLaunch);
    const [one, two] = await Promise.all([link.ensure(), link.findRunning()]);
    expect(one.ok && two.ok && one.value === two.value).toBe(true);
    expect(link.connected?.closed).toBe(false);
  });

  it("starts nothing when it only looks", async () => {
    const link = makeLink(neverLaunch);
    expect(await link.findRunning()).toMatchObject({ error: { code: "helper-absent" } });
  });

  it("waits out the token that an earlier helper has left", async () => {
    await startHelper();
    writeFileSync(endpoint.tokenPath, "of the one that died");
    let tries = 0;
    const link = makeLink(() => ok(undefined));
    const ensured = link.ensure();
    await eventually(() => {
      tries += clock.pending;
      expect(tries).toBeGreaterThan(0);
    });
    writeFileSync(endpoint.tokenPath, TOKEN);
    const ticking = setInterval(() => void clock.advance(25), 1);
    expect((await ensured).ok).toBe(true);
    clearInterval(ticking);
  });

  it("hands on why the helper refused to start", async () => {
    const complaint: HiggsError = { code: "permission-refused", message: "No.", hint: "Try again." };
    const link = makeLink((onExit) => {
      onExit(complaint);
      return ok(undefined);
    });
    expect(await link.ensure()).toEqual({ ok: false, error: complaint });
  });

  it("can be asked again after a refusal", async () => {
    let refuse = true;
    const link = makeLink(async (onExit) => {
      if (refuse) onExit({ code: "permission-refused", message: "No." });
      else await startHelper();
      return ok(undefined);
    });
    expect((await link.ensure()).ok).toBe(false);
    refuse = false;
    expect((await link.ensure()).ok).toBe(true);
  });

  it("says so when the helper ends without a word, or is not there in time", async () => {
    const silent = makeLink((onExit) => {
      onExit(undefined);
      return ok(undefined);
    });
    expect(await silent.ensure()).toMatchObject({ error: { code: "helper-not-started" } });
    const slow = makeLink(() => ok(undefined));
    const ensured = slow.ensure();
    const ticking = setInterval(() => void clock.advance(5_000), 1);
    expect(await ensured).toMatchObject({ error: { code: "helper-not-started" } });
    clearInterval(ticking);
  });

  it("tells once that a connection is lost, and connects again when asked", async () => {
    const server = await startHelper();
    const link = makeLink(neverLaunch);
    const lost = vi.fn();
    const stopListening = link.onLost(lost);
    await link.ensure();
    await server.close();
    await eventually(() => expect(lost).toHaveBeenCalledTimes(1));
    expect(link.connected).toBeUndefined();
    await startHelper();
    expect((await link.ensure()).ok).toBe(true);
    stopListening();
    expect(lost).toHaveBeenCalledTimes(1);
  });

  it("hands on network changes across connections", async () => {
    await startHelper();
    const link = makeLink(neverLaunch);
    const heard = vi.fn();
    link.onNetworkChange(heard);
    await link.call("subscribe", { topics: ["network-change"] });
    for (const tell of backend.watchers) tell(["route"]);
    await eventually(() => expect(heard).toHaveBeenCalledWith({ topic: "network-change", kinds: ["route"] }));
  });

  it("ends a helper that is to be made anew, tells nobody that it was lost, and finds the next", async () => {
    await startHelper();
    const killed: number[] = [];
    const link = new HelperLink({
      endpoint,
      clock,
      launch: () => ok(undefined),
      readyWithinMs: READY_WITHIN_MS,
      kill: (pid) => killed.push(pid),
    });
    cleanUps.push(() => link.dispose());
    let lost = 0;
    link.onLost(() => lost++);
    link.restart();
    expect(killed).toEqual([]);
    await link.ensure();
    const first = link.connected;
    link.restart();
    expect(killed).toEqual([process.pid]);
    expect(link.connected).toBeUndefined();
    expect((await link.ensure()).ok).toBe(true);
    expect(link.connected).not.toBe(first);
    expect(lost).toBe(0);
  });

  it("leaves a helper alive for whose successor a person would be asked", async () => {
    await startHelper();
    const killed: number[] = [];
    const link = new HelperLink({
      endpoint,
      clock,
      launch: () => ok(undefined),
      readyWithinMs: READY_WITHIN_MS,
      prompts: true,
      kill: (pid) => killed.push(pid),
    });
    cleanUps.push(() => link.dispose());
    await link.ensure();
    link.restart();
    expect(killed).toEqual([]);
    expect(link.connected).toBeUndefined();
  });

  it("does not count its own disposal as a loss, and stops waiting for a helper", async () => {
    await startHelper();
    const lost = vi.fn();
    const link = makeLink(neverLaunch);
    link.onLost(lost);
    await link.ensure();
    link.dispose();
    link.dispose();
    expect(lost).not.toHaveBeenCalled();
    expect(await link.ensure()).toMatchObject({ error: { code: "helper-disposed" } });
  });

  it("gives up a start under way when it is disposed of", async () => {
    const link = makeLink(() => ok(undefined));
    const ensured = link.ensure();
    await eventually(() => expect(clock.pending).toBe(1));
    link.dispose();
    await clock.advance(25);
    expect(await ensured).toMatchObject({ error: { code: "helper-disposed" } });
    expect(clock.pending).toBe(0);
  });
});
