/**
 * The public side: HTTP(S) with two WebSocket endpoints, `/node` and `/connect`, and `/healthz`. Everything a
 * stranger can make it hold is counted before it is held.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type Prefix, parsePrefix } from "../src-shared/net/address.ts";
import { MAX_WEBSOCKET_PAYLOAD_BYTES, RELAY_PROTOCOL } from "../src-shared/relay/frame.ts";
import { errorOf, fail, ok, type Result } from "../src-shared/result.ts";
import type { Config } from "./config.ts";
import type { Counters } from "./counters.ts";
import { isTrusted, sourceAddress } from "./forwarded-for.ts";
import { connectionKey, type HalfOpenConnections } from "./half-open.ts";
import { networkOf } from "./source-limiter.ts";

/** Request line and headers of an upgrade are a few hundred bytes. */
const MAX_HEADER_BYTES = 8 * 1024;
/** A message of ours is one frame; a proxy may split it, not grind it. */
const MAX_FRAGMENTS = 64;
/** Pieces a frame may arrive in: 128 KiB in the smallest segments of a slow link, with room. */
const MAX_CHUNKS = 1024;
/**
 * What a peer may send between the upgrade and the end of its handshake: `hello` and `auth` are under 1 KiB.
 * With the header's cap it bounds what a stranger makes the server hold, which `maxPayload` alone would not.
 */
const MAX_STRANGER_BYTES = 8 * 1024;
/** A closing handshake nobody answers is over after this. */
const CLOSE_TIMEOUT_MS = 2_000;

export type Endpoint = "node" | "connect";

/** Where a connection comes from, proxies left out: the address, and the network it is counted under. */
export interface Source {
  readonly address: string;
  readonly network: string;
}

export interface GateHandlers {
  /** A WebSocket is open. `settled` is to be called when its peer has shown who it is. */
  onSocket(endpoint: Endpoint, socket: WebSocket, source: Source, settled: () => void): void;
  /** 200 or 503 with a short body. */
  health(): { readonly ok: boolean; readonly body: string };
}

export class Gate {
  #config: Config;
  #halfOpen: HalfOpenConnections;
  #counters: Counters;
  #handlers: GateHandlers;
  #trusted: readonly Prefix[];
  #server: Server | TlsServer;
  #sockets: WebSocketServer;
  #connections = new Set<Socket>();
  #closed = false;

