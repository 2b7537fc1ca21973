/** `higgsnode connect` */
import { lookup } from "node:dns/promises";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { formatAddress, parseAddress } from "../../src-shared/net/address.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../../src-shared/net/endpoint.ts";
import { isLoopbackHost, parseRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { nodeIdSchema } from "../../src-shared/relay/control.ts";
import { errorOf, fail, ok, type Result } from "../../src-shared/result.ts";
import { formatDuration } from "../../src-shared/text/format.ts";
import { errorLine } from "../headless/error-line.ts";
import { BRIDGE_ENDPOINT } from "../relay/bridge-endpoint.ts";
import type { BridgeState } from "../relay/guest-bridge.ts";
import type { RelayTarget } from "../relay/guest-relay.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";

interface ConnectOptions {
  readonly relay: readonly RelayUrl[];
  readonly node: RelayTarget;
  readonly listen: Endpoint;
  readonly relayAddress: readonly string[];
  readonly ca?: string;
  readonly allowPlain?: boolean;
}

const HELP = `
For a guest whose network lets no UDP through: WireGuard talks to a port on this computer, and this program carries
its packets to the relay over HTTPS (TCP port 443), through a proxy where HTTPS_PROXY names one.

The node's owner prints the fitting configuration, with the command for this program in its first lines:

  higgsnode client config NAME --websocket > wg0.conf

Start this program first and leave it running, then: wg-quick up wg0. The configuration sends everything through the
tunnel but the relay's own addresses, so that this program's connection does not end up in the tunnel it carries. A
proxy outside the local network needs the same: take its address out of AllowedIPs, too.`;

export function addConnect(program: Command, session: Session): void {
  program
    .command("connect")
    .description("be the way to a node for WireGuard on this computer, where the network blocks UDP")
    .addOption(
      new Option("--relay <url>", "the relay, such as wss://relay.example.org; several may be named")
        .argParser(parseRelay)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--node <id>",
        "the node's id at the relay, or its UDP port there; an id that begins with - as --node=ID",
      )
        .argParser(parseTarget)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--listen <host:port>", "where WireGuard's Endpoint points, on this computer; port 0 takes any")
        .argParser(parseListen)
        .default(BRIDGE_ENDPOINT, formatEndpoint(BRIDGE_ENDPOINT)),
    )
    .addOption(
      new Option("--relay-address <address>", "the relay's address, where name servers do not know it; repeatable")
        .argParser(parseRelayAddress)
        .default([], "what name servers say"),
    )
    .option("--ca <file>", "PEM file with the relay's own authority")
    .option("--allow-plain", "take ws:// to other computers: what is carried is encrypted by WireGuard all the same")
    .addHelpText("after", HELP)
    .action((options: ConnectOptions) => session.run(() => connect(session, options)));
}

async function connect(session: Session, options: ConnectOptions): Promise<Result<number>> {
  const { host } = session;
  const stopped = Promise.withResolvers<void>();
  const dispose = host.onSignal(() => stopped.resolve());
  try {
    const addresses = await addressesOf(options);
    if (!addresses.ok) return addresses;
    // Only this command needs the WebSocket client.
    const [{ createDialer }, { GuestBridge }] = await Promise.all([
      import("../relay/dialer.ts"),
      import("../relay/guest-bridge.ts"),
    ]);
    let ready = false;
    const opened = await GuestBridge.open({
      clock: host.clock,
      random: Math.random,
      dialer: createDialer({
        env: host.env,
        caFile: options.ca,
        allowPlain: options.allowPlain === true,
        addresses: addresses.value,
        monotonicMs: () => host.clock.monotonicMs(),
      }),
      servers: options.relay,
      target: options.node,
      listen: options.listen,
      agent: `higgsnode ${host.version}`.slice(0, 64),
      onState: (state) => {
        if (state.state === "connected" && !ready) {
          ready = true;
          const endpoint = opened.ok ? formatEndpoint(opened.value.endpoint) : "";
          host.stdout(`${JSON.stringify({ ready: true, endpoint, relay: state.url })}\n`);
        }
        host.stderr(`${stateLine(state)}\n`);
      },
    });
    if (!opened.ok) return opened;
    await stopped.promise;
    opened.value.close();
    return ok(EXIT.done);
  } finally {
    dispose();
  }
}

/**
 * One relay's addresses are looked up now and kept: once the tunnel is up, names are asked through it, and when the
 * connection breaks nobody would answer. With several relays every name is asked for when it is dialled.
 */
async function addressesOf({ relay, relayAddress }: ConnectOptions): Promise<Result<readonly string[] | undefined>> {
  if (relayAddress.length > 0) return ok(relayAddress);
  const [only, ...more] = relay;
  if (only === undefined || more.length > 0) return ok(undefined);
  try {
    const found = await lookup(only.host, { all: true });
    return ok(found.map(({ address }) => address));
  } catch (error) {
    return fail(
      "relay-not-found",
      `The relay ${only.host} has no address here: ${lookupTrouble(error)}.`,
      "Check its name, or give its address with --relay-address.",
    );
  }
}

function lookupTrouble(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOTFOUND") return "no name server knows it";
  return code === "EAI_AGAIN" ? "no name server answers" : errorOf(error).message;
}

function stateLine(state: BridgeState): string {
  if (state.state === "connected") return `Connected to ${state.url}.`;
  return `${errorLine(state.error)} Trying again in ${formatDuration(state.inMs)}.`;
}

function parseRelay(text: string, before: readonly RelayUrl[] = []): readonly RelayUrl[] {
  const url = parseRelayUrl(text);
  if (url === undefined) throw new InvalidArgumentError("It must be wss://HOST or wss://HOST:PORT.");
  return [...before, url];
}

function parseTarget(text: string): RelayTarget {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 1 && port <= 65535) return { port };
  const id = nodeIdSchema.safeParse(text);
  if (!id.success) throw new InvalidArgumentError("It must be the node's id at the relay or its UDP port there.");
  return { node: id.data };
}

function parseListen(text: string): Endpoint {
  // Port 0, any that is free, is no endpoint to reach but one to listen on.
  const anyPort = text.endsWith(":0");
  const endpoint = parseEndpoint(anyPort ? text.replace(/0$/, "1") : text);
  if (endpoint === undefined || parseAddress(endpoint.host) === undefined || !isLoopbackHost(endpoint.host)) {
    throw new InvalidArgumentError("It must be a port on this computer alone, such as 127.0.0.1:51821.");
  }
  return anyPort ? { ...endpoint, port: 0 } : endpoint;
}

function parseRelayAddress(text: string, before: readonly string[]): readonly string[] {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError("It must be an IP address.");
  return [...before, formatAddress(address)];
}
