/** The gate on a Unix socket, for the CLI: JSON lines, for the owner of the data directory only. */
import { randomBytes } from "node:crypto";
import { lstat, rename, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { MAX_CALL_CHARACTERS } from "../../src-shared/ipc/wire.ts";
import { LineSplitter } from "../../src-shared/line-splitter.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { GateConnection } from "./gate.ts";
import type { NodeApi } from "./node-api.ts";
import { controlSocketPath } from "./socket-path.ts";

/** One owner with a few terminals and scripts; more is a program that forgets to hang up. */
const MAX_CONNECTIONS = 64;

export interface ControlSocketOptions {
  readonly dataDir: string;
  readonly api: NodeApi;
  readonly onUnexpected: (call: string, thrown: unknown) => void;
  readonly checkOutput?: boolean;
  readonly platform?: string;
}

export interface ControlSocket {
  readonly path: string;
  /** Hangs up on everybody and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/**
 * Listens. Fails with `already-running` where a node answers on the socket, `control-socket-blocked`
 * where something that is no socket stands in its place, `data-dir-path-too-long`.
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<Result<ControlSocket>> {
  const platform = options.platform ?? process.platform;
  const socketPath = controlSocketPath(options.dataDir, platform);
  if (!socketPath.ok) return socketPath;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, options);
  });
  server.maxConnections = MAX_CONNECTIONS;

  let failure = await listen(server, socketPath.value);
  // A Windows pipe ends with its process, so there is none to clear.
  if (failure?.code === "EADDRINUSE" && platform !== "win32") {
    const cleared = await clearStaleSocket(socketPath.value);
    if (!cleared.ok) return cleared;
    failure = await listen(server, socketPath.value);
  }
  if (failure !== undefined) {
    return fail(
      failure.code === "EADDRINUSE" ? "already-running" : "control-socket-failed",
      `the control socket ${socketPath.value} cannot be opened: ${failure.message}`,
      "Check that the data directory is yours and that no other node uses it.",
    );
  }
  // Whatever happens to the listening socket later is not worth the node.
  server.on("error", (error) => options.onUnexpected("control-socket", error));

  let closed: Promise<void> | undefined;
  return ok({
    path: socketPath.value,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      return closed;
    },
  });
}

function serve(socket: Socket, options: ControlSocketOptions): void {
  const connection = new GateConnection({
    api: options.api,
    onUnexpected: options.onUnexpected,
    ...(options.checkOutput === undefined ? {} : { checkOutput: options.checkOutput }),
    transport: {
      send: (text) => void socket.write(`${text}\n`, () => connection.drained()),
      backlogBytes: () => socket.writableLength,
      end: () => socket.destroySoon(),
      drop: () => socket.destroy(),
    },
  });
  const lines = new LineSplitter(MAX_CALL_CHARACTERS);
  let refused = false;
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    if (refused) return;
    try {
      for (const line of lines.push(String(chunk))) {
        if (line.trim() !== "") connection.receive(line);
      }
    } catch (thrown) {
      refused = true;
      connection.refuse("call-too-large", thrown instanceof Error ? thrown.message : String(thrown));
    }
  });
  // A peer that vanishes is no event worth a word; "close" follows.
  socket.on("error", () => {});
  socket.once("close", () => connection.close());
}

/** Binds with mode 0600 from the first moment: a chmod afterwards would leave a gap. */
function listen(server: Server, socketPath: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const onError = (error: Error) => resolve(error);
    server.once("error", onError);
    const umask = process.umask(0o177);
    try {
      server.listen(socketPath, () => {
        server.off("error", onError);
        resolve(undefined);
      });
    } finally {
      process.umask(umask);
    }
  });
}

/**
 * Removes a socket nobody listens on. It is moved aside and asked once more before it is removed, so
 * that of two nodes that start at the same moment none removes the other's fresh socket.
 */
async function clearStaleSocket(socketPath: string): Promise<Result<void>> {
  const first = await probe(socketPath);
  if (first === "alive") return alreadyRunning();
  if (first === "gone") return ok(undefined);
  if (first === "blocked") return blocked(socketPath);
  const aside = `${socketPath}.${randomBytes(4).toString("hex")}`;
  try {
    await rename(socketPath, aside);
    if ((await probe(aside)) === "alive") {
      await rename(aside, socketPath);
      return alreadyRunning();
    }
    await unlink(aside);
  } catch (thrown) {
    // ENOENT: the other node that starts has cleared it already.
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") return blocked(socketPath);
  }
  return ok(undefined);
}

async function probe(socketPath: string): Promise<"alive" | "stale" | "gone" | "blocked"> {
  try {
    // On Linux a regular file refuses connections with the same error as a dead socket.
    if (!(await lstat(socketPath)).isSocket()) return "blocked";
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "ENOENT" ? "gone" : "blocked";
  }
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve("alive");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve("gone");
      else if (error.code === "ECONNREFUSED") resolve("stale");
      else resolve("blocked");
    });
  });
}

/** The refusal of a second node on one data directory. */
export function alreadyRunning(): Result<never> {
  return fail(
    "already-running",
    "a node is running with this data directory already",
    "Use that one, or give this one another --data-dir.",
  );
}

function blocked(socketPath: string): Result<never> {
  return fail(
    "control-socket-blocked",
    `${socketPath} is in the way and is no socket of a node`,
    "Look at what it is, and move it away.",
  );
}