  private constructor(
    config: Config,
    halfOpen: HalfOpenConnections,
    counters: Counters,
    handlers: GateHandlers,
    server: Server | TlsServer,
  ) {
    this.#config = config;
    this.#counters = counters;
    this.#halfOpen = halfOpen;
    this.#handlers = handlers;
    this.#server = server;
    this.#trusted = config.trustedProxies.flatMap((text) => parsePrefix(text) ?? []);
    // Some of these are newer than the type definitions, which a spread does not mind.
    const caps = { maxFragments: MAX_FRAGMENTS, maxBufferedChunks: MAX_CHUNKS, closeTimeout: CLOSE_TIMEOUT_MS };
    this.#sockets = new WebSocketServer({
      ...caps,
      noServer: true,
      clientTracking: false,
      // Compressing ciphertext costs a hundred times what it carries.
      perMessageDeflate: false,
      maxPayload: MAX_WEBSOCKET_PAYLOAD_BYTES,
      autoPong: false,
      handleProtocols: () => RELAY_PROTOCOL,
    });
    // Beneath TLS too, so that a handshake that is never finished counts.
    server.on("connection", (socket: Socket) => this.#connected(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#request(request, response));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket as Socket, head),
    );
    server.on("clientError", (_error: Error, socket: Duplex) => socket.destroy());
    server.on("tlsClientError", (_error: Error, socket: Duplex) => socket.destroy());
  }

  /** Listens on `config.listen`. Fails with `tls-unusable` or `listen-failed`. */
  static async open(
    config: Config,
    halfOpen: HalfOpenConnections,
    counters: Counters,
    handlers: GateHandlers,
  ): Promise<Result<Gate>> {
    const server = createHttpServer(config);
    if (!server.ok) return server;
    const gate = new Gate(config, halfOpen, counters, handlers, server.value);
    const { host, port } = config.listen;
    try {
      await new Promise<void>((resolve, reject) => {
        server.value.once("error", reject);
        server.value.listen({ host, port, exclusive: true }, resolve);
      });
    } catch (error) {
      return fail("listen-failed", `cannot listen on ${host} port ${port}: ${errorOf(error).message}`);
    }
    return ok(gate);
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** Reads the certificate again, for connections to come. Fails with `tls-unusable` and keeps the old one. */
  reloadCertificate(): Result<void> {
    const material = tlsMaterial(this.#config);
    if (!material.ok) return material;
    if (material.value !== undefined && "setSecureContext" in this.#server) {
      try {
        this.#server.setSecureContext(material.value);
      } catch (error) {
        return fail("tls-unusable", `cannot use the certificate: ${errorOf(error).message}`);
      }
    }
    return ok(undefined);
  }

  /** Takes no more connections; those there stay. */
  stopListening(): void {
    if (this.#server.listening) this.#server.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stopListening();
    this.#halfOpen.dispose();
    for (const socket of this.#connections) socket.destroy();
    this.#sockets.close();
  }

  #connected(socket: Socket): void {
    this.#connections.add(socket);
    socket.once("close", () => this.#connections.delete(socket));
    socket.on("error", () => socket.destroy());
    const peer = socket.remoteAddress ?? "";
    this.#halfOpen.add(socket, isTrusted(peer, this.#trusted) ? undefined : networkOf(peer));
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("connection", "close");
    const path = request.url?.split("?")[0];
    if (path === "/healthz") {
      const { ok: healthy, body } = this.#handlers.health();
      response.writeHead(healthy ? 200 : 503, { "content-type": "application/json" }).end(body);
    } else if (path === "/node" || path === "/connect") {
      response.writeHead(426, { upgrade: "websocket", "content-type": "text/plain" }).end("This is a WebSocket.\n");
    } else {
      response.writeHead(404, { "content-type": "text/plain" }).end("Not here.\n");
    }
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const refuse = (status: string) =>
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.on("error", () => socket.destroy());
    const path = request.url?.split("?")[0];
    const endpoint: Endpoint | undefined = path === "/node" ? "node" : path === "/connect" ? "connect" : undefined;
    if (endpoint === undefined) return void refuse("404 Not Found");
    // No page in a browser has business here; it would make its visitors part of a flood.
    if (request.headers.origin !== undefined) return void refuse("403 Forbidden");
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    if (!offered.includes(RELAY_PROTOCOL)) return void refuse("400 Bad Request");
    if (!this.#server.listening) return void refuse("503 Service Unavailable");
    const key = connectionKey(socket);
    const header = request.headers["x-forwarded-for"];
    const forwarded = Array.isArray(header) ? header.join(",") : header;
    const address = sourceAddress(socket.remoteAddress ?? "", forwarded, this.#trusted);
    const network = networkOf(address);
    if (key === undefined || !this.#halfOpen.name(key, network)) return void refuse("429 Too Many Requests");
    let strangerBytes = 0;
    const count = (chunk: Buffer) => {
      strangerBytes += chunk.length;
      if (strangerBytes <= MAX_STRANGER_BYTES) return;
      this.#counters.refused["handshake-size"]++;
      socket.destroy();
    };
    // Before the WebSocket's own listener, which would take the bytes in first.
    socket.on("data", count);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#handlers.onSocket(endpoint, webSocket, { address, network }, () => {
        socket.off("data", count);
        this.#halfOpen.settle(key);
      });
    });
  }
}

function createHttpServer(config: Config): Result<Server | TlsServer> {
  const options = { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 1_000, noDelay: true };
  const material = tlsMaterial(config);
  if (!material.ok) return material;
  if (material.value === undefined) return ok(createServer(options));
  try {
    return ok(
      createTlsServer({
        ...options,
        ...material.value,
        minVersion: "TLSv1.2",
        handshakeTimeout: config.handshakeTimeoutMs,
      }),
    );
  } catch (error) {
    return fail("tls-unusable", `cannot use the certificate: ${errorOf(error).message}`);
  }
}

function tlsMaterial({ tls }: Config): Result<{ cert: Buffer; key: Buffer } | undefined> {
  if (tls === undefined) return ok(undefined);
  try {
    return ok({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) });
  } catch (error) {
    return fail("tls-unusable", `cannot read the certificate: ${errorOf(error).message}`);
  }
}
