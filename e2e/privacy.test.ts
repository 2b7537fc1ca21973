import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deletion, LogEntry, PrivacyState, Stored } from "../src-shared/model/privacy.ts";
import { type Guest, INTERNET, poll, pollUntil, requireLab, WEB_NAME } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

/** What is kept is told within a second; a machine busy with other tests gets more. */
const LOGGED_WITHIN_MS = 15_000;

const EXACT = [INTERNET.web.ipv4, INTERNET.web.ipv6, INTERNET.dns.ipv4, INTERNET.dns.ipv6];

type Shown = PrivacyState & { stored: Stored };

class PrivateSharing {
  readonly sharing: Sharing;

  constructor(sharing: Sharing) {
    this.sharing = sharing;
  }

  get node() {
    return this.sharing.node;
  }

  async json<T>(...argv: string[]): Promise<T> {
    return JSON.parse(await this.node.mustRun(["privacy", ...argv, "--json"])) as T;
  }

  show(): Promise<Shown> {
    return this.json<Shown>("show");
  }

  log(...argv: string[]): Promise<LogEntry[]> {
    return this.json<LogEntry[]>("log", ...argv);
  }

  /** Ends every connection that the node's kernel still holds: idle ones would be held for minutes. */
  async endConnections(): Promise<void> {
    for (const family of ["ipv4", "ipv6"]) await this.node.host.exec(["conntrack", "-D", "-f", family]);
  }

  /** A guest who reads a page over either family, and asks for names. */
  async session(guest: Guest): Promise<void> {
    for (const family of [4, 6] as const) {
      expect(await guest.fetch(`http://${WEB_NAME}/whoami`, { family })).toMatchObject({ ok: true });
    }
    expect((await guest.resolve(WEB_NAME)).records).toEqual([INTERNET.web.ipv4]);
    await this.endConnections();
  }

  waitForState(state: Shown["connectionLog"]["state"]): Promise<Shown> {
    return poll(
      `the connection log to be ${state}`,
      async () => {
        const shown = await this.show();
        return shown.connectionLog.state === state ? shown : undefined;
      },
      { timeoutMs: LOGGED_WITHIN_MS },
    );
  }

  waitForLog(what: string, enough: (entries: LogEntry[]) => boolean, ...argv: string[]): Promise<LogEntry[]> {
    return poll(
      what,
      async () => {
        const entries = await this.log(...argv);
        return enough(entries) ? entries : undefined;
      },
      { timeoutMs: LOGGED_WITHIN_MS },
    );
  }

  /** Every file that the node or its helper has written, by name: as bytes, so that what is deleted is searched, too. */
  async writtenFiles(): Promise<Map<string, string>> {
    const files = new Map<string, string>();
    for (const path of filesBelow(this.node.dataFolder)) files.set(path, readFileSync(path, "latin1"));
    const listed = await this.node.host.mustExec(["find", "/var/lib/higgsnode", "-type", "f"]);
    for (const path of listed.trim().split("\n")) {
      const base64 = await this.node.host.mustExec(["base64", "-w0", path]);
      files.set(path, Buffer.from(base64, "base64").toString("latin1"));
    }
    return files;
  }

  async filesWith(text: string): Promise<string[]> {
    return [...(await this.writtenFiles())].filter(([, content]) => content.includes(text)).map(([path]) => path);
  }

  conntrackRuns(): boolean {
    return this.node.host.processes().some(({ argv }) => argv.includes("conntrack") && argv.includes("-E"));
  }

