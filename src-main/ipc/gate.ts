/**
 * The one gate into the node. Every call, from the control socket, the panel's WebSocket or the
 * desktop window, passes here: its shape is checked, its name looked up in the contract, its input
 * parsed, its failure turned into a `HiggsError`. Whatever carries the messages only moves text.
 */
import { type CallName, callShapes, type EventName } from "../../src-shared/ipc/contract.ts";
import {
  type IpcMessage,
  ipcRequestSchema,
  MAX_CALL_CHARACTERS,
  MAX_CALLS_IN_FLIGHT,
  SUBSCRIBE,
} from "../../src-shared/ipc/wire.ts";
import { describeZodError, errorOf, fail, HiggsFailure } from "../../src-shared/result.ts";
import { type ClientsState, clientsEvent } from "./clients-event.ts";
import type { NodeApi, NodeEvent } from "./node-api.ts";

/** From here on revised events wait, the latest of each kind only: about one list of a thousand clients. */
export const SLOW_READER_BYTES = 256 * 1024;

/** A caller that lets this much pile up does not read; it is dropped before it costs more memory. */
export const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/** Events that carry no state cannot be merged; a reader this far behind is dropped. */
export const MAX_WAITING_EVENTS = 512;

/** What carries the messages of one connection. */
export interface GateTransport {
  /** Queues one JSON document, without a newline. */
  send(text: string): void;
  /** Bytes queued and not yet taken by the other side. */
  backlogBytes(): number;
  /** Ends the connection after what is queued has been sent. */
  end(): void;
  /** Ends the connection at once. */
  drop(): void;
}

export interface GateOptions {
  readonly api: NodeApi;
  readonly transport: GateTransport;
  /** Told once of each failure that is nobody's expected error, with the thrown value. */
  readonly onUnexpected: (call: string, thrown: unknown) => void;
  /** Told of each message that was refused for what it is, not for what it asks: nothing a program of ours sends. */
  readonly onRefused?: (code: string) => void;
  /** Parse what handlers return as well: for tests, where a wrong answer must not go unnoticed. */
  readonly checkOutput?: boolean;
}

type Handler = (input: unknown, context: { signal: AbortSignal }) => Promise<unknown>;

export class GateConnection {
  #options: GateOptions;
  #gone = new AbortController();
  #inFlight = 0;
  #unsubscribe: (() => void) | undefined;
  /** Events held back from a slow reader; a revised one replaces its predecessor. */
  #waiting: NodeEvent[] = [];
  /** The list of clients that the other side has once it has read everything. */
  #clients: ClientsState | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Takes one message as text. Answers through the transport; never throws. */
  receive(text: string): void {
    if (this.#gone.signal.aborted) return;
    if (text.length > MAX_CALL_CHARACTERS) {
      this.refuse("call-too-large", `a call is longer than ${MAX_CALL_CHARACTERS} characters`);
      return;
    }
    let request: unknown;
    try {
      request = JSON.parse(text);
    } catch {
      this.#refuse(null, "bad-request", "the message is not JSON");
      return;
    }
    this.#dispatch(request);
  }

  /** Says why, then ends the connection: for framing errors, behind which nothing can be trusted. */
  refuse(code: string, message: string): void {
    this.#refuse(null, code, message);
    this.close();
    this.#options.transport.end();
  }

  /** The transport calls this whenever the other side has taken something. */
  drained(): void {
    while (this.#waiting.length > 0 && this.#options.transport.backlogBytes() < SLOW_READER_BYTES) {
      const next = this.#waiting.shift();
      if (next !== undefined) this.#sendEvent(next);
    }
  }

  /** The caller has gone: its calls are told so, events stop. Idempotent. */
  close(): void {
    this.#gone.abort();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#waiting = [];
    this.#clients = undefined;
  }

  #dispatch(json: unknown): void {
    const request = ipcRequestSchema.safeParse(json);
    if (!request.success) {
      this.#refuse(idOf(json), "bad-request", `not a call: ${describeZodError(request.error)}`);
      return;
    }
    const { id, call, input } = request.data;
    if (call === SUBSCRIBE) {
      this.#subscribe(id);
      return;
    }
    const shape = callShapes.get(call);
    if (shape === undefined) {
      this.#refuse(id, "unknown-call", `there is no call "${call}"`);
      return;
    }
    if (this.#inFlight >= MAX_CALLS_IN_FLIGHT) {
      this.#refuse(id, "too-many-calls", `more than ${MAX_CALLS_IN_FLIGHT} calls at once`);
      return;
    }
    const parsed = shape.input.safeParse(input ?? {});
    if (!parsed.success) {
      this.#answerError(id, fail("bad-input", describeZodError(parsed.error)));
      return;
    }
    void this.#run(id, call as CallName, parsed.data);
  }

