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
import { AtOnce } from "./at-once.ts";
import type { NetworkBackend } from "./backend.ts";
import { performDiagnostic } from "./diagnostics.ts";
import type { HelperLog } from "./log.ts";

/** The app, a command line, a diagnosis, and some room. */
const MAX_CONNECTIONS = 16;

/** Whoever connects has his hello ready; a second is generous on a loaded machine. */
const HELLO_WITHIN_MS = 2_000;

/** Requests of one connection that may wait: the node has one or two under way. */
const MAX_WAITING = 32;

/**
 * Of what waits for other machines, and so not for its turn, this much at once, of all clients together: each starts programs of
 * root's, a dozen at most. A diagnosis asks for four or five.
 */
const MAX_BESIDE = 6;

/** What a client that does not read may pile up in our memory before it is closed. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** Some thousand connections: with more waiting to be read, no more are taken from the kernel. */
const MAX_WAITING_CONNECTION_BYTES = 512 * 1024;

/** With nothing applied and nobody connected there is nothing to wait for. */
const IDLE_EXIT_MS = 5_000;

/** Whoever was refused has this long to read why. */
const REFUSAL_READ_WITHIN_MS = 2_000;

/** A refusal may quote the client's own words; more of them than this tells nobody anything. */
const MAX_REASON_CHARACTERS = 300;

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
  /** Asked for a temporary guest, which goes with its connection. */
  hasTestGuest: boolean;
  waiting: number;
  unsubscribe: (() => void) | undefined;
  unsubscribeConnections: (() => void) | undefined;
  /** Closes who does not introduce himself, or does not read why he was refused. */
  cancelDeadline: CancelTimer;
}

