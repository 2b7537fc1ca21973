/**
 * Runs on a host of the lab: maps UDP 51820 with one published package, or with our own clients, says how that went, waits until the router has been
 * looked at, and deletes the mapping. Usage: package-worker.ts FOLDER PACKAGE upnp|nat-pmp GATEWAY ADDRESS GO_FILE
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { systemIo } from "../../src-main/port-forwarding/mapping-io.ts";
import { NatPmpClient } from "../../src-main/port-forwarding/nat-pmp-client.ts";
import { UpnpClient } from "../../src-main/port-forwarding/upnp-client.ts";
import { unwrap } from "../../src-shared/result.ts";

const PORT = 51_820;
const TTL_SECONDS = 3_600;
const LOOK_EVERY_MS = 20;

interface Mapped {
  unmap(): Promise<unknown>;
}

const [folder = "", name = "", protocol = "", gateway = "", address = "", goFile = ""] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));

/** Imports as a module in the packages' folder would. */
const { load } = await import(pathToFileURL(join(folder, "load.mjs")).href);

/** A function that ends with a callback (error, value), as a promise. */
function called(use: (done: (error: unknown, value?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => use((error, value) => (error ? reject(error) : resolve(value))));
}

const packages: Record<string, () => Promise<Mapped>> = {
  HiggsNode: async () => {
    const io = systemIo();
    const network = { gateway, address, lanPrefix: null };
    const client = protocol === "upnp" ? new UpnpClient({ io, network }) : new NatPmpClient({ io, network });
    const { signal } = new AbortController();
    const request = { transport: "udp", internalPort: PORT, externalPort: PORT, lifetimeSeconds: TTL_SECONDS } as const;
    const mapping = unwrap(await client.map({ ...request, description: "HiggsNode" }, { signal }));
    return { unmap: () => client.unmap(mapping, signal) };
  },
  "nat-upnp": async () => {
    const client = require("nat-upnp").createClient();
    const options = { public: PORT, private: PORT, ttl: TTL_SECONDS, protocol: "UDP" };
    await called((done) => client.portMapping(options, done));
    return { unmap: () => called((done) => client.portUnmapping(options, done)) };
  },
  "nat-pmp": async () => {
    const client = require("nat-pmp").connect(gateway);
    const options = { type: "udp", public: PORT, private: PORT, ttl: TTL_SECONDS };
    await called((done) => client.portMapping(options, done));
    return { unmap: () => called((done) => client.portUnmapping(options, done)) };
  },
  "@achingbrain/nat-port-mapper": async () => {
    const library = await load("@achingbrain/nat-port-mapper");
    const options = { protocol: "UDP", externalPort: PORT, ttl: TTL_SECONDS * 1_000, autoRefresh: false };
    if (protocol === "nat-pmp") {
      const router = library.pmpNat(gateway);
      await router.map(PORT, address, options);
      return { unmap: () => router.unmap(PORT) };
    }
    const client = library.upnpNat();
    for await (const router of client.findGateways({ signal: AbortSignal.timeout(30_000) })) {
      await router.map(PORT, address, options);
      return { unmap: () => router.unmap(PORT) };
    }
    throw new Error("no gateway found");
  },
  "@silentbot1/nat-api": async () => {
    const { default: NatApi } = await load("@silentbot1/nat-api");
    const client = new NatApi({
      ttl: TTL_SECONDS,
      autoUpdate: false,
      enablePMP: protocol === "nat-pmp",
      enableUPNP: protocol === "upnp",
    });
    const options = { publicPort: PORT, privatePort: PORT, protocol: "UDP", ttl: TTL_SECONDS };
    if (!(await client.map(options))) throw new Error("map() gave false");
    return { unmap: () => client.unmap(options) };
  },
  "@runonflux/nat-upnp": async () => {
    const client = new (require("@runonflux/nat-upnp").Client)();
    const options = { public: PORT, private: PORT, ttl: TTL_SECONDS, protocol: "UDP" };
    await client.createMapping(options);
    return { unmap: () => client.removeMapping(options) };
  },
};

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// What a package throws into the void ends this process, as it would end the program that uses it.
process.on("uncaughtException", (error) => {
  print({ crashed: String(error.message) });
  process.exit(3);
});

const startedMs = performance.now();
try {
  const mapped = await (packages[name] ?? (() => Promise.reject(new Error("no such package"))))();
  print({ mappedMs: performance.now() - startedMs });
  while (!existsSync(goFile)) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  const deletingMs = performance.now();
  await mapped.unmap();
  print({ deletedMs: performance.now() - deletingMs });
} catch (error) {
  print({ failed: error instanceof Error ? error.message : String(error), afterMs: performance.now() - startedMs });
}
process.exit(0);