  async #run(id: number, call: CallName, input: unknown): Promise<void> {
    this.#inFlight++;
    try {
      // The name was found in the contract and the input parsed by it: the handler's own type is a subtype of this.
      const handler = this.#options.api.handlers[call] as Handler;
      const output = await handler(input, { signal: this.#gone.signal });
      this.#send({ id, ok: true, output: this.#options.checkOutput === true ? checked(call, output) : output });
    } catch (thrown) {
      if (!(thrown instanceof HiggsFailure)) this.#options.onUnexpected(call, thrown);
      this.#answerError(id, { ok: false, error: errorOf(thrown) });
    } finally {
      this.#inFlight--;
    }
  }

  #subscribe(id: number): void {
    this.#unsubscribe ??= this.#options.api.onEvent((name, payload) => this.#event(name, payload));
    this.#send({ id, ok: true, output: {} });
    // Whoever asks anew may have lost what it was sent before: it gets the list whole again.
    this.#clients = undefined;
    for (const { name, payload } of this.#options.api.current()) this.#event(name, payload);
  }

  #event(name: EventName, payload: unknown): void {
    if (this.#gone.signal.aborted) return;
    if (this.#waiting.length === 0 && this.#options.transport.backlogBytes() < SLOW_READER_BYTES) {
      this.#sendEvent({ name, payload });
      return;
    }
    if (isRevised(payload)) this.#waiting = this.#waiting.filter((event) => event.name !== name);
    this.#waiting.push({ name, payload });
    if (this.#waiting.length > MAX_WAITING_EVENTS) this.#drop();
  }

  #sendEvent(event: NodeEvent): void {
    const { name, payload } = event.name === "clients.changed" ? this.#clientsEvent(event) : event;
    this.#send({ event: name, payload });
  }

  #clientsEvent({ payload }: NodeEvent): NodeEvent {
    // The node's own event, whose payload is the contract's.
    const now = payload as ClientsState;
    const event = clientsEvent(this.#clients, now);
    this.#clients = now;
    return event;
  }

  /** Answers what no program of ours sends, and tells of it. */
  #refuse(id: number | null, code: string, message: string): void {
    this.#answerError(id, fail(code, message));
    this.#options.onRefused?.(code);
  }

  #answerError(
    id: number | null,
    failure: { ok: false; error: { code: string; message: string; hint?: string | undefined } },
  ): void {
    this.#send({ id, ok: false, error: failure.error });
  }

  #send(message: IpcMessage): void {
    if (this.#gone.signal.aborted) return;
    this.#options.transport.send(JSON.stringify(message));
    if (this.#options.transport.backlogBytes() > MAX_BACKLOG_BYTES) this.#drop();
  }

  #drop(): void {
    this.close();
    this.#options.transport.drop();
  }
}

function checked(call: CallName, output: unknown): unknown {
  const parsed = callShapes.get(call)?.output.safeParse(output);
  if (parsed?.success === true) return output;
  throw new TypeError(`${call} returned what the contract forbids: ${parsed ? describeZodError(parsed.error) : "?"}`);
}

function isRevised(payload: unknown): boolean {
  return typeof payload === "object" && payload !== null && "revision" in payload;
}

/** The id of a message that is otherwise no call, so that whoever sent it can tell which one it was. */
function idOf(json: unknown): number | null {
  if (typeof json !== "object" || json === null || !("id" in json)) return null;
  return typeof json.id === "number" && Number.isSafeInteger(json.id) ? json.id : null;
}
