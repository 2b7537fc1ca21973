import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { eventually } from "../src-shared/testing/eventually.ts";
import { TestNode, upgrade } from "./testing/test-node.ts";
import { portRange } from "./testing/test-server.ts";

const BIN = fileURLToPath(new URL("./bin.ts", import.meta.url));
const TEST_TIMEOUT_MS = 60_000;
const CONNECTIONS = 10_000;
const AT_ONCE = 250;
/** As many as one source may have, so that 10,000 come from 400 sources. */
const PER_SOURCE = 25;
/** The default of `limits.halfOpen`. */
const PLACES = 512;
/**
 * 8 KiB of header or handshake, one read of at most 64 KiB on its way, and the objects around them; on top the
 * garbage of 10,000 connections, which is not collected sooner than the collector sees fit.
 */
const BOUND_PER_PLACE_BYTES = 96 * 1024;
const GARBAGE_BYTES = 64 * 1024 * 1024;
const BOUND_BYTES = PLACES * BOUND_PER_PLACE_BYTES + GARBAGE_BYTES;
/** Without an end in sight, just below what cuts a stranger off. */
const HEADER = `GET /node HTTP/1.1\r\nHost: x\r\nX-Filler: ${"x".repeat(7 * 1024)}`;
const FRAME = Buffer.concat([Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0, 1, 0x86, 0xa0), Buffer.alloc(7 * 1024)]);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(): Promise<{ url: string; admin: string; residentBytes: () => number }> {
  const dataDir = mkdtempSync(join(tmpdir(), "boson-flood-"));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const { portMin, portMax } = portRange(0);
  const args = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--stun", "off", "--udp-host", "127.0.0.1"];
  args.push("--udp-ports", `${portMin}-${portMax}`, "--data-dir", dataDir, "--log-level", "error");
  const child = spawn(process.execPath, [BIN, "start", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { url, admin } = JSON.parse(line) as { url: string; admin: string };
  const residentBytes = () =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024;
  return { url, admin, residentBytes };
}

/** One that stops at some point of the way in: silent, in its header, or in its first message. Its last byte is out. */
function halfOpen(port: number, index: number): Promise<Socket> {
  const localAddress = `127.1.${index >> 12}.${(Math.floor(index / PER_SOURCE) % 250) + 1}`;
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  return new Promise((resolve) => {
    const done = () => resolve(socket);
    socket.on("error", () => undefined);
    socket.once("close", done);
    socket.once("connect", () => {
      if (index % 3 === 0) done();
      else if (index % 3 === 1) socket.write(HEADER, done);
      else {
        socket.write(upgrade("node"));
        socket.once("data", () => socket.write(FRAME, done));
      }
    });
  });
}

async function metric(admin: string, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await (await fetch(`${admin}/metrics`)).text())?.[1]);
}

it.skipIf(process.platform !== "linux")(
  "a server with 10,000 half-open connections stays within its memory",
  async () => {
    const { url, admin, residentBytes } = await startServer();
    const warm = new TestNode(url);
    cleanups.push(() => warm.vanish());
    await warm.register();
    const beforeBytes = residentBytes();
    let peakBytes = beforeBytes;
    let peakPlaces = 0;
    const sockets = new Set<Socket>();
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    const port = Number(new URL(url.replace("ws:", "http:")).port);
    for (let begun = 0; begun < CONNECTIONS; begun += AT_ONCE) {
      const wave = await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => halfOpen(port, begun + at)));
      for (const socket of wave) {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      }
      peakBytes = Math.max(peakBytes, residentBytes());
      peakPlaces = Math.max(peakPlaces, await metric(admin, /^higgs_relay_half_open_connections (\d+)$/m));
    }
    const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    process.stdout.write(
      `10,000 half-open connections: at most ${peakPlaces} at once (limit ${PLACES}), resident memory ` +
        `${mib(beforeBytes)} MiB before, ${mib(peakBytes)} MiB at most: ${mib(peakBytes - beforeBytes)} MiB more ` +
        `(bound ${mib(BOUND_BYTES)} MiB)\n`,
    );
    expect(peakPlaces).toBeGreaterThan(PLACES / 4);
    expect(peakPlaces).toBeLessThanOrEqual(PLACES);
    expect(peakBytes - beforeBytes).toBeLessThan(BOUND_BYTES);
    // Nobody is kept out by them, and they do not stay.
    const late = new TestNode(url);
    cleanups.push(() => late.vanish());
    await late.register();
    expect(warm.isOpen).toBe(true);
    await eventually("the strangers are gone", () => sockets.size === 0);
  },
  TEST_TIMEOUT_MS,
);
