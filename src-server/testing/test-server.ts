/** A whole server on loopback, with a data directory of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src-shared/clock.ts";
import { unwrap } from "../../src-shared/result.ts";
import { configSchema, type RawConfig } from "../config.ts";
import { createLog } from "../log.ts";
import { BosonServer } from "../server.ts";

export interface TestServer {
  readonly server: BosonServer;
  readonly url: string;
  readonly admin: string;
  readonly logs: string[];
  readonly dataDir: string;
  stop(): Promise<void>;
}

/**
 * Port ranges apart from each other, so that test files can run side by side; all below 32,768, where the kernel begins to
 * give ports to sockets that ask for any.
 */
export function portRange(index: number): { portMin: number; portMax: number } {
  const portMin = 21_000 + (process.pid % 115) * 100 + (index % 5) * 20;
  return { portMin, portMax: portMin + 19 };
}

/** Starts a server; `overrides` are settings as in the configuration file. */
export async function startTestServer(overrides: RawConfig = {}): Promise<TestServer> {
  const made = overrides.dataDir === undefined ? mkdtempSync(join(tmpdir(), "boson-test-")) : undefined;
  const dataDir = String(overrides.dataDir ?? made);
  const config = configSchema.parse({
    listen: { host: "127.0.0.1", port: 0 },
    admin: { host: "127.0.0.1", port: 0 },
    stun: { port: 0 },
    probe: { privateAddresses: true },
    serverName: "relay.example",
    publicHost: "127.0.0.1",
    udp: { host: "127.0.0.1", ...portRange(0) },
    logLevel: "debug",
    ...overrides,
    dataDir,
  });
  const logs: string[] = [];
  const log = createLog(config.logLevel, (line) => logs.push(line), systemClock.nowMs);
  const forget = () => {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
  };
  const started = await BosonServer.start(config, systemClock, log);
  if (!started.ok) forget();
  const server = unwrap(started);
  return {
    server,
    url: server.addresses.url,
    admin: server.addresses.admin ?? "",
    logs,
    dataDir,
    async stop() {
      await server.stop();
      forget();
    },
  };
}
