import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import { ok } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { sampleSpec, sampleTunnel } from "../../src-shared/testing/sample-spec.ts";
import { Journal } from "../journal.ts";
import { LinuxDiagnostics } from "./linux-diagnostics.ts";
import { findPathMtu } from "./path-mtu.ts";
import { readFirewall } from "./read-firewall.ts";
import { lookUpRoute } from "./route-lookup.ts";
import type { Ran, Run } from "./run.ts";

const TUNNEL = { ...sampleTunnel(sampleSpec()), publicKey: "bm9kZSdzIHB1YmxpYyBrZXkgaXMgMzIgYnl0ZXMhISE=" };
const ADDRESSES = ["10.66.255.254", "fd00:1:2:3::fffe"];

let stateDir: string;
let journal: Journal;
let clock: FakeClock;
let commands: string[];
/** What a command that begins like this comes to; the others succeed and print nothing. */
let answers: Map<string, Partial<Ran>>;
/** What the journal said when the namespace was made. */
let journalledThen: boolean | undefined;

const run: Run = async (program, args) => {
  const command = [program, ...args].join(" ");
  commands.push(command);
  if (command.startsWith("ip netns add")) journalledThen = journal.read()?.testGuest;
  const found = [...answers].find(([start]) => command.startsWith(start))?.[1];
  return { code: 0, stdout: "", stderr: "", missing: false, ...found };
};

function diagnostics(tunnel: ObservedWireguard = TUNNEL): LinuxDiagnostics {
  return new LinuxDiagnostics({
    run,
    clock,
    journal,
    stateDir,
    tunnel: async () => tunnel,
    program: { runtime: "/proc/7/exe", script: "the helper" },
  });
}

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "higgs-diagnostics-"));
  journal = new Journal(stateDir, "boot-1");
  clock = new FakeClock();
  commands = [];
  answers = new Map([["ip link show dev higgsg0", { code: 1 }]]);
});

afterEach(() => {
  rmSync(stateDir, { recursive: true, force: true });
});

