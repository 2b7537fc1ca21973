/** `higgsnode start` */
import path from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { formatRelayUrl, parseRelayUrl } from "../../src-shared/net/relay-url.ts";
import { errorLine } from "../headless/error-line.ts";
import { runHeadlessHost } from "../headless/headless-host.ts";
import type { Session } from "./session.ts";

interface StartOptions {
  readonly share?: boolean;
  readonly panel: boolean;
  readonly panelPort: number;
  readonly helper?: string;
  readonly relay?: readonly string[];
}

export function addStart(program: Command, session: Session): void {
  program
    .command("start")
    .description("run a node in the foreground, until Ctrl+C")
    .option("--share", "share now; without it the node shares if it did when it last ran")
    .addOption(
      new Option("--panel-port <n>", "port of the panel on 127.0.0.1, 0 for any that is free")
        .argParser(parsePort)
        .default(0),
    )
    .option("--no-panel", "no panel in the browser")
    .addOption(
      new Option("--relay <url>", "a relay for this run, in place of those in the settings; repeatable").argParser(
        parseRelay,
      ),
    )
    .addOption(helperOption())
    .action((options: StartOptions) => session.run(() => start(session, options)));
}

/** The option that names the helper, shared by the commands that launch it. */
export function helperOption(): Option {
  return new Option("--helper <path>", "the helper program to use instead of the one beside this program").argParser(
    (text: string) => path.resolve(text),
  );
}

async function start(session: Session, options: StartOptions) {
  const { host, dataDir } = session;
  const prepared = await host.parts.prepareNode({
    dataDir,
    helperPath: options.helper ?? host.helperPath,
    relayServers: options.relay,
    onNotice: (notice) => host.stderr(`${errorLine(notice)}\n`),
  });
  if (!prepared.ok) return prepared;
  try {
    return await runHeadlessHost(
      {
        dataDir,
        share: options.share === true,
        panel: options.panel ? { port: options.panelPort, rendererDir: host.rendererDir } : null,
      },
      { ...host, compose: prepared.value.compose, onUnexpected: prepared.value.onUnexpected },
    );
  } finally {
    prepared.value.close();
  }
}

function parseRelay(text: string, before: readonly string[] = []): readonly string[] {
  const url = parseRelayUrl(text);
  if (url === undefined) throw new InvalidArgumentError("It must be wss://HOST or wss://HOST:PORT.");
  return [...before, formatRelayUrl(url)];
}

function parsePort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new InvalidArgumentError("It must be a port number, 0 to 65535.");
  return port;
}
