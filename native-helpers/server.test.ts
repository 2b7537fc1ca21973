import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_HELLO_BYTES, MAX_HELPER_MESSAGE_BYTES } from "../src-shared/helper/protocol.ts";
import { fail } from "../src-shared/result.ts";
import { FakeClock } from "../src-shared/testing/fake-clock.ts";
import { sampleSpec } from "../src-shared/testing/sample-spec.ts";
import { HelperServer, type HelperServerOptions } from "./server.ts";
import { FakeBackend } from "./testing/fake-backend.ts";
import { RawClient } from "./testing/raw-client.ts";

const TOKEN = "f00d".repeat(16);
const GRACE_MS = 30_000;

let directory: string;
let clock: FakeClock;
let backend: FakeBackend;
let server: HelperServer;
let done: number;
let logged: { event: string; fields: object }[];
let clients: RawClient[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "higgs-server-"));
  clock = new FakeClock();
  backend = new FakeBackend();
  done = 0;
  logged = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await server.close();
  expect(clock.pending).toBe(0);
  expect(backend.watchers.size).toBe(0);
  rmSync(directory, { recursive: true, force: true });
});

async function start(options: Partial<HelperServerOptions> = {}): Promise<void> {
  server = new HelperServer({
    backend,
    clock,
    log: { write: (event, fields = {}) => logged.push({ event, fields }) },
    token: TOKEN,
    version: "1.2.3",
    graceMs: GRACE_MS,
    stayWhenIdle: false,
    onDone: () => {
      done++;
    },
    ...options,
  });
  await server.listen(join(directory, "s"));
}

async function stranger(): Promise<RawClient> {
  const client = await RawClient.connect(join(directory, "s"));
  clients.push(client);
  return client;
}

async function friend(): Promise<RawClient> {
  const client = await stranger();
  client.ask(0, "hello", { protocol: 1, token: TOKEN });
  await eventually(() => expect(client.answer(0)?.ok).toBe(true));
  return client;
}

/** Polls until the assertion holds; the deadline is for a machine under load. */
function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { interval: 2, timeout: 15_000 });
}

async function expectAnswer(client: RawClient, id: number | null, wanted: object): Promise<void> {
  await eventually(() => expect(client.answer(id)).toMatchObject(wanted));
}

/** What was asked last has been taken up: a later request of the same client was answered. */
async function settled(client: RawClient, id = 9_999): Promise<void> {
  client.ask(id, "subscribe", { topics: [] });
  await eventually(() => expect(client.answer(id)).toBeDefined());
}

async function gone(client: RawClient): Promise<void> {
  await eventually(() => expect(client.closed).toBe(true));
}

describe("whoever does not introduce himself", () => {
  it("is told that the token is wrong, closed, and written down", async () => {
    await start();
    const client = await stranger();
    client.ask(1, "hello", { protocol: 1, token: `${TOKEN.slice(0, -1)}x` });
    await expectAnswer(client, null, { ok: false, error: { code: "wrong-token" } });
    await gone(client);
    expect(logged).toContainEqual({ event: "wrong-token", fields: {} });
  });

  it("may not try a second token on the same connection", async () => {
    await start();
    const client = await stranger();
    const hello = (token: string) => `${JSON.stringify({ id: 1, verb: "hello", params: { protocol: 1, token } })}\n`;
    client.send(hello("wrong") + hello(TOKEN) + hello(TOKEN));
    await gone(client);
    expect(client.messages).toHaveLength(1);
    expect(client.messages[0]?.error?.code).toBe("wrong-token");
  });

  it("is closed two seconds after he came, and not before", async () => {
    await start();
    const client = await stranger();
    await eventually(() => expect(clock.pending).toBeGreaterThan(0));
    client.send('{"id":1,');
    await clock.advance(1_999);
    expect(client.closed).toBe(false);
    await clock.advance(1);
    await gone(client);
    expect(client.messages).toEqual([]);
  });

  it.each(["apply", "observe", "restore", "subscribe", "capabilities", "inspect-firewall", "nonsense"])(
    "is not heard when he says %s first",
    async (verb) => {
      await start();
      const client = await stranger();
      client.ask(1, verb, verb === "apply" ? { spec: sampleSpec() } : verb === "subscribe" ? { topics: [] } : {});
      await gone(client);
      expect(client.messages[0]?.ok).toBe(false);
      expect(backend.calls).toEqual([]);
    },
  );

  it("speaks a version of the protocol that we do not", async () => {
    await start();
    const client = await stranger();
    client.ask(1, "hello", { protocol: 2, token: TOKEN });
    await expectAnswer(client, null, { error: { code: "helper-version" } });
  });

  it("has a kilobyte for it", async () => {
    await start();
    const client = await stranger();
    client.ask(1, "hello", { protocol: 1, token: TOKEN, padding: "x".repeat(MAX_HELLO_BYTES) });
    await expectAnswer(client, null, { error: { code: "message-too-big" } });
    await gone(client);
  });

  it("never learns what is wrong with a spec", async () => {
    await start();
    const client = await stranger();
    client.ask(1, "apply", { spec: {} });
    await gone(client);
    expect(backend.calls).toEqual([]);
  });
});

