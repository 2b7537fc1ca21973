/** The HTTP server below the panel: where it listens, and how little it lets anybody take of it. */
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { fail, type Result } from "../../src-shared/result.ts";
import type { OpenPanel } from "./open-panel.ts";
import { SourcePlaces } from "./source-places.ts";

/** Tabs and their keep-alive connections; more is somebody who holds sockets open. */
const MAX_CONNECTIONS = 64;

/** Beyond loopback, where one source must not take the places of all others. */
const MAX_OPEN_CONNECTIONS = 256;

/** A browser sends its headers at once. */
const REQUEST_TIMEOUT_MS = 10_000;

/** How often late requests are looked for; by default Node does it every 30 seconds, and they live as long. */
const CHECK_CONNECTIONS_EVERY_MS = 2_000;

/** The connections below HTTP and TLS, of each server. */
const connections = new WeakMap<Server, Set<Socket>>();

/** @param timeoutMs how long a request may take to arrive; ten seconds where none is given */
export function makeServer(open: OpenPanel | undefined, timeoutMs = REQUEST_TIMEOUT_MS): Server {
  const limits = {
    maxHeaderSize: 16 * 1024,
    requestTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_CONNECTIONS_EVERY_MS, timeoutMs),
  };
  const tls = open?.tls ?? null;
  const server =
    tls === null
      ? createServer(limits)
      : createTlsServer({ ...limits, ...tls, minVersion: "TLSv1.2", handshakeTimeout: timeoutMs });
  server.maxConnections = open === undefined ? MAX_CONNECTIONS : MAX_OPEN_CONNECTIONS;
  follow(server);
  if (open !== undefined) limitSources(server);
  return server;
}

function limitSources(server: Server): void {
  const places = new SourcePlaces();
  server.on("connection", (socket: Socket) => {
    const giveBack = places.take(socket.remoteAddress ?? "");
    if (giveBack === undefined) socket.destroy();
    else socket.once("close", giveBack);
  });
}

/**
 * Stops listening and hangs up on everybody, also on who has not come to a request yet, or has left HTTP behind. For a server that
 * `makeServer` made, whose connections it knows.
 */
export function hangUp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of connections.get(server) ?? []) socket.destroy();
  });
}

function follow(server: Server): void {
  const open = new Set<Socket>();
  connections.set(server, open);
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
}

/** Undefined once it listens, else why it does not. */
export function listen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once("error", resolve);
    server.listen(port, host, () => {
      server.off("error", resolve);
      resolve(undefined);
    });
  });
}

export function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): Result<never> {
  if (error.code === "EADDRINUSE") {
    return fail(
      "panel-port-taken",
      `port ${port} of this computer is taken, the panel cannot use it`,
      "Choose another with --panel-port N, or 0 for any.",
    );
  }
  return fail(
    "panel-failed",
    `the panel cannot listen on ${host}, port ${port}: ${error.message}`,
    "Choose another address or port with --panel-listen ADDRESS:PORT.",
  );
}
