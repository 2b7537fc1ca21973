/**
 * An HTTP client for hosts of the lab. Usage:
 *   fetch.ts URL [--put BYTES --seed N] [--resolve-through DNS_SERVER] [--family 4|6] [--timeout-ms N] [--progress]
 * Prints one line of JSON, a `FetchResult`; with --progress lines of `{"progress":bytes}` before it.
 */
import { createHash } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { type IncomingMessage, request } from "node:http";
import { isIP } from "node:net";
import { pipeline, Readable } from "node:stream";
import { parseArgs } from "node:util";
import { seededBytes } from "../seeded-bytes.ts";

export interface FetchSuccess {
  ok: true;
  status: number;
  /** Bytes of the body, and their hash. */
  bytes: number;
  sha256: string;
  /** Address the client was connected to. */
  peer: string;
  /** The body, where it is short enough to be read by a person. */
  body?: string;
  /** Bytes sent and their hash, for an upload. */
  sent?: { bytes: number; sha256: string };
}

export interface FetchFailure {
  ok: false;
  code: string;
  message: string;
  /** Bytes of the body that came before it failed. */
  bytes: number;
  status?: undefined;
  sha256?: undefined;
  body?: undefined;
}

export type FetchResult = FetchSuccess | FetchFailure;

const SHORT_BODY_BYTES = 4096;
const PROGRESS_EVERY_MS = 50;
const DEFAULT_TIMEOUT_MS = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    put: { type: "string" },
    seed: { type: "string", default: "0" },
    "resolve-through": { type: "string" },
    family: { type: "string" },
    "timeout-ms": { type: "string" },
    progress: { type: "boolean", default: false },
  },
});

let received = 0;
try {
  print(await fetchOnce(new URL(positionals[0] ?? "")));
} catch (error) {
  const failure = error as NodeJS.ErrnoException;
  print({ ok: false, code: failure.code ?? failure.name, message: failure.message, bytes: received });
}
process.exit(0);

async function fetchOnce(url: URL): Promise<FetchSuccess> {
  const signal = AbortSignal.timeout(Number(values["timeout-ms"] ?? DEFAULT_TIMEOUT_MS));
  const through = values["resolve-through"];
  const named = url.hostname.replace(/^\[|\]$/g, "");
  const host = through !== undefined && isIP(named) === 0 ? await resolveThrough(through, named) : named;
  const upload = values.put === undefined ? undefined : Number(values.put);
  const outgoing = request({
    host,
    port: url.port === "" ? 80 : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method: upload === undefined ? "GET" : "PUT",
    headers: { host: url.host, ...(upload === undefined ? {} : { "content-length": upload }) },
    family: values.family === undefined ? 0 : Number(values.family),
    agent: false,
    signal,
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  const sent = upload === undefined ? undefined : sendSeeded(outgoing, upload);
  if (upload === undefined) outgoing.end();
  return { ...(await read(await response)), ...(sent === undefined ? {} : { sent: sent() }) };
}

/** Sends the bytes; the function it returns says what was sent once that is over. */
function sendSeeded(outgoing: NodeJS.WritableStream, count: number): () => { bytes: number; sha256: string } {
  const hash = createHash("sha256");
  let bytes = 0;
  function* hashed() {
    for (const chunk of seededBytes(count, Number(values.seed))) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  pipeline(Readable.from(hashed(), { objectMode: false }), outgoing, () => {
    // A failure of the connection arrives as the request's own error.
  });
  return () => ({ bytes, sha256: hash.digest("hex") });
}

async function read(response: IncomingMessage): Promise<FetchSuccess> {
  const hash = createHash("sha256");
  const short: Buffer[] = [];
  const peer = response.socket.remoteAddress ?? "";
  const ticker = values.progress
    ? setInterval(() => console.log(JSON.stringify({ progress: received })), PROGRESS_EVERY_MS)
    : undefined;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hash.update(chunk);
      received += chunk.length;
      if (received <= SHORT_BODY_BYTES) short.push(chunk);
    }
  } finally {
    clearInterval(ticker);
  }
  return {
    ok: true,
    status: response.statusCode ?? 0,
    bytes: received,
    sha256: hash.digest("hex"),
    peer,
    ...(received <= SHORT_BODY_BYTES ? { body: Buffer.concat(short).toString() } : {}),
  };
}

async function resolveThrough(server: string, name: string): Promise<string> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([server]);
  const addresses = values.family === "6" ? await resolver.resolve6(name) : await resolver.resolve4(name);
  if (addresses[0] === undefined) throw new Error(`${name} has no address`);
  return addresses[0];
}

function print(result: FetchResult): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