describe("a message that makes no sense", () => {
  it.each([
    "{",
    '{"id":1,"verb":"observe","params":{}',
    "null",
    "[]",
    '"observe"',
    '{"id":-1,"verb":"observe","params":{}}',
    '{"id":1.5,"verb":"observe","params":{}}',
    '{"id":"1","verb":"observe","params":{}}',
    '{"id":1,"verb":"observe","params":{},"extra":1}',
    '{"id":1,"verb":["observe"],"params":{}}',
    '{"__proto__":{"verb":"observe"},"id":1}',
  ])("ends the connection: %s", async (text) => {
    await start();
    const client = await friend();
    client.send(`${text}\n`);
    await expectAnswer(client, null, { ok: false, error: { code: "bad-message" } });
    await gone(client);
    expect(backend.calls).toEqual([]);
  });

  it.each(["dance", "__proto__", "constructor", "toString", "hasOwnProperty", ""])(
    "is an unknown verb: %j",
    async (verb) => {
      await start();
      const client = await friend();
      client.ask(1, verb);
      await expectAnswer(client, 1, { ok: false, error: { code: "unknown-verb" } });
      client.ask(2, "observe-peers");
      await expectAnswer(client, 2, { ok: true });
    },
  );

  it("is ten megabytes long", async () => {
    await start();
    const client = await friend();
    client.send(`{"id":1,"verb":"apply","params":"${"x".repeat(10 * 1024 * 1024)}"}\n`);
    await expectAnswer(client, null, { error: { code: "message-too-big" } });
    await gone(client);
    expect(backend.calls).toEqual([]);
  });

  it("is nested a million deep", async () => {
    await start();
    const client = await friend();
    const depth = Math.floor(MAX_HELPER_MESSAGE_BYTES / 2) - 100;
    client.send(`{"id":1,"verb":"apply","params":${"[".repeat(depth)}${"]".repeat(depth)}}\n`);
    await eventually(() => expect(client.messages.length).toBe(2));
    expect(["bad-spec", "bad-message"]).toContain(client.messages[1]?.error?.code);
    await friend();
  });

  it("gets a short answer, however long its own words are", async () => {
    await start();
    const client = await friend();
    client.ask(1, "observe", { ["x".repeat(100_000)]: 1 });
    await expectAnswer(client, 1, { error: { code: "bad-message" } });
    expect(client.answer(1)?.error?.message.length).toBeLessThan(500);
  });
});

