/** Opens WebSockets to relays: TLS verified, through a proxy where the environment names one. */
import { readFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { isIPv6, type LookupFunction } from "node:net";
import tls from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { WebSocket } from "ws";
import { parseAddress } from "../../src-shared/net/address.ts";
import { isLoopbackHost, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { MAX_WEBSOCKET_PAYLOAD_BYTES, RELAY_PROTOCOL } from "../../src-shared/relay/frame.ts";
import { errorOf, fail, ok, type Result } from "../../src-shared/result.ts";
import { type Environment, proxyFor } from "./proxy.ts";

/** A message of ours is one frame; a proxy may split it, not grind it. */
const MAX_FRAGMENTS = 64;
/** Pieces a frame may arrive in: 128 KiB in the smallest segments of a slow link, with room. */
const MAX_CHUNKS = 1024;
/** A closing handshake nobody answers is over after this. */
const CLOSE_TIMEOUT_MS = 1_000;

export type RelayEndpoint = "node" | "connect";

export interface Dialer {
  /**
   * A WebSocket on its way to one of the relay's endpoints; how that ends is told by its events.
   * @param from the address of this machine to come from; the relay is then looked for in that family alone
   */
  open(url: RelayUrl, endpoint: RelayEndpoint, from?: string): Result<WebSocket>;
  /** Milliseconds until the relay said that it is well: some three round trips. Undefined when it did not. */
  probe(url: RelayUrl, signal: AbortSignal): Promise<number | undefined>;
}

export interface DialerOptions {
  readonly env: Environment;
  /** PEM file with authorities trusted beside those of the system; undefined for those alone. */
  readonly caFile?: string | undefined;
  /** Takes `ws://` to other machines too. */
  readonly allowPlain?: boolean;
  /** Addresses to use instead of asking a name server. */
  readonly addresses?: readonly string[] | undefined;
  readonly monotonicMs: () => number;
}

/** Errors of `open`: `relay-not-encrypted`, `relay-ca-unusable`, `proxy-invalid`, and with `from`: `behind-proxy`. */
export function createDialer(options: DialerOptions): Dialer {
  const connection = (url: RelayUrl): Result<ConnectionOptions> => {
    if (!url.secure && options.allowPlain !== true && !isLoopbackHost(url.host)) {
      return fail("relay-not-encrypted", `The relay ${url.host} is named with ws://.`, "Name it with wss://.");
    }
    const ca = authorities(options.caFile);
    if (!ca.ok) return ca;
    const proxy = proxyFor(url, options.env);
    if (!proxy.ok) return proxy;
    return ok({
      ...(ca.value === undefined ? {} : { ca: ca.value }),
      ...(options.addresses === undefined ? {} : { lookup: fixedLookup(options.addresses) }),
      ...(proxy.value === undefined ? {} : { agent: new HttpsProxyAgent(proxy.value) }),
    });
  };
  return {
    open: (url, endpoint, from) => {
      const connect = connection(url);
      if (!connect.ok) return connect;
      if (from !== undefined && connect.value.agent !== undefined) {
        return fail("behind-proxy", "The relay is reached through a web proxy, whose address would be tried.");
      }
      // The first two are newer than the type definitions.
      const caps = { maxFragments: MAX_FRAGMENTS, maxBufferedChunks: MAX_CHUNKS, closeTimeout: CLOSE_TIMEOUT_MS };
      const socket = new WebSocket(addressOf(url, `/${endpoint}`), [RELAY_PROTOCOL], {
        ...caps,
        ...connect.value,
        ...(from === undefined ? {} : { localAddress: from, family: isIPv6(from) ? 6 : 4 }),
        // Compressing ciphertext costs a hundred times what it carries.
        perMessageDeflate: false,
        maxPayload: MAX_WEBSOCKET_PAYLOAD_BYTES,
        autoPong: false,
        // Masking keeps scripts in browsers from writing bytes of their choice on the wire (RFC 6455, section 10.3).
        // Inside TLS nobody sees them, and a mask of zeros saves a pass over every packet.
        ...(url.secure ? { generateMask: (mask: Buffer) => mask.fill(0) } : {}),
      });
      return ok(socket);
    },
    probe: (url, signal) => {
      const connect = connection(url);
      if (!connect.ok) return Promise.resolve(undefined);
      const startedMs = options.monotonicMs();
      return new Promise((resolve) => {
        const get = url.secure ? httpsGet : httpGet;
        const address = addressOf(url, "/healthz").replace(/^ws/, "http");
        const request = get(address, { ...connect.value, signal }, (response) => {
          response.destroy();
          resolve(response.statusCode === 200 ? options.monotonicMs() - startedMs : undefined);
        });
        request.on("error", () => resolve(undefined));
      });
    },
  };
}

interface ConnectionOptions {
  readonly ca?: string[];
  readonly lookup?: LookupFunction;
  readonly agent?: HttpsProxyAgent<string>;
}

function addressOf({ secure, host, port, path }: RelayUrl, end: string): string {
  const shown = parseAddress(host)?.family === 6 ? `[${host}]` : host;
  return `${secure ? "wss" : "ws"}://${shown}:${port}${path}${end}`;
}

/** Read for every connection: a file that the owner has just corrected is used without a restart. */
function authorities(caFile: string | undefined): Result<string[] | undefined> {
  if (caFile === undefined) return ok(undefined);
  try {
    const own = readFileSync(caFile, "utf8");
    if (!own.includes("-----BEGIN CERTIFICATE-----")) throw new TypeError("there is no PEM certificate in it");
    return ok([...tls.getCACertificates("default"), own]);
  } catch (error) {
    return fail(
      "relay-ca-unusable",
      `The file with the relay's authority cannot be used: ${errorOf(error).message}`,
      "Name a PEM file with: higgsnode settings set relayCaFile=/path/to/ca.pem",
    );
  }
}

function fixedLookup(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_host, { all: wantsAll, family }, callback) => {
    const fitting = family === 4 || family === 6 ? all.filter((one) => one.family === family) : all;
    const [first] = fitting;
    if (first === undefined) callback(Object.assign(new Error("no address of that family"), { code: "ENOTFOUND" }), "");
    else if (wantsAll === true) callback(null, fitting);
    else callback(null, first.address, first.family);
  };
}
