/**
 * The asking side of the contract, whatever carries the messages: the CLI's socket, the panel's
 * WebSocket, Electron's IPC. Answers and events are parsed by the contract: a node of another version
 * is noticed here and not deep in a view.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { describeZodError, fail, type HiggsError, ok, type Result } from "../result.ts";
import { type CallInput, type CallName, type CallOutput, callShapes, type EventName, eventShapes } from "./contract.ts";
import { type IpcMessage, type IpcRequest, ipcMessageSchema, SUBSCRIBE } from "./wire.ts";

/** Answers that need no work in the network come within milliseconds; a node that takes this long hangs. */
export const CALL_TIMEOUT_MS = 20_000;

/** Turning sharing on may wait for a person who types a password, and diagnose for many programs. */
export const LONG_CALL_TIMEOUT_MS = 5 * 60_000;

const LONG_CALLS: ReadonlySet<string> = new Set([
  "node.on",
  "node.off",
  "node.restoreNetwork",
  "diagnose.run",
  "diagnose.selfTest",
  "diagnose.trace",
  "diagnose.report",
  "health.check",
  "ports.refresh",
  "settings.set",
  "privacy.set",
  "privacy.purge",
]);

export type EventListener = (name: EventName, payload: unknown) => void;

export interface MessageClientOptions {
  readonly clock: Clock;
  /** Hands one message, JSON text without a newline, to whatever carries it. */
  readonly send: (text: string) => void;
}

interface Pending {
  readonly name: string;
  readonly settle: (result: Result<unknown>) => void;
  readonly cancelTimer: CancelTimer;
}

export class MessageClient {
  #options: MessageClientOptions;
  #pending = new Map<number, Pending>();
  #listeners = new Set<EventListener>();
  #nextId = 1;
  #closedBy: HiggsError | undefined;

  constructor(options: MessageClientOptions) {
    this.#options = options;
  }

  /** Calls the node. Every failure is a value: the node's own, `no-answer`, or what `close` was given. */
  async call<N extends CallName>(name: N, input: CallInput<N>): Promise<Result<CallOutput<N>>> {
    const answer = await this.#ask(name, input);
    if (!answer.ok) return answer;
    const parsed = callShapes.get(name)?.output.safeParse(answer.value);
    if (parsed?.success === true) return ok(parsed.data as CallOutput<N>);
    const what = parsed === undefined ? "no such call" : describeZodError(parsed.error);
    return fail("version-mismatch", `the node's answer to ${name} makes no sense here (${what})`, RESTART_HINT);
  }

  /** Adds a listener and asks for events; the present value of every revised state comes first. */
  async subscribe(listener: EventListener): Promise<Result<void>> {
    this.#listeners.add(listener);
    const answer = await this.#ask(SUBSCRIBE, undefined);
    if (!answer.ok) this.#listeners.delete(listener);
    return answer.ok ? ok(undefined) : answer;
  }

  /** Takes one message of the node. What is no message of the contract is ignored. */
  receive(text: string): void {
    const message = parseMessage(text);
    if (message === undefined) return;
    if ("event" in message) {
      const shape = eventShapes.get(message.event);
      const parsed = shape?.payload.safeParse(message.payload);
      if (parsed?.success !== true) return;
      for (const listener of [...this.#listeners]) listener(message.event as EventName, parsed.data);
      return;
    }
    if (message.id === null) {
      if (!message.ok) this.close(message.error);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    pending.cancelTimer();
    pending.settle(message.ok ? ok(message.output) : { ok: false, error: message.error });
  }

  /** Ends every call under way, and every later one, with `error`. Calling it again does nothing. */
  close(error: HiggsError): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = error;
    this.#listeners.clear();
    for (const pending of this.#pending.values()) {
      pending.cancelTimer();
      pending.settle({ ok: false, error });
    }
    this.#pending.clear();
  }

  #ask(name: string, input: unknown): Promise<Result<unknown>> {
    if (this.#closedBy !== undefined) return Promise.resolve({ ok: false, error: this.#closedBy });
    const id = this.#nextId++;
    return new Promise((settle) => {
      const timeoutMs = LONG_CALLS.has(name) ? LONG_CALL_TIMEOUT_MS : CALL_TIMEOUT_MS;
      const cancelTimer = this.#options.clock.after(timeoutMs, () => {
        this.#pending.delete(id);
        settle(fail("no-answer", `the node did not answer ${name} within ${timeoutMs / 1000} seconds`, RESTART_HINT));
      });
      this.#pending.set(id, { name, settle, cancelTimer });
      const request: IpcRequest = input === undefined ? { id, call: name } : { id, call: name, input };
      this.#options.send(JSON.stringify(request));
    });
  }
}

const RESTART_HINT = "Stop the node and start it again.";

function parseMessage(text: string): IpcMessage | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = ipcMessageSchema.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}
