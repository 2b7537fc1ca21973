/** What the owner can have tried and written down: the self-test, the trace, and a report that says nothing about anybody. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SelfTest } from "../src-shared/model/diagnosis.ts";
import type { FirewallTrace } from "../src-shared/model/firewall-trace.ts";
import {
  type Guest,
  INTERNET,
  LAN,
  type LabHost,
  NetworkSnapshot,
  nodeProgram,
  poll,
  requireLab,
  WAN,
  WEB_NAME,
} from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

const HOST_NAME = "annas-laptop-7f3";
const CLIENT_NAME = "Great-aunt Mathilda";
/** A server that gives more than the few bytes of a page, so that there is something to measure with. */
const LARGE_PORT = 8080;
const LARGE = `require("http").createServer((q, r) => r.end(Buffer.alloc(8 << 20))).listen(${LARGE_PORT}, () => console.log("up"))`;
const WITHIN_MS = 20_000;

describe.skipIf(!requireLab())("what the owner can have tried", () => {
  let sharing: Sharing;
  let host: LabHost;
  let guest: Guest;

  beforeAll(async () => {
    sharing = await Sharing.create();
    ({ host } = sharing.node);
    await sharing.node.stop();
    await host.mustExec(["sh", "-c", 'printf %s "$1" > /proc/sys/kernel/hostname', "sh", HOST_NAME]);
    await sharing.node.start({ panelPort: false });
    const large = sharing.lab.host("inet").spawn([nodeProgram(), "-e", LARGE]);
    await large.line((line) => line === "up", WITHIN_MS);
    const targets = [`${INTERNET.web.ipv4}:${LARGE_PORT}`, `[${INTERNET.web.ipv6}]:80`];
    await sharing.node.mustRun(["settings", "set", `egressTargets=${JSON.stringify(targets)}`]);
    await sharing.node.mustRun(["on"]);
    await sharing.waitForPhase("running");
    guest = await sharing.connectGuest(CLIENT_NAME);
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  async function leftOfGuest(): Promise<string> {
    const things = "ip netns list; ip -o link show | grep -o 'higgsg[0-9]'; ls /run/wireguard | grep higgswg; true";
    const programs = host.processes().filter(({ argv }) => argv.includes("higgswg"));
    return `${await host.mustExec(["sh", "-c", things])}${programs.map(({ argv }) => argv.join(" ")).join("\n")}`;
  }

  async function peers(): Promise<number> {
    return (await host.mustExec(["wg", "show", "higgs0", "peers"])).trim().split("\n").length;
  }

  async function nothingLeft(): Promise<void> {
    await poll(
      "nothing to be left of the temporary guest",
      async () => ((await leftOfGuest()).trim() === "" && (await peers()) === 1 ? true : undefined),
      { timeoutMs: WITHIN_MS, intervalMs: 100 },
    );
  }

  /** Starts a self-test, and resolves when its guest is there. */
  async function halfway() {
    const program = host.spawn(sharing.node.command(["self-test", "--json"]));
    await poll("the temporary guest", async () => ((await leftOfGuest()).includes("higgs-guest") ? true : undefined), {
      timeoutMs: WITHIN_MS,
      intervalMs: 20,
    });
    return program;
  }

  it("sends a temporary guest through every stage, and leaves nothing behind", async () => {
    const before = await NetworkSnapshot.take(host);
    const ran = await sharing.node.run(["self-test", "--json"]);
    const { outcome, steps } = JSON.parse(ran.stdout) as SelfTest;
    expect(steps.map((step) => [step.stage, step.outcome])).toEqual([
      ["guest", "pass"],
      ["handshake", "pass"],
      ["dns", "pass"],
      ["ipv4", "pass"],
      ["ipv6", "pass"],
      ["mtu", "pass"],
      ["lan-isolation", "pass"],
      ["throughput", "pass"],
      ["clean-up", "pass"],
    ]);
    expect(steps.find(({ stage }) => stage === "mtu")?.detail).toContain("1420 bytes");
    expect(outcome).toBe("pass");
    expect(ran.code).toBe(0);
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(host))).toEqual([]);
    await nothingLeft();
  });

  it("fails when something in the home network answers the temporary guest", async () => {
    // Guests are led by a side door: what they send to the router is answered, whoever answers it.
    const door = `PREROUTING -i higgs0 -d ${LAN.router.ipv4} -p tcp -j DNAT --to-destination ${INTERNET.web.ipv4}:80`;
    await host.mustExec(["sh", "-c", `iptables -t nat -A ${door}`]);
    const ran = await sharing.node.run(["self-test", "--json"]);
    await host.mustExec(["sh", "-c", `iptables -t nat -D ${door}`]);
    const { outcome, steps } = JSON.parse(ran.stdout) as SelfTest;
    const isolation = steps.find(({ stage }) => stage === "lan-isolation");
    expect(isolation).toMatchObject({ outcome: "fail", detail: expect.stringContaining("answers guests") });
    expect([outcome, ran.code]).toEqual(["fail", 1]);
  });

  it.each<[string, string, FirewallTrace["verdict"], RegExp, string]>([
    ["the internet", `${INTERNET.web.ipv4}:80`, "passes", /No rule of this machine/, "answered"],
    [
      "the home network",
      `${LAN.neighbour.ipv4}:80`,
      "blocked",
      /HiggsNode refuses it: filter HIGGS-GUEST: -d 192/,
      "refused",
    ],
    ["a refused port", `${INTERNET.web.ipv4}:25`, "blocked", /--dport 25 -j REJECT/, "refused"],
    ["the internet over IPv6", `[${INTERNET.web.ipv6}]:80`, "passes", /No rule of this machine/, "answered"],
  ])("traces a client's packet to %s", async (_, to, verdict, reason, outcome) => {
    const ran = await sharing.node.run(["diagnose", "trace", CLIENT_NAME, to, "--json"]);
    const trace = JSON.parse(ran.stdout) as FirewallTrace;
    expect(trace).toMatchObject({ verdict, probe: { outcome } });
    expect(trace.reason).toMatch(reason);
    expect(trace.steps.length).toBeGreaterThan(1);
    expect(ran.code).toBe(verdict === "passes" ? 0 : 1);
  });

  it("traces a datagram to a name server, and one of a client that is paused", async () => {
    const udp = await sharing.node.run([
      "diagnose",
      "trace",
      CLIENT_NAME,
      `${INTERNET.dns.ipv4}:53`,
      "--udp",
      "--json",
    ]);
    expect(JSON.parse(udp.stdout)).toMatchObject({ verdict: "passes" });
    await sharing.node.mustRun(["client", "add", "nobody"]);
    await sharing.node.mustRun(["client", "pause", "nobody"]);
    const paused = await sharing.node.run(["diagnose", "trace", "nobody", `${INTERNET.web.ipv4}:80`, "--json"]);
    expect(JSON.parse(paused.stdout)).toMatchObject({ verdict: "blocked", probe: { outcome: "not-sent" } });
    await sharing.node.mustRun(["client", "remove", "nobody"]);
    const wrong = await sharing.node.run(["diagnose", "trace", CLIENT_NAME, "example.com:80"]);
    expect(wrong.code).toBe(2);
  });

  it("writes a report of a node with active guests that tells nothing about anybody", async () => {
    // Guests browse before and while the report is written.
    await guest.resolve(WEB_NAME);
    await guest.fetch(`http://${INTERNET.web.ipv4}/whoami`);
    const browsing = guest.startFetch(`http://${INTERNET.web.ipv4}/slow?n=4000000&kbps=2000`);
    const config = await sharing.node.mustRun(["client", "config", CLIENT_NAME]);
    const files = ["json", "text"].map((kind) => join(host.folder, `report.${kind}`));
    const [json = "", text = ""] = files;
    await sharing.node.mustRun(["report", "--json", "--out", json]);
    await sharing.node.mustRun(["report", "--out", text]);
    await browsing.stop();

    const keys = [...config.matchAll(/[A-Za-z0-9+/]{43}=/g)].map(([key]) => key);
    const own = (await host.mustExec(["wg", "show", "higgs0", "public-key"])).trim();
    const tunnel = await host.mustExec([
      "sh",
      "-c",
      "ip -o addr show higgs0 | grep -oE 'inet6? [0-9a-f.:]+' | cut -d' ' -f2",
    ]);
    const secrets = [
      ...[...keys, own],
      ...[INTERNET.web.ipv4, INTERNET.web.ipv6, INTERNET.dns.ipv4, WEB_NAME],
      ...[LAN.node.ipv4, LAN.node.ipv6, LAN.router.ipv4, LAN.router.ipv6, WAN.customer.ipv4],
      ...[guest.addresses.ipv4, guest.addresses.ipv6, "10.66.0.2"],
      ...tunnel.trim().split("\n"),
      ...[HOST_NAME, CLIENT_NAME, sharing.node.dataFolder, host.environment().HOME ?? "no home", "/root"],
    ];
    expect(keys).toHaveLength(3);
    for (const file of files) {
      const content = readFileSync(file, "utf8");
      expect(content.length).toBeGreaterThan(5_000);
      expect(secrets.filter((secret) => content.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    const content = JSON.parse(readFileSync(json, "utf8")) as Record<string, unknown>;
    expect(content).toMatchObject({
      clients: [{ name: "client-1", connected: true }],
      state: { node: { phase: "running" } },
      diagnosis: { outcome: "pass" },
    });
    expect(Object.keys(content)).toEqual(
      expect.arrayContaining(["versions", "capabilities", "spec", "observation", "ownRules", "foreignChains", "log"]),
    );
    const written = await sharing.node.run(["report", "--out", text]);
    expect([written.code, written.stderr]).toEqual([1, expect.stringContaining("cannot be written")]);
  });

  it("removes the temporary guest when the helper is killed in the middle of it", async () => {
    const test = await halfway();
    host.kill(sharing.helperPid(), "SIGKILL");
    await test.ended;
    await sharing.waitForPhase("running");
    await nothingLeft();
    expect((await sharing.node.run(["self-test", "--json"])).code).toBe(0);
  });

  it("removes the temporary guest when the node is killed in the middle of it", async () => {
    const test = await halfway();
    host.kill(sharing.nodePid(), "SIGKILL");
    await test.ended;
    await poll("the temporary guest to be gone", async () => ((await leftOfGuest()).trim() === "" ? true : undefined), {
      timeoutMs: WITHIN_MS,
      intervalMs: 100,
    });
    await sharing.node.start({ panelPort: false });
    await sharing.waitForPhase("running");
    await nothingLeft();
  });

  it("writes a report without a running node as well", async () => {
    await sharing.node.stop();
    const text = await sharing.node.mustRun(["report"]);
    expect(text).toContain("no node is running");
    expect(text).not.toContain(HOST_NAME);
    expect(existsSync(join(sharing.node.dataFolder, "report"))).toBe(false);
  });
});
