/** The panel for a browser on this computer: static files and the one gate over a WebSocket, on loopback only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { MAX_CALL_CHARACTERS } from "../../src-shared/ipc/wire.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { GateConnection } from "../ipc/gate.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { PanelAccess } from "./panel-access.ts";
import { loadStaticFiles, type StaticFiles } from "./static-files.ts";

/** Where the panel's WebSocket is. */
export const PANEL_SOCKET_PATH = "/api";

/** One owner with a few tabs. */
const MAX_WEB_SOCKETS = 16;

/** Tabs and their keep-alive connections; more is somebody who holds sockets open. */
const MAX_CONNECTIONS = 64;

/** A browser on the same computer sends its headers at once. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A UTF-16 unit is at most three bytes of UTF-8; the gate counts the characters. */
const MAX_PAYLOAD_BYTES = MAX_CALL_CHARACTERS * 3;

export interface PanelOptions {
  readonly api: NodeApi;
  readonly rendererDir: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly onUnexpected: (call: string, thrown: unknown) => void;
  readonly checkOutput?: boolean;
}

export interface PanelServer {
  /** With the secret in it. */
  readonly url: string;
  readonly port: number;
  /** Hangs up on everybody. Idempotent. */
  close(): Promise<void>;
}

/** Serves the panel. Fails with `panel-missing`, `panel-port-taken` or `panel-failed`. */
export async function openPanelServer(options: PanelOptions): Promise<Result<PanelServer>> {
  const files = await loadStaticFiles(options.rendererDir);
  if (!files.ok) return files;
  const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: REQUEST_TIMEOUT_MS });
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = MAX_CONNECTIONS;
  const failure = await listen(server, options.port);
  if (failure !== undefined) return cannotListen(options.port, failure);
  const { port } = server.address() as AddressInfo;
  const access = new PanelAccess(port);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
    clientTracking: true,
  });
  sockets.on("connection", (socket) => serveSocket(socket, options));
  server.on("request", (request, response) => serveFile(request, response, access, files.value));
  server.on("upgrade", (request, stream, head) => upgrade(request, stream, head, access, sockets));
  server.on("error", (error) => options.onUnexpected("panel", error));

  let closed: Promise<void> | undefined;
  return ok({
    url: access.url,
    port,
    close() {
      closed ??= new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  });
}

function serveFile(request: IncomingMessage, response: ServerResponse, access: PanelAccess, files: StaticFiles): void {
  for (const [name, value] of Object.entries(securityHeaders(request))) response.setHeader(name, value);
  const url = parseUrl(request);
  const refusal = requestRefusal(request, url, access);
  if (refusal !== undefined) {
    refuse(response, refusal);
  } else if (url?.searchParams.has("token")) {
    response.setHeader("Set-Cookie", access.sessionCookie());
    response.writeHead(303, { Location: "/" }).end();
  } else {
    const file = files.get(url?.pathname ?? "");
    if (file === undefined) {
      refuse(response, REFUSALS.notFound);
      return;
    }
    response.setHeader("Cache-Control", file.immutable ? "private, max-age=31536000, immutable" : "no-store");
    response.writeHead(200, { "Content-Type": file.type, "Content-Length": file.body.length });
    response.end(request.method === "HEAD" ? undefined : file.body);
  }
}

/** Why a request for a page is not answered; undefined for the owner's. */
function requestRefusal(request: IncomingMessage, url: URL | undefined, access: PanelAccess): Refusal | undefined {
  if (!access.isOurHost(request)) return REFUSALS.wrongHost;
  if (!access.isOurOrigin(request, "optional")) return REFUSALS.wrongOrigin;
  if (request.method !== "GET" && request.method !== "HEAD") return REFUSALS.wrongMethod;
  if (url === undefined) return REFUSALS.badRequest;
  const allowed = url.searchParams.has("token")
    ? url.pathname === "/" && access.isToken(url.searchParams.get("token"))
    : access.hasSession(request);
  return allowed ? undefined : REFUSALS.noAccess;
}

