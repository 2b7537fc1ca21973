#!/usr/bin/env node
/** `bosonserver`: the relay's command line. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { Command, CommanderError } from "commander";
import { systemClock } from "../src-shared/clock.ts";
import { errorOf, fail, type HiggsError, ok, type Result } from "../src-shared/result.ts";
import { oldNodeComplaint } from "../src-shared/runtime.ts";
import { type Config, loadConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { BosonServer } from "./server.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

interface StartFlags {
  readonly config?: string;
  readonly listen?: string;
  readonly admin?: string;
  readonly stun?: string;
  readonly udpHost?: string;
  readonly udpPorts?: string;
  readonly set: readonly string[];
  readonly json?: boolean;
  readonly [flag: string]: unknown;
}

/** Flags that set one field as they are. */
const PLAIN_FLAGS = {
  serverName: "serverName",
  publicHost: "publicHost",
  udpHost: "udp.host",
  dataDir: "dataDir",
  tlsCert: "tls.certFile",
  tlsKey: "tls.keyFile",
  nats: "nats.url",
  logLevel: "logLevel",
} as const;

const complaint = oldNodeComplaint("bosonserver", process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(EXIT_FAILED);
}

const program = new Command("bosonserver")
  .description("A relay for HiggsNodes that no router lets through.")
  .exitOverride();

program
  .command("start")
  .description("Run the relay in the foreground.")
  .option("--config <file>", "JSON configuration file")
  .option("--listen <host:port>", "address for nodes and guests")
  .option("--admin <host:port|off>", "address for /healthz and /metrics")
  .option("--stun <host:port|off>", "address for STUN binding requests")
  .option("--server-name <name>", "host name nodes dial")
  .option("--public-host <host>", "host guests send datagrams to")
  .option("--udp-host <address>", "address for guests' datagrams")
  .option("--udp-ports <from-to>", "UDP ports to give to nodes")
  .option("--data-dir <dir>", "where ports are remembered")
  .option("--tls-cert <file>", "certificate chain, PEM")
  .option("--tls-key <file>", "private key, PEM")
  .option("--trusted-proxy <prefix>", "proxy whose X-Forwarded-For is believed", collect, [])
  .option("--allow <node>", "node that may register; once given, no other may", collect, [])
  .option("--nats <url>", "be one instance of a cluster over NATS")
  .option("--insecure", "serve without TLS where others can reach it")
  .option("--log-level <level>", "debug, info, warn or error")
  .option("--set <field=value>", "any setting, as in the file: limits.nodes=100", collect, [])
  .option("--json", "errors as JSON")
  .action(async (flags: StartFlags) => {
    const config = configOf(flags);
    if (!config.ok) return giveUp(config.error, flags.json === true, EXIT_USAGE);
    await run(config.value, flags.json === true);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
}

async function run(config: Config, json: boolean): Promise<void> {
  const log = createLog(config.logLevel, (line) => process.stderr.write(line), systemClock.nowMs);
  const started = await BosonServer.start(config, systemClock, log);
  if (!started.ok) return giveUp(started.error, json, EXIT_FAILED);
  const server = started.value;
  let signals = 0;
  const stop = () => {
    signals++;
    // A second signal is an operator who does not want to wait.
    const ended = signals === 1 ? server.drain() : server.stop();
    ended.then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("stop-failed", { message: errorOf(error).message });
        process.exit(EXIT_FAILED);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => {
    const reloaded = server.reloadCertificate();
    if (reloaded.ok) log.info("certificate-reloaded");
    else log.error("certificate-not-reloaded", { code: reloaded.error.code, message: reloaded.error.message });
  });
  process.stdout.write(`${JSON.stringify({ ready: true, ...server.addresses })}\n`);
}

function configOf(flags: StartFlags): Result<Config> {
  const values = new Map<string, string>();
  for (const [flag, field] of Object.entries(PLAIN_FLAGS)) {
    const value = flags[flag];
    if (typeof value === "string") values.set(field, value);
  }
  const problems: string[] = [];
  for (const [flag, text] of [
    ["listen", flags.listen],
    ["admin", flags.admin],
    ["stun", flags.stun],
  ] as const) {
    if (text === undefined) continue;
    if (flag !== "listen" && text === "off") {
      values.set(flag, "null");
      continue;
    }
    const match = /^(?:\[([0-9a-fA-F:]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text);
    if (match === null) problems.push(`--${flag}: must be ADDRESS:PORT`);
    else {
      values.set(`${flag}.host`, match[1] ?? match[2] ?? "");
      values.set(`${flag}.port`, match[3] ?? "");
    }
  }
  if (flags.udpPorts !== undefined) {
    const match = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(flags.udpPorts);
    if (match === null) problems.push("--udp-ports: must be FROM-TO");
    else values.set("udp.portMin", match[1] ?? "").set("udp.portMax", match[2] ?? "");
  }
  const proxies = flags.trustedProxy as readonly string[];
  if (proxies.length > 0) values.set("trustedProxies", JSON.stringify(proxies));
  const allowed = flags.allow as readonly string[];
  if (allowed.length > 0) values.set("registration", JSON.stringify({ mode: "allow-list", nodes: allowed }));
  if (flags.insecure === true) values.set("insecure", "true");
  for (const setting of flags.set) {
    const at = setting.indexOf("=");
    if (at <= 0) problems.push(`--set ${setting}: must be FIELD=VALUE`);
    else values.set(setting.slice(0, at), setting.slice(at + 1));
  }
  if (problems.length > 0) return fail("config-invalid", problems.join("\n"));
  if (flags.config === undefined) return loadConfig({ env: process.env, flags: values });
  let text: string;
  try {
    text = readFileSync(flags.config, "utf8");
  } catch (error) {
    return fail("config-unreadable", `cannot read ${flags.config}: ${errorOf(error).message}`);
  }
  const loaded = loadConfig({ file: { path: flags.config, text }, env: process.env, flags: values });
  return loaded.ok ? ok(loaded.value) : loaded;
}

function giveUp(error: HiggsError, json: boolean, exitCode: number): void {
  if (json) process.stdout.write(`${JSON.stringify({ error })}\n`);
  else process.stderr.write(`${error.message}${error.hint === undefined ? "" : `\n${error.hint}`}\n`);
  process.exitCode = exitCode;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