export class HelperServer {
  readonly #options: HelperServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #controller: Client | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #beside = new AtOnce(MAX_BESIDE);
  #cancelGrace: CancelTimer | undefined;
  #cancelIdle: CancelTimer | undefined;
  #ending = false;
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
    this.#stopWaiting();
    for (const client of [...this.#clients]) {
      client.socket.destroy();
      // The sockets' own close events may come after the server's.
      this.#left(client);
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#queue;
  }

  /** Restores after everything that is under way; from now on every apply is refused. */
  restoreForGood(): Promise<HelperResult<"restore">> {
    this.#ending = true;
    return this.#inTurn(() => this.#options.backend.restore());
  }

  #accept(socket: Socket): void {
    const client: Client = {
      socket,
      known: false,
      hasTestGuest: false,
      waiting: 0,
      unsubscribe: undefined,
      unsubscribeConnections: undefined,
      cancelDeadline: this.#options.clock.after(HELLO_WITHIN_MS, () => socket.destroy()),
    };
    this.#clients.add(client);
    const lines = new LineSplitter(MAX_HELLO_BYTES);
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      // What a refused client still sends is read and forgotten, so that it comes to reading our answer.
      if (socket.writableEnded) return;
      try {
        for (const line of lines.push(chunk)) {
          // Nobody is heard after he was refused.
          if (socket.writableEnded || socket.destroyed) return;
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
    client.cancelDeadline();
    client.unsubscribe?.();
    client.unsubscribeConnections?.();
    this.#clients.delete(client);
    if (this.#controller === client) this.#controller = undefined;
    const { diagnostics } = this.#options.backend;
    if (client.hasTestGuest && diagnostics !== undefined) {
      this.#inTurn(() => diagnostics.closeTestGuest()).catch((thrown: unknown) => this.#noteFailure(thrown));
    }
    this.#watchForEnd();
  }

  async #receive(client: Client, line: string): Promise<void> {
    try {
      await this.#handle(client, line);
    } catch (thrown) {
      const error = errorOf(thrown);
      this.#options.log.write("internal-error", { message: error.message.slice(0, MAX_REASON_CHARACTERS) });
      this.#refuse(client, error);
    }
  }

  async #handle(client: Client, line: string): Promise<void> {
    const message = helperRequestSchema.safeParse(parseJson(line));
    if (!message.success) return this.#refuse(client, { code: "bad-message", message: "This is no helper request." });
    const { id, verb, params } = message.data;
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
        message: `${verb} was refused: ${describeZodError(parsed.error).slice(0, MAX_REASON_CHARACTERS)}.`,
      };
      if (!client.known) return this.#refuse(client, error);
      return this.#answer(client, { id, ok: false, error });
    }
    const request = { verb, params: parsed.data } as Performed;
    // At once, not in its turn: what follows in the same packet must find the client known, or refused.
    if (request.verb === "hello") return this.#greet(client, id, request.params);
    if (!client.known) return this.#refuse(client, helloFirst());
    if (client.waiting >= MAX_WAITING) {
      return this.#answer(client, {
        id,
        ok: false,
        error: { code: "too-many-requests", message: "Too many requests wait." },
      });
    }
    client.waiting++;
    try {
      const result = await this.#perform(client, request);
      if (result.ok) this.#answer(client, { id, ok: true, result: result.value });
      else this.#answer(client, { id, ok: false, error: result.error });
    } catch (thrown) {
      const error = errorOf(thrown);
      this.#options.log.write("internal-error", { verb, message: error.message.slice(0, MAX_REASON_CHARACTERS) });
      this.#answer(client, { id, ok: false, error });
    } finally {
      client.waiting--;
    }
  }

  async #perform(client: Client, request: Exclude<Performed, { verb: "hello" }>): Promise<Result<unknown>> {
    const { backend, log } = this.#options;
    switch (request.verb) {
      case "capabilities":
        return ok(await this.#inTurn(() => backend.capabilities()));
      case "observe":
        return ok(await this.#inTurn(() => backend.observe()));
      case "observe-peers":
        return ok(await this.#inTurn(() => backend.observePeers()));
      case "observe-limit":
        return ok(await this.#inTurn(() => backend.observeLimit(request.params.classId)));
      case "trace":
        return this.#besides(client, async () => ok((await backend.trace?.(request.params)) ?? []));
      case "inspect-firewall":
        return ok(await this.#inTurn(() => backend.inspectFirewall()));
      case "open-test-guest":
        // It is one of the controller's guests: nobody else could let it in.
        if (this.#controller !== client)
          return fail("not-sharing", "This node does not share.", "Turn it on: higgsnode on");
        client.hasTestGuest = true;
        return performDiagnostic(backend.diagnostics, request, (action) => this.#inTurn(action));
      case "look-up-route":
      case "path-mtu":
      case "ask-test-guest":
        return this.#besides(client, () =>
          performDiagnostic(backend.diagnostics, request, (action) => this.#inTurn(action)),
        );
      case "read-firewall":
      case "close-test-guest":
        return performDiagnostic(backend.diagnostics, request, (action) => this.#inTurn(action));
      case "greet":
        await this.#inTurn(async () => backend.greet?.());
        return ok({});
      case "apply":
        return this.#inTurn(async () => {
          if (this.#ending) return fail("helper-ending", "The helper is ending.", "Try again in a moment.");
          if (this.#controller !== undefined && this.#controller !== client) {
            return fail("helper-busy", "Another running node controls the network.", "Stop the other node first.");
          }
          // Whoever left while his request waited has nobody to hold the network for.
          if (client.socket.destroyed) return fail("client-gone", "The client has gone.");
          this.#controller = client;
          this.#stopWaiting();
          try {
            const applied = await backend.apply(request.params.spec);
            log.write(
              "apply",
              applied.ok ? { ok: true, changed: applied.value.changed } : { ok: false, code: applied.error.code },
            );
            return applied;
          } finally {
            // Who left meanwhile, or got nothing, holds nothing.
            if (!this.#clients.has(client) || !backend.ownsNetwork()) this.#controller = undefined;
            this.#watchForEnd();
          }
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
        if (request.params.topics.includes("network-change")) {
          client.unsubscribe ??= backend.watch((kinds) =>
            this.#answer(client, { event: { topic: "network-change", kinds } }),
          );
        } else {
          client.unsubscribe?.();
          client.unsubscribe = undefined;
        }
        if (request.params.topics.includes("connections")) {
          client.unsubscribeConnections ??= backend.watchConnections({
            onEvent: (event) => this.#answer(client, { event }),
            isBehind: () => client.socket.writableLength > MAX_WAITING_CONNECTION_BYTES,
          });
        } else {
          client.unsubscribeConnections?.();
          client.unsubscribeConnections = undefined;
        }
        return ok({});
    }
  }

  #greet(client: Client, id: number, params: { protocol: number; token: string }): void {
    const result = this.#hello(client, params);
    if (result.ok) this.#answer(client, { id, ok: true, result: result.value });
    else if (client.known) this.#answer(client, { id, ok: false, error: result.error });
    else this.#refuse(client, result.error);
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
    client.cancelDeadline();
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
    return ok({ protocol: HELPER_PROTOCOL_VERSION, version, pid: process.pid, ownsNetwork: backend.ownsNetwork() });
  }

  /** Changes and readings of the network never overlap. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(action);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** What waits for other machines: applying must not wait for it. */
  #besides(client: Client, action: () => Promise<Result<unknown>>): Promise<Result<unknown>> {
    return this.#beside.run(async () =>
      client.socket.destroyed ? fail("client-gone", "The client has gone.") : action(),
    );
  }

  #noteFailure(thrown: unknown): void {
    this.#options.log.write("internal-error", { message: errorOf(thrown).message.slice(0, MAX_REASON_CHARACTERS) });
  }

  #answer(client: Client, message: HelperMessage): void {
    if (client.socket.destroyed || client.socket.writableEnded) return;
    client.socket.write(`${JSON.stringify(message)}\n`);
    if (client.socket.writableLength > MAX_UNREAD_BYTES) client.socket.destroy();
  }

  #refuse(client: Client, error: HiggsError): void {
    if (client.socket.destroyed || client.socket.writableEnded) return;
    client.cancelDeadline();
    client.cancelDeadline = this.#options.clock.after(REFUSAL_READ_WITHIN_MS, () => client.socket.destroy());
    client.socket.end(`${JSON.stringify({ id: null, ok: false, error } satisfies HelperMessage)}\n`);
  }

  /**
   * Starts the clock that ends it all, where nobody holds the network or nobody is there. A grace time that
   * runs already goes on: whoever comes only to look must not be able to prolong it.
   */
  #watchForEnd(): void {
    if (this.#closed || this.#controller !== undefined) return;
    const { backend, clock, graceMs, stayWhenIdle } = this.#options;
    if (backend.ownsNetwork()) {
      this.#cancelGrace ??= clock.after(graceMs, () => void this.#inTurn(() => this.#graceOver()));
      return;
    }
    this.#stopWaiting();
    if (stayWhenIdle || this.#clients.size > 0) return;
    this.#cancelIdle = clock.after(IDLE_EXIT_MS, () => void this.#inTurn(async () => this.#idleOver()));
  }

  async #graceOver(): Promise<void> {
    this.#cancelGrace = undefined;
    if (this.#controller !== undefined || this.#closed) return;
    const { backend, log } = this.#options;
    log.write("grace-over");
    try {
      await backend.restore();
    } catch (thrown) {
      this.#noteFailure(thrown);
    }
    // What could not be undone is tried again after another grace time.
    this.#watchForEnd();
  }

  #idleOver(): void {
    this.#cancelIdle = undefined;
    // An apply whose client left in the middle may have made changes since.
    if (this.#clients.size > 0 || this.#options.backend.ownsNetwork()) this.#watchForEnd();
    else this.#options.onDone();
  }

  #stopWaiting(): void {
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
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
