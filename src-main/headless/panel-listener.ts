/** The HTTP server below the panel: where it listens, and how little it lets anybody take of it. */
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { fail, type Result } from "../../src-shared/result.ts";
import type { OpenPanel } from "./open-panel.ts";

/** Tabs and their keep-alive connections; more is somebody who holds sockets open. */
const MAX_CONNECTIONS = 64;

/** Beyond loopback, where one source must not take the places of all others. */
const MAX_OPEN_CONNECTIONS = 256;
const MAX_CONNECTIONS_PER_SOURCE = 48;

/** A browser sends its headers at once. */
const REQUEST_TIMEOUT_MS = 10_000;

/** How often late requests are looked for; by default Node does it every 30 seconds, and they live as long. */
const CHECK_CONNECTIONS_EVERY_MS = 2_000;

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
  if (open !== undefined) limitSources(server);
  return server;
}

function limitSources(server: Server): void {
  const counts = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const source = socket.remoteAddress ?? "";
    const count = counts.get(source) ?? 0;
    if (count >= MAX_CONNECTIONS_PER_SOURCE) {
      socket.destroy();
      return;
    }
    counts.set(source, count + 1);
    socket.once("close", () => {
      const left = (counts.get(source) ?? 1) - 1;
      if (left === 0) counts.delete(source);
      else counts.set(source, left);
    });
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
