/**
 * The helper's socket: who may speak, how much, and in what order. It distrusts its clients: every
 * line is capped, parsed and answered, and whoever does not introduce himself is closed.
 *
 * One client at a time is the controller: the one whose spec is applied. When it goes, the network
 * stays for a grace time, so that a node that crashed or was updated finds it again; then everything
 * is restored.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { CancelTimer, Clock } from "../src-shared/clock.ts";
import {
  HELPER_PROTOCOL_VERSION,
  type HelperMessage,
  type HelperResult,
  type HelperVerb,
  helperRequestSchema,
  helperVerbs,
  MAX_HELLO_BYTES,
  MAX_HELPER_MESSAGE_BYTES,
} from "../src-shared/helper/protocol.ts";
import { LineSplitter } from "../src-shared/line-splitter.ts";
import { describeZodError, errorOf, fail, type HiggsError, ok, type Result } from "../src-shared/result.ts";
import type { NetworkBackend } from "./backend.ts";
import type { HelperLog } from "./log.ts";

/** The app, a command line, a diagnosis, and some room. */
const MAX_CONNECTIONS = 16;

/** Whoever connects has his hello ready; a second is generous on a loaded machine. */
const HELLO_WITHIN_MS = 2_000;

/** Requests of one connection that may wait: the node has one or two under way. */
const MAX_WAITING = 32;

/** What a client that does not read may pile up in our memory before it is closed. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** With nothing applied and nobody connected there is nothing to wait for. */
const IDLE_EXIT_MS = 5_000;

export interface HelperServerOptions {
  backend: NetworkBackend;
  clock: Clock;
  log: HelperLog;
  token: string;
  version: string;
  /** How long the network outlives its controller, milliseconds. */
  graceMs: number;
  /** Keep running with nothing to do, as a system service does. */
  stayWhenIdle: boolean;
  /** Called once, when there is nothing left to do. */
  onDone: () => void;
}

interface Client {
  socket: Socket;
  known: boolean;
  waiting: number;
  unsubscribe: (() => void) | undefined;
  cancelHello: CancelTimer;
}

export class HelperServer {
  readonly #options: HelperServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #controller: Client | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #cancelTimer: CancelTimer | undefined;
  #closed = false;

