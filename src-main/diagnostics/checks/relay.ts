/** The relay, through which guests come in where no router lets them: as the node knows it, and as it answers now. */
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, rootCertificates, type TLSSocket } from "node:tls";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { formatRelayUrl, parseRelayUrl, type RelayUrl } from "../../../src-shared/net/relay-url.ts";
import { proxyFor } from "../../relay/proxy.ts";
import { type Check, type CheckContext, failed, pass, skipped, type Verdict, warn, whileOnline } from "../check.ts";

/** A relay answers in a tenth of this, wherever it is. */
const ANSWER_WITHIN_MS = 2_500;

/** Whoever renews certificates by program does it a month before; a fortnight leaves time to notice that it stopped. */
const EXPIRES_SOON_MS = 14 * 86_400_000;

/** Beyond this, calls and games through the relay are no pleasure. */
const SLOW_MS = 300;

const NAME_ONE = 'Name one: higgsnode settings set relayServers=["wss://relay.example.org"]';

function wantsRelay({ settings }: CheckContext): Verdict | undefined {
  if (settings.relayMode === "off") return skipped("The relay is switched off (relayMode).");
  return settings.relayServers.length === 0 ? skipped("No relay is named (relayServers).") : undefined;
}

const link: Check = {
  id: "relay.link",
  group: "relay",
  title: "The node is connected to its relay",
  run: (context) =>
    wantsRelay(context) ??
    whileOnline(context, ({ relay }) => {
      switch (relay.state) {
        case "off":
          return skipped("No relay is wanted at present.");
        case "connecting":
          return skipped("It is being connected at this moment.");
        case "connected":
          return pass(`${relay.url}, guests at ${formatEndpoint(relay.publicEndpoint)}.`);
        case "waiting":
          return failed(relay.error.message, relay.error.hint ?? NAME_ONE);
      }
    }),
};

const latency: Check = {
  id: "relay.latency",
  group: "relay",
  title: "The relay is near enough",
  run: (context) =>
    wantsRelay(context) ??
    whileOnline(context, ({ relay }) => {
      if (relay.state !== "connected") return skipped("The node is not connected to a relay.");
      if (relay.rttMs === null) return skipped("It has not been measured yet.");
      const detail = `Round trip ${Math.round(relay.rttMs)} ms.`;
      return relay.rttMs > SLOW_MS ? warn(detail, "Name a relay that is nearer (relayServers).") : pass(detail);
    }),
};

const server: Check = {
  id: "relay.server",
  group: "relay",
  title: "The relays that are named answer",
  async run(context, signal) {
    const unwanted = wantsRelay(context);
    if (unwanted !== undefined) return unwanted;
    const seen = await Promise.all(
      relaysOf(context).map(async (url) => ({ url, seen: await look(url, context, signal) })),
    );
    const dead = seen.filter((one) => one.seen.state === "silent").map(({ url }) => formatRelayUrl(url));
    const tried = seen.filter((one) => one.seen.state !== "proxied").length;
    if (tried === 0) return skipped("They are reached through an HTTP proxy, which is not asked here.");
    if (dead.length === 0) return pass(`${tried} of ${tried}.`);
    const detail = `No answer from ${dead.join(", ")}.`;
    const fix = "Check the name, and whether that server runs: relayServers in higgsnode settings get";
    return dead.length === tried ? failed(detail, fix) : warn(detail, fix);
  },
};

const certificate: Check = {
  id: "relay.certificate",
  group: "relay",
  title: "The relays' certificates are valid",
  async run(context, signal) {
    const unwanted = wantsRelay(context);
    if (unwanted !== undefined) return unwanted;
    const secure = relaysOf(context).filter((url) => url.secure);
    if (secure.length === 0) return skipped("No relay with wss:// is named.");
    const seen = await Promise.all(secure.map((url) => look(url, context, signal)));
    const shown = seen.flatMap((one, index) => (one.state === "secure" ? [{ ...one, url: secure[index] }] : []));
    if (shown.length === 0) return skipped("No relay showed one.");
    for (const { url, refusal } of shown) {
      if (refusal !== null) {
        const name = url === undefined ? "A relay" : formatRelayUrl(url);
        return failed(`${name}: ${refusal}.`, "Renew the certificate there, or name its authority (relayCaFile).");
      }
    }
    const first = Math.min(...shown.map(({ endsAtMs }) => endsAtMs));
    const detail = `Valid until ${new Date(first).toISOString().slice(0, 10)}.`;
    // Certificates that live shorter than this are renewed in a rhythm of their own.
    const soon = shown.some(({ endsAtMs, lifeMs }) => {
      const left = endsAtMs - context.nowMs;
      return left < EXPIRES_SOON_MS && left < lifeMs / 3;
    });
    return soon ? warn(detail, "Renew it on the relay's computer.") : pass(detail);
  },
};

function relaysOf({ settings }: CheckContext): RelayUrl[] {
  return settings.relayServers.flatMap((text) => parseRelayUrl(text) ?? []);
}

type Seen =
  | { state: "proxied" }
  | { state: "silent" }
  | { state: "plain" }
  /** `refusal` is why TLS does not trust it; null where it does. */
  | { state: "secure"; endsAtMs: number; lifeMs: number; refusal: string | null };

async function look(url: RelayUrl, { settings }: CheckContext, signal: AbortSignal): Promise<Seen> {
  const proxy = proxyFor(url, process.env);
  if (!proxy.ok || proxy.value !== undefined) return { state: "proxied" };
  return new Promise((resolve) => {
    const place = { host: url.host, port: url.port };
    const socket = url.secure
      ? connectTls({ ...place, ...trust(settings.relayCaFile), rejectUnauthorized: false, ...serverName(url.host) })
      : connectTcp(place);
    const end = (seen: Seen) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(seen);
    };
    const abort = () => end({ state: "silent" });
    signal.addEventListener("abort", abort, { once: true });
    socket.setTimeout(ANSWER_WITHIN_MS, abort);
    socket.once("error", abort);
    if (!url.secure) socket.once("connect", () => end({ state: "plain" }));
    else socket.once("secureConnect", () => end(seenOf(socket as TLSSocket)));
  });
}

function seenOf(socket: TLSSocket): Seen {
  const { valid_from, valid_to } = socket.getPeerCertificate();
  const endsAtMs = Date.parse(valid_to);
  const { authorizationError } = socket;
  const refusal = socket.authorized ? null : authorizationError == null ? "not trusted" : String(authorizationError);
  return { state: "secure", endsAtMs, lifeMs: endsAtMs - Date.parse(valid_from), refusal };
}

/** Server Name Indication takes names only (RFC 6066, section 3). */
function serverName(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

function trust(caFile: string): { ca?: (string | Buffer)[] } {
  if (caFile === "") return {};
  try {
    return { ca: [...rootCertificates, readFileSync(caFile)] };
  } catch {
    return {};
  }
}

export const relayChecks: readonly Check[] = [link, latency, server, certificate];