describe("a spec that is not for us to run", () => {
  const spec = sampleSpec();
  it.each([
    ["an interface named eth0", { ...spec, wireguard: { ...spec.wireguard, interfaceName: "eth0" } }],
    ["an interface named ../x", { ...spec, wireguard: { ...spec.wireguard, interfaceName: "../x" } }],
    ["an uplink named ../../x", { ...spec, exit: { ...spec.exit, uplinks: ["../../x"] } }],
    ["an uplink that is the whole machine", { ...spec, exit: { ...spec.exit, uplinks: ["all"] } }],
    ["a public guest network", { ...spec, guests: { ...spec.guests, ipv4: "8.8.0.0/16" } }],
    ["a field we do not know", { ...spec, run: "reboot" }],
    ["nothing", undefined],
  ])("asks for %s", async (_, asked) => {
    await start();
    const client = await friend();
    client.ask(1, "apply", { spec: asked });
    await expectAnswer(client, 1, { ok: false, error: { code: "bad-spec" } });
    expect(backend.calls).toEqual([]);
  });
});

describe("the controller", () => {
  it("is whoever applied first, until he leaves", async () => {
    await start();
    const [first, second] = [await friend(), await friend()];
    first.ask(1, "apply", { spec: sampleSpec() });
    await expectAnswer(first, 1, { ok: true });
    second.ask(1, "apply", { spec: sampleSpec() });
    await expectAnswer(second, 1, { error: { code: "helper-busy" } });
    second.ask(2, "observe");
    await expectAnswer(second, 2, { ok: true });
    first.destroy();
    await gone(first);
    await settled(second);
    second.ask(3, "apply", { spec: sampleSpec() });
    await expectAnswer(second, 3, { ok: true });
  });

  it("is nobody when the apply failed and left nothing", async () => {
    await start();
    backend.applyOutcome = fail("port-in-use", "UDP port 51820 is used by another program.");
    const [first, second] = [await friend(), await friend()];
    first.ask(1, "apply", { spec: sampleSpec() });
    await expectAnswer(first, 1, { error: { code: "port-in-use" } });
    second.ask(1, "apply", { spec: sampleSpec() });
    await expectAnswer(second, 1, { error: { code: "port-in-use" } });
  });

  it("vanishes, and the network is restored after the grace time, not before", async () => {
    await start();
    const client = await friend();
    client.ask(1, "apply", { spec: sampleSpec() });
    await expectAnswer(client, 1, { ok: true });
    client.destroy();
    await eventually(() => expect(clock.pending).toBe(1));
    await clock.advance(GRACE_MS - 1);
    expect(backend.calls).toEqual(["apply higgs0"]);
    await clock.advance(1);
    expect(backend.calls).toEqual(["apply higgs0", "restore"]);
    await clock.advance(5_000);
    expect(done).toBe(1);
  });

  it("comes back within the grace time and applies, and nothing is restored", async () => {
    await start();
    const first = await friend();
    first.ask(1, "apply", { spec: sampleSpec() });
    await expectAnswer(first, 1, { ok: true });
    first.destroy();
    await eventually(() => expect(clock.pending).toBe(1));
    await clock.advance(GRACE_MS - 1);
    const second = await friend();
    expect(second.answer(0)?.result).toMatchObject({ ownsNetwork: true });
    second.ask(1, "apply", { spec: sampleSpec() });
    await expectAnswer(second, 1, { ok: true });
    await clock.advance(GRACE_MS * 10);
    expect(backend.calls).toEqual(["apply higgs0", "apply higgs0"]);
  });

  it("comes back but does not apply, and the grace time runs out all the same", async () => {
    backend.owns = true;
    await start();
    await friend();
    await clock.advance(GRACE_MS);
    expect(backend.calls).toEqual(["restore"]);
    expect(done).toBe(0);
  });

  it("cannot be held by others who only look in now and then", async () => {
    backend.owns = true;
    await start();
    for (let visit = 0; visit < 4; visit++) {
      const visitor = await friend();
      visitor.ask(1, "observe");
      await expectAnswer(visitor, 1, { ok: true });
      visitor.destroy();
      await gone(visitor);
      await clock.advance(GRACE_MS / 4);
    }
    await eventually(() => expect(backend.calls).toContain("restore"));
  });

  it("leaves in the middle of his apply, and the network is restored though others stay", async () => {
    await start({ stayWhenIdle: true });
    const [client, other] = [await friend(), await friend()];
    const open = backend.hold();
    client.ask(1, "apply", { spec: sampleSpec() });
    await eventually(() => expect(backend.calls).toEqual(["apply higgs0"]));
    client.destroy();
    await gone(client);
    await settled(other);
    open();
    await eventually(() => expect(clock.pending).toBe(1));
    await clock.advance(GRACE_MS);
    expect(backend.calls).toEqual(["apply higgs0", "restore"]);
  });

  it("leaves before his apply had its turn, and it is not run", async () => {
    await start();
    const [client, other] = [await friend(), await friend()];
    const open = backend.hold();
    other.ask(1, "observe");
    await eventually(() => expect(backend.calls).toEqual(["observe"]));
    client.ask(1, "apply", { spec: sampleSpec() });
    await settled(client);
    client.destroy();
    await gone(client);
    await settled(other);
    open();
    await expectAnswer(other, 1, { ok: true });
    other.ask(2, "observe-peers");
    await expectAnswer(other, 2, { ok: true });
    expect(backend.calls).toEqual(["observe", "observe-peers"]);
  });
});