  constructor(options: HelperServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Listens; a journal that an earlier run left starts the grace time at once. */
  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, () => {
        this.#server.off("error", reject);
        this.#watchForEnd();
        resolve();
      });
    });
  }

  /** Ends all connections. The network is as the caller left it: restore first where that is wanted. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer?.();
    for (const client of [...this.#clients]) client.socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#queue;
  }

  /** Restores after everything that is under way. */
  restore(): Promise<HelperResult<"restore">> {
    return this.#inTurn(() => this.#options.backend.restore());
  }

  #accept(socket: Socket): void {
    const client: Client = {
      socket,
      known: false,
      waiting: 0,
      unsubscribe: undefined,
      cancelHello: this.#options.clock.after(HELLO_WITHIN_MS, () => socket.destroy()),
    };
    this.#clients.add(client);
    const lines = new LineSplitter(MAX_HELLO_BYTES);
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      try {
        for (const line of lines.push(chunk)) {
          void this.#receive(client, line);
          if (client.known) lines.maxLength = MAX_HELPER_MESSAGE_BYTES;
        }
      } catch {
        this.#refuse(client, { code: "message-too-big", message: "A message is longer than the helper accepts." });
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#left(client));
  }

  #left(client: Client): void {
    client.cancelHello();
    client.unsubscribe?.();
    this.#clients.delete(client);
    if (this.#controller === client) this.#controller = undefined;
    this.#watchForEnd();
  }

  async #receive(client: Client, line: string): Promise<void> {
    const request = helperRequestSchema.safeParse(parseJson(line));
    if (!request.success) return this.#refuse(client, { code: "bad-message", message: "This is no helper request." });
    const { id, verb, params } = request.data;
    if (!isVerb(verb)) {
      if (!client.known) return this.#refuse(client, helloFirst());
      return this.#answer(client, {
        id,
        ok: false,
        error: { code: "unknown-verb", message: "The helper has no such verb." },
      });
    }
    const parsed = helperVerbs[verb].params.safeParse(params ?? {});
    if (!parsed.success) {
      const error = {
        code: verb === "apply" ? "bad-spec" : "bad-message",
        message: `${verb} was refused: ${describeZodError(parsed.error)}.`,
      };
      if (!client.known) return this.#refuse(client, error);
      return this.#answer(client, { id, ok: false, error });
    }
    if (!client.known && verb !== "hello") return this.#refuse(client, helloFirst());
    if (client.waiting >= MAX_WAITING) {
      return this.#answer(client, {
        id,
        ok: false,
        error: { code: "too-many-requests", message: "Too many requests wait." },
      });
    }
    client.waiting++;
    try {
      const result = await this.#perform(client, { verb, params: parsed.data } as Performed);
      if (result.ok) this.#answer(client, { id, ok: true, result: result.value });
      else if (client.known) this.#answer(client, { id, ok: false, error: result.error });
      else this.#refuse(client, result.error);
    } catch (thrown) {
      const error = errorOf(thrown);
      this.#options.log.write("internal-error", { verb, message: error.message });
      this.#answer(client, { id, ok: false, error });
    } finally {
      client.waiting--;
    }
  }

  async #perform(client: Client, request: Performed): Promise<Result<unknown>> {
    const { backend, log } = this.#options;
    switch (request.verb) {
      case "hello":
        return this.#hello(client, request.params);
      case "capabilities":
        return ok(await backend.capabilities());
      case "observe":
        return ok(await this.#inTurn(() => backend.observe()));
      case "observe-peers":
        return ok(await this.#inTurn(() => backend.observePeers()));
      case "inspect-firewall":
        return ok(await this.#inTurn(() => backend.inspectFirewall()));
      case "apply":
        return this.#inTurn(async () => {
          if (this.#controller !== undefined && this.#controller !== client) {
            return fail("helper-busy", "Another running node controls the network.", "Stop the other node first.");
          }
          // Whoever left while his request waited has nobody to hold the network for.
          if (client.socket.destroyed) return fail("client-gone", "The client has gone.");
          this.#controller = client;
          const applied = await backend.apply(request.params.spec);
          log.write(
            "apply",
            applied.ok ? { ok: true, changed: applied.value.changed } : { ok: false, code: applied.error.code },
          );
          return applied;
        });
      case "restore":
        return ok(
          await this.#inTurn(async () => {
            const restored = await backend.restore();
            log.write("restore", { undone: restored.undone.length, failed: restored.failed.length });
            // Whoever wants the network next may have it.
            this.#controller = undefined;
            this.#watchForEnd();
            return restored;
          }),
        );
      case "subscribe":
        client.unsubscribe?.();
        client.unsubscribe = request.params.topics.includes("network-change")
          ? backend.watch((kinds) => this.#answer(client, { event: { topic: "network-change", kinds } }))
          : undefined;
        return ok({});
    }
  }

  #hello(client: Client, { protocol, token }: { protocol: number; token: string }): Result<HelperResult<"hello">> {
    const { backend, version, log } = this.#options;
    if (!sameSecret(token, this.#options.token)) {
      log.write("wrong-token");
      return fail("wrong-token", "The token is wrong.", "Restart HiggsNode.");
    }
    if (protocol !== HELPER_PROTOCOL_VERSION) {
      return fail(
        "helper-version",
        `The helper speaks version ${HELPER_PROTOCOL_VERSION} of its protocol, not ${protocol}.`,
        "Restart HiggsNode so that both parts are of the same version.",
      );
    }
    client.known = true;
    client.cancelHello();
    this.#cancelIdle();
    return ok({ protocol: HELPER_PROTOCOL_VERSION, version, pid: process.pid, ownsNetwork: backend.ownsNetwork() });
  }

  /** Changes and readings of the network never overlap. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(action);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  #answer(client: Client, message: HelperMessage): void {
    if (client.socket.destroyed) return;
    client.socket.write(`${JSON.stringify(message)}\n`);
    if (client.socket.writableLength > MAX_UNREAD_BYTES) client.socket.destroy();
  }

  #refuse(client: Client, error: HiggsError): void {
    if (client.socket.destroyed) return;
    client.socket.removeAllListeners("data");
    client.socket.end(`${JSON.stringify({ id: null, ok: false, error } satisfies HelperMessage)}\n`, () =>
      client.socket.destroy(),
    );
  }

  /** Starts the clock that ends it all, where nobody holds the network or nobody is there. */
  #watchForEnd(): void {
    if (this.#closed || this.#controller !== undefined) return;
    const { backend, clock, graceMs, stayWhenIdle, onDone } = this.#options;
    if (backend.ownsNetwork()) {
      this.#cancelTimer?.();
      this.#cancelTimer = clock.after(graceMs, () => {
        void this.#inTurn(async () => {
          if (this.#controller !== undefined || this.#closed) return;
          this.#options.log.write("grace-over");
          await backend.restore();
        }).then(() => this.#watchForEnd());
      });
      return;
    }
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (stayWhenIdle || this.#clients.size > 0) return;
    this.#cancelTimer = clock.after(IDLE_EXIT_MS, () => {
      void this.#inTurn(async () => {
        // An apply whose client left in the middle may have made changes since.
        if (this.#clients.size > 0 || backend.ownsNetwork()) this.#watchForEnd();
        else onDone();
      });
    });
  }

  /** Somebody came while we waited to exit with nothing to do. A grace time goes on: only an apply ends that. */
  #cancelIdle(): void {
    if (this.#options.backend.ownsNetwork()) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}

type Performed = {
  [V in HelperVerb]: { verb: V; params: import("zod").output<(typeof helperVerbs)[V]["params"]> };
}[HelperVerb];

function isVerb(verb: string): verb is HelperVerb {
  return Object.hasOwn(helperVerbs, verb);
}

function helloFirst(): HiggsError {
  return { code: "hello-first", message: "The first request must be hello." };
}

function sameSecret(given: string, wanted: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(wanted);
  return a.length === b.length && timingSafeEqual(a, b);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