  sysctl(name: string): Promise<string> {
    return this.node.host.mustExec(["sysctl", "-n", `net.netfilter.${name}`]);
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

function destinations(entries: readonly LogEntry[]): string[] {
  return entries.flatMap((entry) => (entry.kind === "connections" ? entry.destination : []));
}

describe.skipIf(!requireLab())("guests' privacy", () => {
  let lab: PrivateSharing;
  let guest: Guest;

  beforeAll(async () => {
    lab = new PrivateSharing(await Sharing.create());
    expect((await lab.show()).connectionLog).toEqual({ state: "waiting" });
    expect(lab.conntrackRuns()).toBe(false);
    await lab.node.mustRun(["on"]);
    await lab.sharing.waitForPhase("running");
    guest = await lab.sharing.connectGuest("Anna's laptop");
  });
  afterAll(async () => {
    await lab?.sharing.dispose();
  });

  it("logs connections without the machine they went to, with bytes each way, and nothing else by default", async () => {
    await lab.waitForState("on");
    await lab.session(guest);
    const both = (entries: LogEntry[]) =>
      ["11.22.44.0", "2a0a:98::"].every((prefix) =>
        entries.some(
          (entry) => entry.kind === "connections" && entry.destination === prefix && entry.protocol === "tcp",
        ),
      );
    const entries = await lab.waitForLog("both connections in the log", both);
    const page = entries.find((entry) => entry.kind === "connections" && entry.destination === "11.22.44.0");
    expect(page).toMatchObject({ clientName: "Anna's laptop", port: 80, protocol: "tcp", anonymised: true });
    expect(page).toMatchObject({ sent: { bytes: expect.any(Number) }, received: { bytes: expect.any(Number) } });
    expect(page?.kind === "connections" && page.durationSeconds).toEqual(expect.any(Number));
    expect(await lab.log("--kind", "dns")).toEqual([]);
    expect(await lab.log("--kind", "traffic")).toEqual([]);
  });

  it("writes no whole address of a destination anywhere: not in data, logs, or the helper's state", async () => {
    expect((await lab.show()).stored.connections.count).toBeGreaterThan(0);
    for (const exact of EXACT) expect(await lab.filesWith(exact)).toEqual([]);
    expect(await lab.filesWith("11.22.44.0")).not.toEqual([]);
  });

  it("logs names that guests ask for only while the owner wants it", async () => {
    await lab.node.mustRun(["privacy", "set", "logDNS=true"]);
    await lab.session(guest);
    const asked = await lab.waitForLog("a name in the log", (entries) => entries.length > 0, "--kind", "dns");
    expect(asked).toContainEqual(expect.objectContaining({ name: WEB_NAME, type: "A", clientName: "Anna's laptop" }));
    await lab.node.mustRun(["privacy", "set", "logDNS=false"]);
    const before = (await lab.log("--kind", "dns")).length;
    await lab.session(guest);
    expect(await lab.log("--kind", "dns")).toHaveLength(before);
    for (const path of filesBelow(join(lab.node.dataFolder, "logs"))) {
      expect(readFileSync(path, "utf8")).not.toContain(WEB_NAME);
    }
  });

  it("logs traffic per minute only while the owner wants it", async () => {
    await lab.node.mustRun(["privacy", "set", "logTraffic=true"]);
    await lab.session(guest);
    const sum = (entries: LogEntry[]) =>
      entries.reduce((total, entry) => total + (entry.kind === "traffic" ? entry.receivedBytes : 0), 0);
    await lab.waitForLog("traffic in the log", (entries) => sum(entries) > 0, "--kind", "traffic");
    await lab.node.mustRun(["privacy", "set", "logTraffic=false"]);
    expect((await lab.show()).stored.usageDays.count).toBe(1);
  });

  it("exports what it has, as JSON lines and as CSV", async () => {
    const jsonl = await lab.node.mustRun(["privacy", "export", "--format", "jsonl"]);
    const lines = jsonl.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(lines.map(() => "connections"));
    const file = join(lab.node.host.folder, "export.csv");
    await lab.node.mustRun(["privacy", "export", "--format", "csv", "--out", file]);
    expect(readFileSync(file, "utf8").trimEnd().split("\r\n")).toHaveLength(lines.length + 1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("refuses what it does not know, and changes nothing", async () => {
    const before = (await lab.show()).settings;
    for (const [pair, code] of [
      ["logEverything=true", "unknown-setting"],
      ["listenPort=1", "unknown-setting"],
      ["logMetadata=maybe", "settings-invalid"],
      ["maxLogRetention=0", "settings-invalid"],
      ["maxLogRetention=-3", "settings-invalid"],
    ] as const) {
      const ran = await lab.node.run(["privacy", "set", pair, "--json"]);
      expect(ran.code).toBe(1);
      expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code } });
    }
    for (const argv of [
      ["set", "x"],
      ["log", "--since", "yesterday"],
      ["log", "--limit", "0"],
      ["export", "--format", "xls"],
    ]) {
      expect((await lab.node.run(["privacy", ...argv])).code).toBe(2);
    }
    expect((await lab.show()).settings).toEqual(before);
  });

  it("counts and shows what the kernel dropped because nobody read quickly enough", async () => {
    expect((await lab.show()).lost).toEqual({ kernel: 0, notWritten: 0 });
    const [conntrack] = lab.node.host.processes().filter(({ argv }) => argv.includes("-E"));
    if (conntrack === undefined) throw new Error("conntrack does not run");
    // A reader that stands still, and far more connections than its buffer holds.
    lab.node.host.kill(conntrack.pid, "SIGSTOP");
    const flood = `const { createSocket } = require("node:dgram");
      const socket = createSocket("udp4").bind(0, "127.0.0.1", () => { let n = 0; const more = () => {
        for (let i = 0; i < 500; i++) socket.send("x", 1 + (n++ % 60000), "127.0.0." + (2 + Math.floor(n / 60000)));
        if (n < 90000) setImmediate(more); else setTimeout(() => process.exit(0), 200); }; more(); });
      socket.on("error", () => {});`;
    await lab.node.host.mustExec([process.execPath, "-e", flood], { timeoutMs: 60_000 });
    await lab.endConnections();
    lab.node.host.kill(conntrack.pid, "SIGCONT");
    const shown = await poll(
      "dropped events to be shown",
      async () => {
        const now = await lab.show();
        return now.lost.kernel > 0 ? now : undefined;
      },
      { timeoutMs: LOGGED_WITHIN_MS },
    );
    expect(shown.connectionLog).toEqual({ state: "on" });
    expect(await lab.node.mustRun(["privacy", "show"])).toContain("dropped by the kernel");
  });

  it("logs no row with everything off, and the helper does not even listen", async () => {
    await lab.node.mustRun(["privacy", "set", "logMetadata=false", "logDNS=false", "logTraffic=false"]);
    expect((await lab.show()).connectionLog).toEqual({ state: "off" });
    await pollUntil("conntrack to be gone", () => !lab.conntrackRuns(), { timeoutMs: LOGGED_WITHIN_MS });
    expect((await lab.sysctl("nf_conntrack_acct")).trim()).toBe("0");
    const { before, after } = await lab.json<Deletion>("purge");
    expect(before.connections.count).toBeGreaterThan(0);
    expect(after).toMatchObject({ connections: { count: 0 }, dns: { count: 0 }, traffic: { count: 0 } });
    await lab.session(guest);
    const { stored } = await lab.show();
    expect(stored).toMatchObject({ connections: { count: 0 }, dns: { count: 0 }, traffic: { count: 0 } });
    expect((await lab.sharing.state()).phase).toBe("running");
  });

  it("leaves nothing of what was purged on the disk", async () => {
    for (const text of ["11.22.44.0", "2a0a:98::", WEB_NAME, ...EXACT]) expect(await lab.filesWith(text)).toEqual([]);
  });

  it("keeps its settings over a restart, and follows them at once when they are changed back", async () => {
    await lab.node.stop();
    await lab.node.start({ panelPort: false });
    await lab.sharing.waitForPhase("running");
    expect((await lab.show()).settings).toMatchObject({ logMetadata: false, logDNS: false });
    expect(lab.conntrackRuns()).toBe(false);
    await lab.node.mustRun(["privacy", "set", "logMetadata=true"]);
    await lab.waitForState("on");
    await pollUntil("a handshake after the restart", async () => (await guest.ping(INTERNET.web.ipv4)).received > 0, {
      timeoutMs: LOGGED_WITHIN_MS,
    });
    await lab.session(guest);
    await lab.waitForLog("a connection", (entries) => destinations(entries).includes("11.22.44.0"));
  });

  it("logs on after the helper was killed", async () => {
    lab.node.host.kill(lab.sharing.helperPid(), "SIGKILL");
    await pollUntil("another helper that listens", async () => lab.conntrackRuns(), { timeoutMs: LOGGED_WITHIN_MS });
    await lab.sharing.waitForPhase("running");
    await lab.waitForState("on");
    const before = (await lab.log()).length;
    await lab.session(guest);
    await lab.waitForLog("a connection after the helper was killed", (entries) => entries.length > before);
  });

  it("takes addresses out of what is stored when the owner wants it later", async () => {
    await lab.node.mustRun(["privacy", "set", "anonymizeIPs=false"]);
    await lab.session(guest);
    await lab.waitForLog("a whole address", (entries) => destinations(entries).includes(INTERNET.web.ipv4));
    expect(await lab.filesWith(INTERNET.web.ipv4)).not.toEqual([]);
    await lab.node.mustRun(["privacy", "set", "anonymizeIPs=true"]);
    expect(destinations(await lab.log())).not.toContain(INTERNET.web.ipv4);
    for (const exact of EXACT) expect(await lab.filesWith(exact)).toEqual([]);
  });

  it("deletes what is older than the owner wants", async () => {
    await lab.node.stop();
    const age = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]);
      db.exec("UPDATE connection_log SET ended_at = ended_at - 3 * 86400000"); db.close();`;
    await lab.node.host.mustExec([process.execPath, "-e", age, join(lab.node.dataFolder, "higgsnode.db")]);
    await lab.node.start({ panelPort: false });
    await lab.sharing.waitForPhase("running");
    expect((await lab.show()).stored.connections.count).toBeGreaterThan(0);
    await lab.node.mustRun(["privacy", "set", "maxLogRetention=2"]);
    const { stored, lastRetention } = await lab.show();
    expect(stored.connections.count).toBe(0);
    expect(lastRetention?.before.connections.count).toBeGreaterThan(0);
    expect(lastRetention?.after.connections.count).toBe(0);
  });

  it("puts the kernel's settings back when sharing ends", async () => {
    expect((await lab.sysctl("nf_conntrack_acct")).trim()).toBe("1");
    await lab.node.mustRun(["off"]);
    expect((await lab.sysctl("nf_conntrack_acct")).trim()).toBe("0");
    expect((await lab.sysctl("nf_conntrack_timestamp")).trim()).toBe("0");
    expect(lab.conntrackRuns()).toBe(false);
    expect((await lab.show()).connectionLog).toEqual({ state: "waiting" });
  });

  it("says what to install where conntrack is missing, and shares all the same", async () => {
    const { host } = lab.node;
    await host.mustExec([
      "sh",
      "-c",
      'for place in /usr/sbin /sbin /usr/local/sbin; do [ ! -e "$place/conntrack" ] || mount --bind /dev/null "$place/conntrack"; done',
    ]);
    await lab.node.mustRun(["on"]);
    await lab.sharing.waitForPhase("running");
    const shown = await lab.waitForState("unavailable");
    expect(shown.connectionLog).toMatchObject({ error: { code: "conntrack-missing" } });
    expect(await lab.node.mustRun(["privacy", "show"])).toMatch(/not available.*[Ii]nstall conntrack/);
  });
});
