import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BIG_NAME, INTERNET, LAN, TRANSIT, WAN, WEB_NAME, WIREGUARD_PORT } from "./addresses.ts";
import type { Guest } from "./guest.ts";
import { type FetchResult, InternetUser } from "./internet-user.ts";
import { Lab } from "./lab.ts";
import { poll, pollUntil } from "./poll.ts";
import { namespacesOf, processesUsing } from "./processes.ts";
import { EXIT_SOURCES, referenceExit } from "./reference-exit.ts";
import { sha256OfSeededBytes } from "./seeded-bytes.ts";
import { nodeProgram, requireLab } from "./support.ts";

const PAGE = `http://${WEB_NAME}/`;
const WHOAMI = `http://${WEB_NAME}/whoami`;

function sourceSeen(result: FetchResult): string {
  expect(result).toMatchObject({ ok: true, status: 200 });
  return (JSON.parse(result.body ?? "") as { address: string }).address;
}

describe.skipIf(!requireLab())("a lab with one router", () => {
  let lab: Lab;
  let node: InternetUser;
  let inet: InternetUser;
  let guest: Guest;

  beforeAll(async () => {
    lab = await Lab.create({ router: { portForward51820: true } });
    node = new InternetUser(lab.host("node"));
    inet = new InternetUser(lab.host("inet"));
    guest = await lab.addGuest();
  });
  afterAll(() => lab?.dispose());

  it("lets a guest reach the web server by name over both families", async () => {
    for (const family of [4, 6] as const) {
      const page = await guest.fetch(PAGE, { family });
      expect(page).toMatchObject({ ok: true, status: 200 });
      expect(page.body).toContain("<h1>");
    }
    expect(sourceSeen(await guest.fetch(WHOAMI, { family: 4 }))).toBe(guest.addresses.ipv4);
  });

  it("shows the web server the router's address for the node's IPv4, and the node's own for IPv6", async () => {
    expect(sourceSeen(await node.fetch(WHOAMI, { family: 4 }))).toBe(WAN.customer.ipv4);
    expect(sourceSeen(await node.fetch(WHOAMI, { family: 6 }))).toBe(LAN.node.ipv6);
  });

  it("answers names, refuses unknown ones, falls back to TCP for a long answer and keeps the questions", async () => {
    expect(await node.resolve(WEB_NAME, { type: "A" })).toEqual({ records: [INTERNET.web.ipv4] });
    expect(await node.resolve(WEB_NAME, { type: "AAAA" })).toEqual({ records: [INTERNET.web.ipv6] });
    expect(await node.resolve("nothing.example.test")).toEqual({ records: [], error: "ENOTFOUND" });
    const big = await node.resolve(BIG_NAME, { type: "TXT" });
    expect(big.records.join("").length).toBe(24 * 200);
    const asked = lab.dnsQueries().filter((query) => query.name === BIG_NAME);
    expect(asked.map((query) => query.transport)).toEqual(["udp", "tcp"]);
    expect(asked[0]?.from).toBe(WAN.customer.ipv4);
  });

  it("moves known bytes intact in both directions", async () => {
    const download = await node.fetch(`http://${WEB_NAME}/bytes?n=1000001&seed=7`);
    expect(download).toMatchObject({ ok: true, bytes: 1_000_001, sha256: sha256OfSeededBytes(1_000_001, 7) });
    const upload = await node.fetch(`http://${WEB_NAME}/sink`, { put: 1_000_001, seed: 8 });
    expect(JSON.parse(upload.body ?? "")).toEqual({
      bytes: 1_000_001,
      sha256: sha256OfSeededBytes(1_000_001, 8),
    });
  });

  it("holds a slow download open while a test does something else", async () => {
    const slow = node.startFetch(`http://${WEB_NAME}/slow?kbps=400&n=100000000`, { timeoutMs: 60_000 });
    const early = await poll("the first bytes", () => slow.receivedBytes || undefined, { timeoutMs: 10_000 });
    await pollUntil("more bytes", () => slow.receivedBytes > early, { timeoutMs: 10_000 });
    expect(slow.program.running).toBe(true);
    await slow.stop();
    expect(slow.program.running).toBe(false);
  });

  it("keeps the internet out of the home network, even from somebody who knows the way", async () => {
    const neighbour = new InternetUser(lab.host("neighbour"));
    const echo = await neighbour.listen(8080);
    expect(await node.tcpConnects(LAN.neighbour.ipv4, 8080)).toBe(true);
    expect(await node.udpAnswers(LAN.neighbour.ipv6, 8080)).toBe(true);
    await inet.host.ip([`route add ${LAN.ipv4} via ${WAN.customer.ipv4}`]);
    for (const address of [LAN.neighbour.ipv4, LAN.neighbour.ipv6]) {
      expect(await inet.tcpConnects(address, 8080, 500)).toBe(false);
      expect(await inet.udpAnswers(address, 8080, 500)).toBe(false);
    }
    await inet.host.ip([`route del ${LAN.ipv4} via ${WAN.customer.ipv4}`]);
    await echo.stop();
    expect(await node.tcpProbe(LAN.neighbour.ipv4, 8080)).toBe("refused");
  });

  it("forwards UDP 51820 of the router's address to the node, and nothing else", async () => {
    const [open, closed] = [await node.listen(WIREGUARD_PORT), await node.listen(51821)];
    expect(await guest.udpAnswers(WAN.customer.ipv4, WIREGUARD_PORT)).toBe(true);
    expect(await guest.udpAnswers(LAN.node.ipv6, WIREGUARD_PORT)).toBe(true);
    expect(await guest.tcpConnects(WAN.customer.ipv4, WIREGUARD_PORT, 500)).toBe(false);
    expect(await guest.udpAnswers(WAN.customer.ipv4, 51821, 500)).toBe(false);
    expect(await guest.udpAnswers(LAN.node.ipv6, 51821, 500)).toBe(false);
    await Promise.all([open.stop(), closed.stop()]);
  });

  it("gives each host a file system of its own where a program keeps its state", async () => {
    await node.host.writeFile("/var/lib/higgsnode/lab-test", "private\n");
    await node.host.writeFile("/etc/higgsnode-lab-test", "private\n");
    expect(await node.host.readFile("/var/lib/higgsnode/lab-test")).toBe("private\n");
    for (const path of ["/var/lib/higgsnode/lab-test", "/etc/higgsnode-lab-test"]) {
      expect(existsSync(path)).toBe(false);
      expect((await lab.host("rival").exec(["test", "-e", path])).code).toBe(1);
    }
  });

  it("reaps orphans, so that a process that was killed is gone and not a zombie", async () => {
    const host = lab.host("rival");
    await host.mustExec(["sh", "-c", "sleep 300 >/dev/null 2>&1 &"]);
    const orphan = host.processes().find((process) => process.argv[0] === "sleep");
    expect(host.kill(orphan?.pid ?? 0, "SIGKILL")).toBe(true);
    await pollUntil("the orphan to be reaped", () => !existsSync(`/proc/${orphan?.outerPid}`), { timeoutMs: 5_000 });
  });

  it("sends a signal to the program itself and reports how it ended", async () => {
    const program = lab
      .host("rival")
      .spawn(["sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done"]);
    await program.line((line) => line === "ready", 5_000);
    expect(program.kill("SIGTERM")).toBe(true);
    expect(await program.ended).toEqual({ code: 3, signal: null });
    expect(program.stdout).toBe("ready\ncaught\n");
    const stopped = lab.host("rival").spawn(["sleep", "300"]);
    await pollUntil("sleep to run", () => lab.host("rival").processes().length === 1, { timeoutMs: 5_000 });
    expect(stopped.kill("SIGSTOP")).toBe(true);
    expect(stopped.kill("SIGKILL")).toBe(true);
    expect(await stopped.ended).toEqual({ code: null, signal: "SIGKILL" });
    await expect(lab.host("rival").exec(["sleep", "60"], { timeoutMs: 100 })).rejects.toThrow("sleep 60");
    await pollUntil("the late program to be killed", () => lab.host("rival").processes().length === 0, {
      timeoutMs: 5_000,
    });
  });

  it("carries a tunnel made by hand for a stock client, and takes it down without a trace at the guest", async () => {
    const configuration = await referenceExit(lab, INTERNET.dns.ipv4);
    const resolversBefore = await guest.host.readFile("/etc/resolv.conf");
    await guest.up(configuration);
    expect((await guest.ping(INTERNET.web.ipv4, { count: 3 })).received).toBeGreaterThan(0);
    await guest.waitForHandshake();
    expect(await guest.handshakeAge()).toBeLessThan(60);
    expect(sourceSeen(await guest.fetch(WHOAMI, { family: 4 }))).toBe(EXIT_SOURCES.ipv4);
    expect(sourceSeen(await guest.fetch(WHOAMI, { family: 6 }))).toBe(EXIT_SOURCES.ipv6);
    const download = await guest.fetch(`http://${WEB_NAME}/bytes?n=5000000&seed=9`, { family: 4, timeoutMs: 30_000 });
    expect(download).toMatchObject({ ok: true, sha256: sha256OfSeededBytes(5_000_000, 9) });
    expect((await guest.transferred()).receivedBytes).toBeGreaterThan(5_000_000);
    await guest.down();
    expect(await guest.host.readFile("/etc/resolv.conf")).toBe(resolversBefore);
    expect(sourceSeen(await guest.fetch(WHOAMI, { family: 4 }))).toBe(guest.addresses.ipv4);
  });
});

