/** The verbs of the diagnosis at the helper's socket: who may have a temporary guest, and for how long. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ok } from "../src-shared/result.ts";
import { FakeClock } from "../src-shared/testing/fake-clock.ts";
import { sampleSpec } from "../src-shared/testing/sample-spec.ts";
import type { DiagnosticBackend } from "./diagnostics.ts";
import { HelperServer } from "./server.ts";
import { FakeBackend } from "./testing/fake-backend.ts";
import { RawClient } from "./testing/raw-client.ts";

/** Nothing answers from there until the test says so. */
const SLOW = "192.0.2.99";
const TOKEN = "f00d".repeat(16);

class WithDiagnostics extends FakeBackend {
  guests = 0;
  closed = 0;
  /** Looks at a path that are under way, and what ends them. */
  readonly looking: (() => void)[] = [];
  looks = 0;
  readonly diagnostics: DiagnosticBackend = {
    readFirewall: async () => ({ ipv4: "*filter\n", ipv6: null, nft: [] }),
    lookUpRoute: async () => ({ state: "none", reason: "no route" }),
    pathMtu: async (to) => {
      this.looks++;
      if (to === SLOW) await new Promise<void>((resolve) => this.looking.push(resolve));
      return { mtu: 1500, told: null, tried: 1500 };
    },
    openTestGuest: async () => {
      this.guests++;
      return ok({ publicKey: "k", implementation: "kernel" });
    },
    askTestGuest: async () => ok({ outcome: "answered", detail: "", ms: 1 }),
    closeTestGuest: async () => {
      this.closed++;
      return [];
    },
  };
}

let directory: string;
let backend: WithDiagnostics;
let server: HelperServer;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "higgs-verbs-"));
  backend = new WithDiagnostics();
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(served: FakeBackend = backend): Promise<void> {
  server = new HelperServer({
    backend: served,
    clock: new FakeClock(),
    log: { write: () => {} },
    token: TOKEN,
    version: "1",
    graceMs: 30_000,
    stayWhenIdle: true,
    onDone: () => {},
  });
  await server.listen(join(directory, "s"));
}

async function friend(): Promise<RawClient> {
  const client = await RawClient.connect(join(directory, "s"));
  client.ask(0, "hello", { protocol: 1, token: TOKEN });
  await answered(client, 0, { ok: true });
  return client;
}

function answered(client: RawClient, id: number, wanted: object): Promise<void> {
  return vi.waitFor(() => expect(client.answer(id)).toMatchObject(wanted), { interval: 2, timeout: 15_000 });
}

const ADDRESSES = { addresses: ["10.66.255.254"] };

describe("the verbs of the diagnosis", () => {
  it("make a temporary guest for the node that holds the network, and for nobody else", async () => {
    await start();
    const node = await friend();
    const other = await friend();
    node.ask(1, "open-test-guest", ADDRESSES);
    await answered(node, 1, { ok: false, error: { code: "not-sharing" } });
    node.ask(2, "apply", { spec: sampleSpec() });
    await answered(node, 2, { ok: true });
    other.ask(1, "open-test-guest", ADDRESSES);
    await answered(other, 1, { ok: false, error: { code: "not-sharing" } });
    node.ask(3, "open-test-guest", ADDRESSES);
    await answered(node, 3, { ok: true, result: { publicKey: "k" } });
    expect(backend.guests).toBe(1);
    node.destroy();
    other.destroy();
  });

  it("take the guest away with the connection that asked for it", async () => {
    await start();
    const node = await friend();
    node.ask(1, "apply", { spec: sampleSpec() });
    await answered(node, 1, { ok: true });
    node.ask(2, "open-test-guest", ADDRESSES);
    await answered(node, 2, { ok: true });
    expect(backend.closed).toBe(0);
    node.destroy();
    await vi.waitFor(() => expect(backend.closed).toBe(1), { interval: 2, timeout: 15_000 });
  });

  it.each<[string, unknown, boolean]>([
    ["read-firewall", {}, true],
    ["look-up-route", { to: "192.0.2.1", from: "10.66.0.2", interfaceName: "higgs0" }, true],
    ["look-up-route", { to: "192.0.2.1; reboot" }, false],
    ["look-up-route", { to: "192.0.2.1", interfaceName: "../eth0" }, false],
    ["path-mtu", { to: "192.0.2.1" }, true],
    ["path-mtu", { to: "-f" }, false],
    ["open-test-guest", { addresses: [] }, false],
    ["ask-test-guest", { question: { kind: "tcp", to: "192.0.2.1", port: 443, timeoutMs: 1_000 } }, true],
    ["ask-test-guest", { question: { kind: "tcp", to: "192.0.2.1", port: 443, timeoutMs: 1e9 } }, false],
    ["ask-test-guest", { question: { kind: "run", program: "sh" } }, false],
    [
      "ask-test-guest",
      {
        question: { kind: "download", to: "192.0.2.1", port: 80, path: "/ HTTP/1.1\r\n", maxBytes: 1, timeoutMs: 100 },
      },
      false,
    ],
    ["close-test-guest", {}, true],
  ])("take for %s what is well formed: %j", async (verb, params, accepted) => {
    await start();
    const client = await friend();
    client.ask(1, verb, params);
    await answered(client, 1, accepted ? { ok: true } : { ok: false, error: { code: "bad-message" } });
    client.destroy();
  });

  it("start few programs at once, whoever asks for how many", async () => {
    await start();
    const greedy = await Promise.all(Array.from({ length: 4 }, friend));
    for (const client of greedy) for (let id = 1; id <= 30; id++) client.ask(id, "path-mtu", { to: SLOW });
    // What is asked in turn is not held up, and is answered after all of the others were taken up.
    for (const client of greedy) client.ask(99, "read-firewall", {});
    for (const client of greedy) await answered(client, 99, { ok: true });
    expect(backend.looks).toBe(6);
    backend.looking.shift()?.();
    await vi.waitFor(() => expect(backend.looks).toBe(7), { interval: 2, timeout: 15_000 });
    // Nobody looks for those who have gone.
    for (const client of greedy) client.destroy();
    const last = await friend();
    for (const end of backend.looking.splice(0)) end();
    last.ask(1, "path-mtu", { to: "192.0.2.1" });
    await answered(last, 1, { ok: true });
    expect(backend.looks).toBeLessThan(20);
    for (const end of backend.looking.splice(0)) end();
    last.destroy();
  });

  it("are refused on a platform that has none of them", async () => {
    await start(new FakeBackend());
    const client = await friend();
    client.ask(1, "read-firewall", {});
    await answered(client, 1, { ok: false, error: { code: "not-supported" } });
    client.destroy();
  });
});