describe("the temporary guest", () => {
  it("is in the journal before anything is made, and out of it when all is gone", async () => {
    const guest = diagnostics();
    expect(await guest.openTestGuest(ADDRESSES)).toMatchObject({ ok: true, value: { implementation: "kernel" } });
    expect(journalledThen).toBe(true);
    expect(commands).toContain("ip netns add higgs-guest");
    expect(commands).toContain("ip -n higgs-guest address add fd00:1:2:3::fffe/128 dev higgswg nodad");
    expect(await guest.closeTestGuest()).toEqual([]);
    expect(journal.read()?.testGuest).toBe(false);
    const before = commands.length;
    expect(await guest.closeTestGuest()).toEqual([]);
    expect(commands).toHaveLength(before);
    expect(clock.pending).toBe(0);
  });

  it("hands no key to a command line", async () => {
    await diagnostics().openTestGuest(ADDRESSES);
    expect(commands.filter((command) => /[A-Za-z0-9+/]{43}=/.test(command))).toEqual([]);
    expect(commands.join("\n")).toContain("private-key");
  });

  it("goes by itself after two minutes", async () => {
    const guest = diagnostics();
    await guest.openTestGuest(ADDRESSES);
    await clock.advance(120_000);
    await expect.poll(() => guest.hasGuest).toBe(false);
    expect(commands.filter((command) => command === "ip netns del higgs-guest")).toHaveLength(2);
  });

  it("leaves nothing behind when it could not be made, and says why", async () => {
    answers.set("ip link add dev higgsg0", { code: 2, stderr: "RTNETLINK answers: Operation not permitted\n" });
    const made = await diagnostics().openTestGuest(ADDRESSES);
    expect(made).toMatchObject({
      error: { code: "test-guest-refused", message: expect.stringContaining("not permitted") },
    });
    expect(commands.at(-2)).toBe("ip netns del higgs-guest");
    expect(journal.read()?.testGuest).toBe(false);
  });

  it("that a run left behind is removed by the next one, from the journal alone", async () => {
    await diagnostics().openTestGuest(ADDRESSES);
    commands = [];
    const next = diagnostics();
    expect(next.hasGuest).toBe(false);
    await next.closeTestGuest();
    expect(commands).toEqual([
      "ip -n higgs-guest link del dev higgswg",
      "ip link del dev higgsg0",
      "ip netns del higgs-guest",
      "ip link show dev higgsg0",
    ]);
  });

  it("stays in the journal as long as something of it is left", async () => {
    const guest = diagnostics();
    await guest.openTestGuest(ADDRESSES);
    answers.delete("ip link show dev higgsg0");
    expect(await guest.closeTestGuest()).toEqual(["interface higgsg0"]);
    expect(journal.read()?.testGuest).toBe(true);
  });

  it("is one at a time, and none without a tunnel", async () => {
    const guest = diagnostics();
    await guest.openTestGuest(ADDRESSES);
    expect(await guest.openTestGuest(ADDRESSES)).toMatchObject({ error: { code: "test-guest-busy" } });
    expect(await diagnostics({ state: "absent" }).openTestGuest(ADDRESSES)).toMatchObject({
      error: { code: "not-sharing" },
    });
    expect(await diagnostics().askTestGuest({ kind: "ping", to: "192.0.2.1" })).toMatchObject({
      error: { code: "no-test-guest" },
    });
    await guest.closeTestGuest();
  });

  it("asks inside of its namespace, and takes no nonsense for an answer", async () => {
    const guest = diagnostics();
    await guest.openTestGuest(ADDRESSES);
    const tcp = { kind: "tcp", to: "192.0.2.1", port: 443, timeoutMs: 1_000 } as const;
    answers.set("ip netns exec higgs-guest env", { stdout: '{"outcome":"answered","detail":"connected","ms":3}' });
    expect(await guest.askTestGuest(tcp)).toEqual(ok({ outcome: "answered", detail: "connected", ms: 3 }));
    expect(commands.at(-1)).toBe(
      `ip netns exec higgs-guest env ELECTRON_RUN_AS_NODE=1 /proc/7/exe ${stateDir}/guest-probe.mjs guest-probe`,
    );
    answers.set("ip netns exec higgs-guest env", { stdout: "hello" });
    expect(await guest.askTestGuest(tcp)).toMatchObject({ error: { code: "test-guest-failed" } });
    answers.set("ip netns exec higgs-guest ping", { stdout: "From 10.66.0.1 icmp_seq=1 Packet filtered\n" });
    expect(await guest.askTestGuest({ kind: "ping", to: "192.0.2.1" })).toMatchObject({
      value: { outcome: "refused" },
    });
    await guest.closeTestGuest();
  });

  it("is asked by the program that root was given to, whatever has its name by now", async () => {
    const guest = diagnostics();
    const copy = join(stateDir, "guest-probe.mjs");
    await guest.openTestGuest(ADDRESSES);
    expect([readFileSync(copy, "utf8"), (statSync(copy).mode & 0o777).toString(8)]).toEqual(["the helper", "600"]);
    await guest.closeTestGuest();
    expect(readdirSync(stateDir)).toEqual(["undo.json"]);
  });

  it("is taken away again when its key cannot be written", async () => {
    mkdirSync(join(stateDir, "test-guest.key"));
    mkdirSync(join(stateDir, "test-guest.key", "in-the-way"));
    const guest = diagnostics();
    const made = await guest.openTestGuest(ADDRESSES);
    expect(made.ok).toBe(false);
    expect([guest.hasGuest, clock.pending, journal.read()?.testGuest]).toEqual([false, 0, false]);
    expect(commands.at(-2)).toBe("ip netns del higgs-guest");
  });

  it("sees a handshake when there is one, and waits no longer than asked", async () => {
    const guest = diagnostics();
    await guest.openTestGuest(ADDRESSES);
    const waiting = guest.askTestGuest({ kind: "handshake", timeoutMs: 1_000 });
    for (let i = 0; i < 12; i++) await clock.advance(100);
    expect(await waiting).toMatchObject({ value: { outcome: "silence" } });
    answers.set("ip netns exec higgs-guest wg show", { stdout: "key\t1700000000\n" });
    expect(await guest.askTestGuest({ kind: "handshake", timeoutMs: 1_000 })).toMatchObject({
      value: { outcome: "answered" },
    });
    await guest.closeTestGuest();
  });
});