describe("the end", () => {
  it("comes five seconds after the last client has gone, where nothing is applied", async () => {
    await start();
    await clock.advance(4_999);
    const client = await friend();
    await clock.advance(60_000);
    expect(done).toBe(0);
    client.destroy();
    await eventually(() => expect(clock.pending).toBe(1));
    await clock.advance(4_999);
    expect(done).toBe(0);
    await clock.advance(1);
    expect(done).toBe(1);
  });

  it("does not come to a system service", async () => {
    await start({ stayWhenIdle: true });
    await clock.advance(1_000_000);
    expect(done).toBe(0);
  });

  it("tries again what could not be restored", async () => {
    backend.owns = true;
    backend.surprise = new Error("disk full");
    await start();
    await clock.advance(GRACE_MS);
    expect(backend.calls).toEqual(["restore"]);
    expect(logged).toContainEqual({ event: "internal-error", fields: { message: "disk full" } });
    await clock.advance(GRACE_MS);
    expect(backend.calls).toEqual(["restore", "restore"]);
    expect(backend.owns).toBe(false);
  });

  it("lets nobody apply again after it has begun to restore", async () => {
    await start();
    const client = await friend();
    const open = backend.hold();
    const restored = server.restoreForGood();
    client.ask(1, "apply", { spec: sampleSpec() });
    await settled(client);
    open();
    await restored;
    await expectAnswer(client, 1, { error: { code: "helper-ending" } });
    expect(backend.calls).toEqual(["restore"]);
  });
});

