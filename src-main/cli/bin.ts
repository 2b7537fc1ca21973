#!/usr/bin/env node
/** `higgsnode`: the command line in the real world. */
import { existsSync } from "node:fs";
import path from "node:path";
import { systemClock } from "../../src-shared/clock.ts";
import { oldNodeComplaint } from "../../src-shared/runtime.ts";
import { STOP_SIGNALS, type StopSignal } from "../headless/headless-host.ts";
import { VERSION } from "../version.ts";
import type { CliHost } from "./host.ts";
import { runCli } from "./main.ts";
import { readSecret } from "./read-secret.ts";

const complaint = oldNodeComplaint("higgsnode", process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(1);
}

const distDir = findDistDir(import.meta.dirname);

const host: CliHost = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  columns: process.stdout.isTTY === true ? process.stdout.columns : undefined,
  // Windows has no such user; nobody uses sudo there.
  isRoot: process.getuid === undefined || process.getuid() === 0,
  stderrIsTerminal: process.stderr.isTTY === true,
  readSecret: (prompt) => readSecret(process.stdin, process.stderr, prompt),
  env: process.env,
  platform: process.platform,
  version: VERSION,
  clock: systemClock,
  onSignal,
  rendererDir: path.join(distDir, "renderer"),
  helperPath: path.join(distDir, "helper.mjs"),
  parts: {
    prepareNode: async (options) => (await import("../headless/prepare-node.ts")).prepareNode(options),
    diagnoseOffline: async (options) => (await import("../diagnostics/offline.ts")).diagnoseOffline(options),
    reportOffline: async (options) => (await import("../diagnostics/offline.ts")).reportOffline(options),
    restoreNetwork: async (options) => (await import("../helper/restore-network.ts")).restoreNetwork(options),
  },
};

// `higgsnode client list | head` is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), host);
await flushed(process.stdout);
await flushed(process.stderr);
// What was asked for is done; a helper that still says goodbye must not keep the shell waiting.
process.exit();

function onSignal(listener: (signal: StopSignal) => void): () => void {
  for (const signal of STOP_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, listener);
  };
}

/** The bundle stands in the folder of the other bundles; the source, two folders below the repository. */
function findDistDir(here: string): string {
  return existsSync(path.join(here, "helper.mjs")) ? here : path.resolve(here, "../../dist");
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