describe("the largest packet of a path", () => {
  it("is the largest that was answered, and what somebody on the way said", async () => {
    for (const size of [1400, 1380, 1360, 1320, 1280, 576]) {
      answers.set(`ping -4 -n -c 1 -W 1 -M do -s ${size - 28} `, {
        stdout: `${size - 20} bytes from 192.0.2.1: icmp_seq=1\n`,
      });
    }
    expect(await findPathMtu(run, "192.0.2.1")).toEqual({ mtu: 1400, told: null, tried: 1500 });
    answers.set("ping -4 -n -c 1 -W 1 -M do -s 1472", {
      code: 1,
      stdout: "From 192.0.2.9 icmp_seq=1 Frag needed and DF set (mtu = 1400)\n",
    });
    expect(await findPathMtu(run, "192.0.2.1")).toEqual({ mtu: 1400, told: 1400, tried: 1500 });
    expect(await findPathMtu(run, "2001:db8::1", 1420)).toEqual({ mtu: null, told: null, tried: 1420 });
    expect(commands).toContain("ping -6 -n -c 1 -W 1 -M do -s 1372 2001:db8::1");
  });
});

describe("a route", () => {
  it.each<[Partial<Ran>, object]>([
    [
      { stdout: '[{"dst":"192.0.2.1","from":"10.66.0.2","gateway":"192.168.1.1","dev":"eth0","flags":[]}]' },
      { state: "found", kind: "unicast", interfaceName: "eth0", gateway: "192.168.1.1" },
    ],
    [
      { stdout: '[{"type":"local","dst":"10.66.0.1","dev":"lo"}]' },
      { state: "found", kind: "local", interfaceName: "lo", gateway: null },
    ],
    [
      { stdout: '[{"type":"unreachable","dst":"192.0.2.1","dev":"lo"}]' },
      { state: "none", reason: "the route says unreachable" },
    ],
    [
      { code: 2, stderr: "RTNETLINK answers: Network is unreachable\n" },
      { state: "none", reason: "Network is unreachable" },
    ],
    [
      { code: 2, stderr: "RTNETLINK answers: Invalid cross-device link\n" },
      { state: "none", reason: expect.stringContaining("rp_filter") },
    ],
    [{ stdout: "nonsense" }, { state: "none" }],
  ])("of %j is %j", async (printed, expected) => {
    answers.set("ip -json", printed);
    expect(await lookUpRoute(run, { to: "192.0.2.1", from: "10.66.0.2", interfaceName: "higgs0" })).toMatchObject(
      expected,
    );
    expect(commands).toEqual(["ip -json -4 route get 192.0.2.1 from 10.66.0.2 iif higgs0"]);
  });
});

describe("everybody's rules", () => {
  it("are read as they are printed, and hooks that only nftables knows apart", async () => {
    const chain = (table: string, name: string, more: object = {}) => ({
      chain: { family: "inet", table, name, hook: "forward", policy: "accept", ...more },
    });
    const rule = (table: string, on: string, expr: unknown[]) => ({ rule: { family: "inet", table, chain: on, expr } });
    const nftables = [
      chain("a", "harmless"),
      rule("a", "harmless", [{ counter: {} }, { accept: null }]),
      chain("b", "drops"),
      rule("b", "drops", [{ match: {} }, { drop: null }]),
      chain("c", "policy", { policy: "drop" }),
      chain("d", "no-hook", { hook: undefined }),
      chain("filter", "FORWARD", { family: "ip" }),
    ];
    answers.set("iptables-save", { stdout: "*filter\nCOMMIT\n" });
    answers.set("ip6tables-save", { code: 1 });
    answers.set("nft", { stdout: JSON.stringify({ nftables }) });
    const { ipv4, ipv6, nft } = await readFirewall(run);
    expect([ipv4, ipv6]).toEqual(["*filter\nCOMMIT\n", null]);
    expect(nft.map(({ table, rules, mayRefuse }) => ({ table, rules, mayRefuse }))).toEqual([
      { table: "a", rules: 1, mayRefuse: false },
      { table: "b", rules: 1, mayRefuse: true },
      { table: "c", rules: 0, mayRefuse: true },
    ]);
  });

  it("that are too many are left out rather than cut", async () => {
    answers.set("iptables-save", { stdout: "x".repeat(600 * 1024) });
    expect(await readFirewall(run)).toMatchObject({ ipv4: null, nft: [] });
  });
});