describe("requests", () => {
  it("never overlap, whoever sends them", async () => {
    await start();
    const [one, two] = [await friend(), await friend()];
    for (let round = 1; round <= 5; round++) {
      one.ask(round, "observe");
      two.ask(round, "capabilities");
      one.ask(round + 100, "apply", { spec: sampleSpec() });
      two.ask(round + 100, "inspect-firewall");
      two.ask(round + 200, "observe-peers");
    }
    await eventually(() => expect(backend.calls).toHaveLength(25));
    await expectAnswer(two, 205, { ok: true });
    expect(backend.calls.filter((call) => call.startsWith("-"))).toEqual([]);
  });

  it("are refused beyond those that may wait", async () => {
    await start();
    const client = await friend();
    const open = backend.hold();
    for (let id = 1; id <= 33; id++) client.ask(id, "observe-peers");
    await expectAnswer(client, 33, { error: { code: "too-many-requests" } });
    open();
    await expectAnswer(client, 32, { ok: true });
  });

  it("are answered with a stable code when something unforeseen happens", async () => {
    await start();
    backend.surprise = new Error("ENOSPC");
    const client = await friend();
    client.ask(1, "observe");
    await expectAnswer(client, 1, { ok: false, error: { code: "internal", message: "ENOSPC" } });
    client.ask(2, "observe");
    await expectAnswer(client, 2, { ok: true });
  });

  it("of somebody who does not read the answers end with his connection", async () => {
    await start();
    backend.padding = "x".repeat(1024 * 1024);
    const client = await friend();
    client.pause();
    for (let id = 1; id <= 20; id++) client.ask(id, "observe");
    await eventually(() => expect(backend.calls.length).toBeGreaterThan(8));
    // Once he is gone he has no place any more: the idle clock runs.
    await eventually(() => expect(clock.pending).toBe(1));
    await friend();
  });

  it("come from sixteen connections at most", async () => {
    await start();
    const all: RawClient[] = [];
    for (let count = 0; count < 17; count++) all.push(await stranger());
    await eventually(() => expect(all.filter(({ closed }) => closed)).toHaveLength(1));
    await clock.advance(2_000);
    await friend();
  });
});

describe("network changes", () => {
  it("are told to whoever subscribed, once, until he leaves", async () => {
    await start();
    const client = await friend();
    client.ask(1, "subscribe", { topics: ["network-change"] });
    client.ask(2, "subscribe", { topics: ["network-change"] });
    await expectAnswer(client, 2, { ok: true });
    expect(backend.watchers.size).toBe(1);
    for (const tell of backend.watchers) tell(["link", "route"]);
    await eventually(() =>
      expect(client.messages.filter(({ event }) => event !== undefined)).toEqual([
        { event: { topic: "network-change", kinds: ["link", "route"] } },
      ]),
    );
    client.ask(3, "subscribe", { topics: [] });
    await expectAnswer(client, 3, { ok: true });
    expect(backend.watchers.size).toBe(0);
    client.ask(4, "subscribe", { topics: ["network-change"] });
    await expectAnswer(client, 4, { ok: true });
    client.destroy();
    await eventually(() => expect(backend.watchers.size).toBe(0));
  });
});

describe("guests' connections", () => {
  const event = { topic: "connections" as const, source: { state: "on" as const }, dropped: 0, ended: [] };

  it("are told to whoever subscribed, until he does not want them or leaves", async () => {
    await start();
    const client = await friend();
    client.ask(1, "subscribe", { topics: ["connections"] });
    client.ask(2, "subscribe", { topics: ["connections", "network-change"] });
    await expectAnswer(client, 2, { ok: true });
    expect(backend.connectionListeners.size).toBe(1);
    for (const listener of backend.connectionListeners) listener.onEvent(event);
    await eventually(() => expect(client.messages).toContainEqual({ event }));
    client.ask(3, "subscribe", { topics: ["network-change"] });
    await expectAnswer(client, 3, { ok: true });
    expect(backend.connectionListeners.size).toBe(0);
    client.ask(4, "subscribe", { topics: ["connections"] });
    await expectAnswer(client, 4, { ok: true });
    client.destroy();
    await eventually(() => expect(backend.connectionListeners.size).toBe(0));
  });

  it("are held back while he does not read, long before he is closed", async () => {
    await start();
    const client = await friend();
    client.ask(1, "subscribe", { topics: ["connections"] });
    await expectAnswer(client, 1, { ok: true });
    const [listener] = backend.connectionListeners;
    if (listener === undefined) throw new Error("nobody listens");
    expect(listener.isBehind()).toBe(false);
    client.pause();
    const reason = { code: "x", message: "x".repeat(10_000) };
    const large = { ...event, source: { state: "unavailable" as const, error: reason } };
    for (let n = 0; n < 200 && !listener.isBehind(); n++) listener.onEvent(large);
    expect(listener.isBehind()).toBe(true);
    expect(client.closed).toBe(false);
    expect(backend.connectionListeners.size).toBe(1);
  });
});
