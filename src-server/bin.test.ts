import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../src-shared/testing/eventually.ts";
import { createIdentity, TestNode, TestUdpGuest, wireguard } from "./testing/test-node.ts";
import { portRange } from "./testing/test-server.ts";

const BIN = fileURLToPath(new URL("./bin.ts", import.meta.url));
const { portMin, portMax } = portRange(4);
let dataDir: string;
const running: ChildProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "boson-bin-"));
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  rmSync(dataDir, { recursive: true, force: true });
});

interface Ready {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: { stdout: string; stderr: string };
}

function launch(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [BIN, "start", ...args], { env: { PATH: process.env.PATH, ...env } });
  running.push(child);
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  return { child, output };
}

async function start(...more: string[]): Promise<Ready> {
  const common = [
    "--listen",
    "127.0.0.1:0",
    "--admin",
    "off",
    "--stun",
    "127.0.0.1:0",
    "--udp-host",
    "127.0.0.1",
    "--data-dir",
    dataDir,
  ];
  const ports = ["--udp-ports", `${portMin}-${portMax}`, "--public-host", "127.0.0.1"];
  const { child, output } = launch([...common, ...ports, ...more]);
  const line = await eventually("the ready line", () => {
    if (child.exitCode !== null) throw new Error(`bosonserver ended: ${output.stderr}`);
    return /^(.*)\n/.exec(output.stdout)?.[1];
  });
  const ready = JSON.parse(line) as { ready: boolean; url: string };
  expect(ready.ready).toBe(true);
  return { child, url: ready.url, output };
}

describe("bosonserver start", () => {
  it("says where it is in one line of JSON, serves, and stops at SIGTERM with status 0", async () => {
    const { child, url, output } = await start();
    const node = new TestNode(url);
    await node.register();
    child.kill("SIGTERM");
    await eventually("the node is told to move", () => node.find("drain"));
    await node.close();
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect(output.stdout.trim().split("\n")).toHaveLength(1);
  });

  it("has guests going on after kill -9 with the same port", async () => {
    const first = await start();
    const identity = createIdentity();
    const node = new TestNode(first.url, identity);
    const { udp } = await node.register();
    const guest = await TestUdpGuest.open(udp.port);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const second = await start();
    const again = new TestNode(second.url, identity);
    expect((await again.register()).udp.port).toBe(udp.port);
    guest.send(wireguard.initiation(1));
    await eventually("the guest's datagram", () => again.datagrams[0]);
    guest.close();
    again.vanish();
  });

  it("serves over TLS, and refuses to start without its certificate", async () => {
    const [cert, key] = [join(dataDir, "cert.pem"), join(dataDir, "key.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
        ...["-subj", "/CN=relay", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
      ],
      { stdio: "ignore" },
    );
    const { url } = await start("--tls-cert", cert, "--tls-key", key);
    expect(url).toMatch(/^wss:/);
    await expect(new TestNode(url).register()).rejects.toThrow("refused");
    const node = new TestNode(url, createIdentity(), { ca: execFileSync("cat", [cert]).toString() });
    await node.register();
    node.vanish();
    const { child, output } = launch(["--tls-cert", "/nowhere", "--tls-key", key, "--data-dir", dataDir, "--json"]);
    const [code] = await once(child, "exit");
    expect(code).toBe(1);
    expect(JSON.parse(output.stdout)).toMatchObject({ error: { code: "tls-unusable" } });
  });

  it("names every wrong setting and exits with status 2", async () => {
    const file = join(dataDir, "relay.json");
    writeFileSync(file, JSON.stringify({ heartbeatMs: 1, nonsense: true }));
    const { child, output } = launch(["--config", file, "--udp-ports", "9-5"], { HIGGS_RELAY_LISTEN_PORT: "many" });
    const [code] = await once(child, "exit");
    expect(code).toBe(2);
    for (const name of ["heartbeatMs", "nonsense", "listen.port"]) expect(output.stderr).toContain(name);
  });
});
