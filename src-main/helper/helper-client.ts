/**
 * One connection to the helper: requests by id, answers parsed, each with a deadline. It distrusts the
 * helper as much as the helper distrusts it: sizes are capped, shapes checked.
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Clock } from "../../src-shared/clock.ts";
import type { ConnectionsEvent } from "../../src-shared/helper/connections.ts";
import {
  HELPER_PROTOCOL_VERSION,
  type HelperParams,
  type HelperResult,
  type HelperVerb,
  helperMessageSchema,
  helperVerbs,
  MAX_HELPER_MESSAGE_BYTES,
  type NetworkChange,
} from "../../src-shared/helper/protocol.ts";
import { LineSplitter } from "../../src-shared/line-splitter.ts";
import { fail, type HiggsError, type Result } from "../../src-shared/result.ts";
import type { HelperEndpoint } from "./helper-paths.ts";

/** A full apply on a slow machine takes a second or two; the helper's own program calls end after 10 s each. */
const ANSWER_WITHIN_MS = 60_000;

/** A greeting takes milliseconds; whoever says nothing for so long is no helper. */
const HELLO_WITHIN_MS = 5_000;

interface Pending {
  settle(result: Result<unknown>): void;
}

export class HelperClient {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  readonly #closeListeners = new Set<() => void>();
  readonly #changeListeners = new Set<(change: NetworkChange) => void>();
  readonly #connectionListeners = new Set<(event: ConnectionsEvent) => void>();
  #nextId = 1;
  #closed = false;
  #hello: HelperResult<"hello"> | undefined;

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    const lines = new LineSplitter(MAX_HELPER_MESSAGE_BYTES);
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      try {
        for (const line of lines.push(chunk)) this.#receive(line);
      } catch {
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#ended());
  }

  /** Connects and introduces itself. `helper-absent` where nobody listens. */
  static async connect(endpoint: HelperEndpoint, clock: Clock): Promise<Result<HelperClient>> {
    let token: string;
    try {
      token = readFileSync(endpoint.tokenPath, "utf8").trim();
    } catch {
      return helperAbsent();
    }
    const socket = await open(endpoint.socketPath);
    if (socket === undefined) return helperAbsent();
    const client = new HelperClient(socket, clock);
    const hello = await client.call("hello", { protocol: HELPER_PROTOCOL_VERSION, token }, HELLO_WITHIN_MS);
    if (!hello.ok) {
      client.close();
      return hello;
    }
    client.#hello = hello.value;
    return { ok: true, value: client };
  }

  /** What the helper said of itself when this connection began. */
  get helper(): HelperResult<"hello"> {
    if (this.#hello === undefined) throw new Error("the helper has not answered yet");
    return this.#hello;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async call<V extends HelperVerb>(
    verb: V,
    params: HelperParams<V>,
    timeoutMs = ANSWER_WITHIN_MS,
  ): Promise<Result<HelperResult<V>>> {
    if (this.#closed) return helperLost();
    const id = this.#nextId++;
    const answer = await new Promise<Result<unknown>>((resolve) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        this.#pending.delete(id);
        resolve(fail("helper-timeout", `The helper did not answer ${verb} in time.`, "Restart HiggsNode."));
      });
      this.#pending.set(id, {
        settle: (result) => {
          cancel();
          this.#pending.delete(id);
          resolve(result);
        },
      });
      this.#socket.write(`${JSON.stringify({ id, verb, params })}\n`);
    });
    if (!answer.ok) return answer;
    const parsed = helperVerbs[verb].result.safeParse(answer.value);
    if (!parsed.success) return fail("helper-nonsense", `The helper's answer to ${verb} could not be read.`);
    return { ok: true, value: parsed.data as HelperResult<V> };
  }

  /** Called once when the connection is gone, whoever ended it. */
  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closeListeners.add(listener);
  }

  /** Events of the topics subscribed to. */
  onNetworkChange(listener: (change: NetworkChange) => void): void {
    this.#changeListeners.add(listener);
  }

  onConnections(listener: (event: ConnectionsEvent) => void): void {
    this.#connectionListeners.add(listener);
  }

  close(): void {
    this.#socket.destroy();
    this.#ended();
  }

  #receive(line: string): void {
    const message = helperMessageSchema.safeParse(parseJson(line));
    if (!message.success) return;
    const { data } = message;
    if ("event" in data) {
      const { event } = data;
      if (event.topic === "connections") for (const listener of this.#connectionListeners) listener(event);
      else for (const listener of this.#changeListeners) listener(event);
    } else if (data.id === null) {
      // A refusal without id ends the connection and with it everything asked on it.
      const refusal = data.ok ? helperLost() : failureOf(data.error);
      for (const pending of [...this.#pending.values()]) pending.settle(refusal);
    } else {
      this.#pending.get(data.id)?.settle(data.ok ? { ok: true, value: data.result } : failureOf(data.error));
    }
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of [...this.#pending.values()]) pending.settle(helperLost());
    for (const listener of this.#closeListeners) listener();
    this.#closeListeners.clear();
    this.#changeListeners.clear();
    this.#connectionListeners.clear();
  }
}

function failureOf(error: HiggsError): Result<never> {
  return { ok: false, error };
}

function helperAbsent() {
  return fail("helper-absent", "The privileged helper is not running.");
}

function helperLost() {
  return fail("helper-lost", "The privileged helper ended unexpectedly.", "It is started again by itself.");
}

function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", () => resolve(undefined));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