function upgrade(
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  access: PanelAccess,
  sockets: WebSocketServer,
): void {
  // A browser that hangs up in the middle of the handshake is no event worth a word.
  stream.on("error", () => {});
  const refusal = upgradeRefusal(request, access, sockets.clients.size);
  if (refusal !== undefined) {
    stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    return;
  }
  sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit("connection", socket, request));
}

/** The status line that refuses a WebSocket; undefined for the owner's. */
function upgradeRefusal(request: IncomingMessage, access: PanelAccess, open: number): string | undefined {
  if (!access.isOurHost(request)) return "421 Misdirected Request";
  if (!access.isOurOrigin(request, "required")) return "403 Forbidden";
  if (!access.hasSession(request)) return "401 Unauthorized";
  if (parseUrl(request)?.pathname !== PANEL_SOCKET_PATH) return "404 Not Found";
  return open >= MAX_WEB_SOCKETS ? "503 Service Unavailable" : undefined;
}

function serveSocket(socket: WebSocket, options: PanelOptions): void {
  const connection = new GateConnection({
    api: options.api,
    onUnexpected: options.onUnexpected,
    ...(options.checkOutput === undefined ? {} : { checkOutput: options.checkOutput }),
    transport: {
      send: (text) => socket.send(text, () => connection.drained()),
      backlogBytes: () => socket.bufferedAmount,
      end: () => socket.close(1008),
      drop: () => socket.terminate(),
    },
  });
  socket.on("message", (data, isBinary) => {
    if (isBinary) socket.close(1003);
    else connection.receive(data.toString());
  });
  // ws closes the connection itself on a frame it refuses; "close" follows.
  socket.on("error", () => {});
  socket.on("close", () => connection.close());
}

function securityHeaders(request: IncomingMessage): Record<string, string> {
  // Older browsers do not count ws: as 'self', so the socket's own address is named as well.
  const socket = /^[a-z0-9.]+:[0-9]+$/.test(request.headers.host ?? "") ? ` ws://${request.headers.host}` : "";
  return {
    "Content-Security-Policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "font-src 'self'",
      `connect-src 'self'${socket}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
  };
}

interface Refusal {
  readonly status: number;
  readonly words: string;
}

const REFUSALS = {
  noAccess: {
    status: 401,
    words:
      "This page needs its key. Open the address that HiggsNode printed when it started; the key is in it. It changes with every start.",
  },
  wrongHost: {
    status: 421,
    words:
      "This address does not belong to HiggsNode's panel. Open the address that HiggsNode printed when it started.",
  },
  wrongOrigin: { status: 403, words: "Another website tried to open HiggsNode's panel, and was refused." },
  wrongMethod: { status: 405, words: "The panel answers GET and HEAD only." },
  badRequest: { status: 400, words: "That is no address of the panel." },
  notFound: { status: 404, words: "There is no such page. Go back to the panel's start page." },
} as const satisfies Record<string, Refusal>;

function refuse(response: ServerResponse, { status, words }: Refusal): void {
  const page = `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>HiggsNode</title><h1>HiggsNode</h1><p>${words}</p></html>\n`;
  if (status === 405) response.setHeader("Allow", "GET, HEAD");
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", "Content-Length": Buffer.byteLength(page) });
  response.end(page);
}

function parseUrl(request: IncomingMessage): URL | undefined {
  // An absolute or `//host` target would name another host than the one that was checked.
  if (request.url === undefined || !/^\/(?!\/)/.test(request.url)) return undefined;
  return URL.parse(request.url, "http://panel.invalid") ?? undefined;
}

function listen(server: Server, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once("error", resolve);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", resolve);
      resolve(undefined);
    });
  });
}

function cannotListen(port: number, error: NodeJS.ErrnoException): Result<never> {
  if (error.code === "EADDRINUSE") {
    return fail(
      "panel-port-taken",
      `port ${port} of this computer is taken, the panel cannot use it`,
      "Choose another with --panel-port N, or 0 for any.",
    );
  }
  return fail(
    "panel-failed",
    `the panel cannot listen on port ${port}: ${error.message}`,
    "Choose another with --panel-port N.",
  );
}