describe.skipIf(!requireLab())("labs come and go", () => {
  it("leaves no process, no namespace and no folder after dispose, twice or once", async () => {
    const lab = await Lab.create();
    await new InternetUser(lab.host("neighbour")).listen(8080);
    const namespaces = lab.namespaces();
    expect(processesUsing(namespaces).length).toBeGreaterThan(lab.hosts.length);
    await lab.dispose();
    await lab.dispose();
    expect(processesUsing(namespaces)).toEqual([]);
    expect(existsSync(lab.folder)).toBe(false);
  });

  it("leaves no process and no namespace when the process that holds it is killed", async () => {
    const holder = spawn(nodeProgram(), [join(import.meta.dirname, "testing/hold-lab.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    holder.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    try {
      await pollUntil("the holder's lab", () => printed.includes("\n"), { timeoutMs: 30_000 });
    } finally {
      holder.kill("SIGKILL");
    }
    const { namespaces, folder } = JSON.parse(printed) as { namespaces: string[]; folder: string };
    await pollUntil("the kernel to end the lab", () => processesUsing(namespaces).length === 0, { timeoutMs: 10_000 });
    await using _next = await Lab.create();
    expect(existsSync(folder)).toBe(false);
  });

  it("runs two labs side by side that know nothing of each other", async () => {
    await using first = await Lab.create();
    await using second = await Lab.create();
    await new InternetUser(first.host("node")).listen(8080);
    const rivals = [first, second].map((lab) => new InternetUser(lab.host("rival")));
    const outcomes = await Promise.all(rivals.map((rival) => rival.tcpProbe(LAN.node.ipv4, 8080)));
    expect(outcomes).toEqual(["connected", "refused"]);
    expect(second.dnsQueries()).toEqual([]);
  });

  it("leaves the machine's own namespaces alone", async () => {
    const readings = () => [
      namespacesOf("self"),
      readFileSync("/proc/net/dev", "utf8")
        .split("\n")
        .map((line) => line.split(":")[0]),
      readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8"),
      readFileSync("/proc/self/mounts", "utf8"),
      readFileSync("/etc/resolv.conf", "utf8"),
      existsSync("/run/something"),
    ];
    const before = readings();
    await using lab = await Lab.create({ topology: "double" });
    await lab.host("node").writeFile("/run/something", "");
    expect(readings()).toEqual(before);
  });
});

describe.skipIf(!requireLab()).each(["double", "cgnat"] as const)("a lab with a %s translation", (topology) => {
  it("reaches the web over both families and is known out there by the provider's address", async () => {
    await using lab = await Lab.create({ topology, router: { portForward51820: true } });
    const node = new InternetUser(lab.host("node"));
    expect(sourceSeen(await node.fetch(WHOAMI, { family: 4 }))).toBe(WAN.customer.ipv4);
    expect(sourceSeen(await node.fetch(WHOAMI, { family: 6 }))).toBe(LAN.node.ipv6);
    const guest = await lab.addGuest();
    await node.listen(WIREGUARD_PORT);
    expect(await guest.udpAnswers(WAN.customer.ipv4, WIREGUARD_PORT, 500)).toBe(topology === "double");
    const hop = await node.host.mustExec(["ip", "route", "get", TRANSIT[topology].isp]);
    expect(hop).toContain(`via ${LAN.router.ipv4}`);
  });
});

describe.skipIf(!requireLab())("a lab without IPv6", () => {
  it("has no IPv6 route and no AAAA answer", async () => {
    await using lab = await Lab.create({ ipv6: false, router: { mapping: "none" } });
    const node = new InternetUser(lab.host("node"));
    expect(sourceSeen(await node.fetch(WHOAMI))).toBe(WAN.customer.ipv4);
    expect(await node.fetch(WHOAMI, { family: 6 })).toMatchObject({ ok: false });
    expect(await node.host.mustExec(["ip", "-6", "route", "show", "default"])).toBe("");
  });
});
