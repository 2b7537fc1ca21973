/** `higgsnode start` */
import path from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { formatRelayUrl, parseRelayUrl } from "../../src-shared/net/relay-url.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { errorLine } from "../headless/error-line.ts";
import { type HeadlessOptions, runHeadlessHost } from "../headless/headless-host.ts";
import { isLoopback, type PanelListen, parsePanelListen, prepareOpenPanel } from "../headless/open-panel.ts";
import type { Session } from "./session.ts";

interface StartOptions {
  readonly share?: boolean;
  readonly panel: boolean;
  readonly panelPort: number;
  readonly helper?: string;
  readonly relay?: readonly string[];
  readonly panelListen?: PanelListen;
  readonly panelCert?: string;
  readonly panelKey?: string;
  readonly panelInsecure?: boolean;
  readonly panelHost?: readonly string[];
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
    .addOption(
      new Option(
        "--panel-listen <address:port>",
        "where the panel listens; beyond this computer only with a password (higgsnode panel password) and TLS",
      )
        .argParser(parseListen)
        .conflicts("panelPort"),
    )
    .option("--panel-cert <file>", "the panel's certificate, PEM")
    .option("--panel-key <file>", "the key of that certificate, PEM")
    .option("--panel-insecure", "let the panel listen beyond this computer without TLS")
    .addOption(
      new Option("--panel-host <name>", "a further name under which browsers call the panel; repeatable").argParser(
        (name: string, before: readonly string[] = []) => [...before, name],
      ),
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
  const panel = await panelOf(session, options);
  if (!panel.ok) return panel;
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
        panel: panel.value,
      },
      {
        ...host,
        compose: prepared.value.compose,
        onUnexpected: prepared.value.onUnexpected,
        onRefused: (what, fields) => prepared.value.note("the panel refused", { what, ...fields }),
      },
    );
  } finally {
    prepared.value.close();
  }
}

/** Where the panel listens, and what opens it. Errors: those of `prepareOpenPanel`. */
async function panelOf(session: Session, options: StartOptions): Promise<Result<HeadlessOptions["panel"]>> {
  const { host, dataDir } = session;
  if (!options.panel) return ok(null);
  const { rendererDir } = host;
  const listen = options.panelListen;
  if (listen === undefined) return ok({ rendererDir, port: options.panelPort });
  if (isLoopback(listen.host)) return ok({ rendererDir, ...listen });
  const open = await prepareOpenPanel({
    listen,
    dataDir,
    cert: options.panelCert,
    key: options.panelKey,
    insecure: options.panelInsecure,
    names: options.panelHost,
    password: host.env.HIGGS_PANEL_PASSWORD,
  });
  return open.ok ? ok({ rendererDir, port: listen.port, open: open.value }) : open;
}

function parseListen(text: string): PanelListen {
  const listen = parsePanelListen(text);
  if (listen === undefined) throw new InvalidArgumentError("It must be ADDRESS:PORT, such as 192.168.1.10:8443.");
  return listen;
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
