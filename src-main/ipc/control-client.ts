/** The asking side of the control socket, used by the CLI. */
import { connect, type Socket } from "node:net";
import { type Clock, systemClock } from "../../src-shared/clock.ts";
import type { CallInput, CallName, CallOutput } from "../../src-shared/ipc/contract.ts";
import { type EventListener, MessageClient } from "../../src-shared/ipc/message-client.ts";
import { LineSplitter } from "../../src-shared/line-splitter.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { controlSocketPath } from "./socket-path.ts";

/** The longest answer is the list of all clients: 4,096 of them are below 2 MiB. */
const MAX_ANSWER_CHARACTERS = 8 * 1024 * 1024;

/** The other side is on this machine; one that does not take a connection in this time hangs. */
const CONNECT_TIMEOUT_MS = 5_000;

export interface ControlClient {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<Result<CallOutput<N>>>;
  subscribe(listener: EventListener): Promise<Result<void>>;
  /** Hangs up; calls under way fail with `disconnected`. Idempotent. */
  close(): void;
}

export interface ConnectOptions {
  readonly clock?: Clock;
  readonly platform?: string;
}

/** Connects to the node of a data directory. Fails with `not-running`, `not-permitted` or `no-answer`. */
export async function connectControl(dataDir: string, options: ConnectOptions = {}): Promise<Result<ControlClient>> {
  const clock = options.clock ?? systemClock;
  const socketPath = controlSocketPath(dataDir, options.platform ?? process.platform);
  if (!socketPath.ok) return socketPath;
  const connected = await open(socketPath.value, clock);
  if (!connected.ok) return connected;
  const socket = connected.value;

  const client = new MessageClient({ clock, send: (text) => void socket.write(`${text}\n`) });
  const lines = new LineSplitter(MAX_ANSWER_CHARACTERS);
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    try {
      for (const line of lines.push(String(chunk))) client.receive(line);
    } catch {
      client.close({ code: "answer-too-large", message: "the node's answer is longer than any answer can be" });
      socket.destroy();
    }
  });
  socket.on("error", () => {});
  socket.once("close", () =>
    client.close({
      code: "disconnected",
      message: "the node closed the connection",
      hint: "See whether it still runs: higgsnode status",
    }),
  );
  return ok({
    call: (name, input) => client.call(name, input),
    subscribe: (listener) => client.subscribe(listener),
    close: () => socket.destroy(),
  });
}

function open(socketPath: string, clock: Clock): Promise<Result<Socket>> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const cancelTimer = clock.after(CONNECT_TIMEOUT_MS, () => {
      socket.destroy();
      resolve(fail("no-answer", "the node does not take connections", "Stop it and start it again."));
    });
    socket.once("connect", () => {
      cancelTimer();
      resolve(ok(socket));
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      cancelTimer();
      if (error.code === "EACCES" || error.code === "EPERM") {
        resolve(
          fail("not-permitted", "the node belongs to another user", "Run this as the user who started the node."),
        );
      } else {
        resolve(fail("not-running", "no node is running with this data directory", "Start one with: higgsnode start"));
      }
    });
  });
}
