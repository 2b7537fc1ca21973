/** The lab's web server: pages, streams of known bytes, and a mirror that shows a client its own address. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { seededBytes } from "../seeded-bytes.ts";

/** Far above what a test moves, so that a typing error in a test cannot run for hours. */
const MAX_BYTES = 4 * 1024 * 1024 * 1024;
const DEFAULT_SLOW_KBPS = 1_000;
/** Ten pieces a second look like a steady stream to a test and cost nothing. */
const SLOW_STEP_MS = 100;

export function createWebServer(): Server {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  // A slow upload is a legitimate test; the peer or the lab ends it.
  server.requestTimeout = 0;
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://lab.invalid");
  const route = `${request.method} ${url.pathname}`;
  switch (route) {
    case "GET /":
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end("<!doctype html><title>Example</title><h1>A page of the lab's internet</h1>\n");
      return;
    case "GET /whoami":
      sendJson(response, {
        address: request.socket.remoteAddress,
        family: request.socket.remoteFamily,
        port: request.socket.remotePort,
      });
      return;
    case "GET /bytes":
      sendBytes(response, count(url, "n", 1024), count(url, "seed", 0));
      return;
    case "GET /slow":
      sendSlowly(response, count(url, "n", MAX_BYTES), count(url, "kbps", DEFAULT_SLOW_KBPS));
      return;
    case "PUT /sink": {
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      sendJson(response, { sha256: hash.digest("hex"), bytes });
      return;
    }
    default:
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("no such page\n");
  }
}

function count(url: URL, name: string, otherwise: number): number {
  const value = Number(url.searchParams.get(name) ?? otherwise);
  if (!Number.isInteger(value) || value < 0 || value > MAX_BYTES) throw new RangeError(`${name} is out of range`);
  return value;
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function sendBytes(response: ServerResponse, bytes: number, seed: number): void {
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes });
  pipeline(Readable.from(seededBytes(bytes, seed), { objectMode: false }), response, () => {
    // A client that goes away in the middle is part of the tests.
  });
}

/** @param kbps kilobits of payload a second */
function sendSlowly(response: ServerResponse, bytes: number, kbps: number): void {
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes });
  response.flushHeaders();
  const stepBytes = Math.max(1, Math.floor((kbps * 1000 * SLOW_STEP_MS) / 8 / 1000));
  let left = bytes;
  const timer = setInterval(() => {
    if (response.writableNeedDrain) return;
    const size = Math.min(left, stepBytes);
    left -= size;
    response.write(Buffer.alloc(size));
    if (left === 0) {
      clearInterval(timer);
      response.end();
    }
  }, SLOW_STEP_MS);
  response.once("close", () => clearInterval(timer));
}
