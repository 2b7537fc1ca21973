/**
 * The node's connection to one relay, from dialling to its end. What outlives it (sessions, reconnecting) is
 * not its business.
 *
 *   dialling ──open──▶ greeted ──challenge──▶ authenticating ──registered──▶ registered ──▶ closed
 *                                                      └───observed, for a probe alone──▶ observed ──▲
 *
 * Anything out of turn, and any server that goes by another name than the one dialled, ends it.
 */
import { randomBytes } from "node:crypto";
import type { WebSocket } from "ws";
import { normaliseHost } from "../../src-shared/net/relay-url.ts";
import {
  authTranscript,
  MAX_RESTORED_AT_ONCE,
  type Observed,
  type Registered,
  type SealedSession,
  type ServerToNode,
  serverToNodeSchema,
} from "../../src-shared/relay/control.ts";
import { describeFrameFault, RELAY_PROTOCOL, walkDatagrams } from "../../src-shared/relay/frame.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { ProbeExchange, type ProbeQuestion } from "../reachability/probe-exchange.ts";
import { ClientLink, type LinkParts } from "./client-link.ts";
import type { RelayIdentity } from "./relay-identity.ts";

const NONCE_BYTES = 32;
/** A visit is over before the third; a relay that has vanished meanwhile is noticed. */
const VISIT_HEARTBEAT_MS = 5_000;

export interface RelayHandler {
  /** In the place of `onRegistered` where the purpose is a probe. */
  onObserved?(observed: Observed): void;
  onRegistered(registered: Registered): void;
  onSessionOpen(session: number): void;
  /** A guest's address that the relay wants kept, in the place of the session's earlier one. */
  onSessionSeal(session: number, seal: string): void;
  onSessionClose(session: number): void;
  /** `payload` is a view that is valid during the call. */
  onDatagram(session: number, payload: Uint8Array): void;
  onDrain(withinMs: number): void;
  /** Called once, whoever ended it. */
  onClosed(error: HiggsError, closeCode: number | undefined): void;
}

export interface RelayOptions extends LinkParts {
  /** A WebSocket that is being opened, as a Dialer gives it. */
  readonly socket: WebSocket;
  /** The host that was dialled. */
  readonly host: string;
  readonly identity: RelayIdentity;
  /** `resume` of an earlier registration, to get its sessions back. */
  readonly resume: string | undefined;
  /** Only to be probed at the address that this connection comes from: nothing is registered, nothing relayed. */
  readonly purpose?: "probe";
  /** Program and version, for the relay's operator. */
  readonly agent: string;
}

type State =
  | { readonly at: "dialling" }
  | { readonly at: "greeted"; readonly nonce: string }
  | { readonly at: "authenticating" }
  | { readonly at: "registered" }
  | { readonly at: "observed" }
  | { readonly at: "closed" };

export class WebSocketRelay {
  readonly #options: RelayOptions;
  readonly #handler: RelayHandler;
  readonly #link: ClientLink<typeof serverToNodeSchema>;
  readonly #probes: ProbeExchange;
  #state: State = { at: "dialling" };

  constructor(options: RelayOptions, handler: RelayHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#probes = new ProbeExchange(options.clock, (request) => this.#link.sendControl(request));
    this.#link = new ClientLink(options.socket, serverToNodeSchema, options, {
      onOpen: () => this.#greet(),
      onControl: (message) => this.#control(message),
      onDatagrams: (message) => this.handleBatch(message),
      onClosed: (error, closeCode) => {
        this.#state = { at: "closed" };
        this.#probes.close();
        handler.onClosed(error, closeCode);
      },
    });
  }

  get rttMs(): number | null {
    return this.#link.rttMs;
  }

  /** Datagrams given up on the way to the relay. */
  get dropped(): number {
    return this.#link.dropped;
  }

  /** Sends or queues one datagram of a session; the oldest waiting one goes where the queue is full. */
  sendData(session: number, payload: Uint8Array): void {
    if (this.#state.at === "registered") this.#link.sendData(session, payload);
  }

  /** Asks for a handshake from outside. Call it after `onRegistered` or `onObserved`. Errors: `probe-timeout`, `relay-not-connected`. */
  probe(question: ProbeQuestion) {
    return this.#probes.ask(question);
  }

  /** Sends the batch that is being gathered without waiting for more. */
  flushBatch(): void {
    this.#link.flushBatch();
  }

  /** Asks a relay that was restarted for sessions it has forgotten; those it does not open again it closes. */
  restore(sessions: readonly SealedSession[]): void {
    if (this.#state.at !== "registered") return;
    for (let at = 0; at < sessions.length; at += MAX_RESTORED_AT_ONCE) {
      this.#link.sendControl({ type: "restore", sessions: sessions.slice(at, at + MAX_RESTORED_AT_ONCE) });
    }
  }

  /** Tells the relay that a session is over at this end. */
  sendControl(message: { readonly type: "session-close"; readonly session: number; readonly reason: string }): void {
    if (this.#state.at !== "registered") return;
    this.#link.forgetSession(message.session);
    this.#link.sendControl(message);
  }

  /** Hands on every datagram of a type 1 message, or of a malformed one none, and ends the connection. */
  handleBatch(message: Uint8Array): void {
    if (this.#state.at !== "registered")
      return void this.#link.protocolError("datagrams came before the handshake's end");
    const fault = walkDatagrams(message, (session, start, end) =>
      this.#handler.onDatagram(session, message.subarray(start, end)),
    );
    if (fault !== undefined) this.#link.protocolError(describeFrameFault(fault));
  }

  /** Ends a connection whose own address is none of the machine's `addresses` any more; unknown ones are kept. */
  leaveIfStranded(addresses: ReadonlySet<string>): void {
    const { localAddress } = this.#link;
    if (localAddress === undefined || addresses.has(localAddress)) return;
    this.#link.abandon({
      code: "relay-address-gone",
      message: "This computer has left the network over which the relay was connected.",
    });
  }

  /** What is still in the batch leaves first. Idempotent. */
  close(): void {
    this.#link.close();
  }

  #greet(): void {
    const { identity, resume, agent, purpose } = this.#options;
    const nonce = randomBytes(NONCE_BYTES).toString("base64url");
    this.#state = { at: "greeted", nonce };
    const hello = { type: "hello", protocol: RELAY_PROTOCOL, node: identity.id, nonce, agent } as const;
    this.#link.sendControl({
      ...hello,
      ...(resume === undefined ? {} : { resume }),
      ...(purpose === undefined ? {} : { purpose }),
    });
  }

  #control(message: ServerToNode): void {
    const state = this.#state;
    switch (message.type) {
      case "challenge":
        if (state.at !== "greeted") break;
        this.#answer(message, state.nonce);
        return;
      case "registered":
        if (state.at !== "authenticating" || this.#options.purpose !== undefined) break;
        this.#state = { at: "registered" };
        this.#link.startHeartbeat(message.heartbeatMs);
        this.#handler.onRegistered(message);
        return;
      case "observed":
        if (state.at !== "authenticating" || this.#options.purpose !== "probe") break;
        this.#state = { at: "observed" };
        this.#link.startHeartbeat(VISIT_HEARTBEAT_MS);
        this.#handler.onObserved?.(message);
        return;
      case "session-open":
        if (state.at !== "registered") break;
        this.#handler.onSessionOpen(message.session);
        return;
      case "session-seal":
        if (state.at !== "registered") break;
        this.#handler.onSessionSeal(message.session, message.seal);
        return;
      case "session-close":
        if (state.at !== "registered") break;
        this.#link.forgetSession(message.session);
        this.#handler.onSessionClose(message.session);
        return;
      case "probe-result":
        if (state.at !== "registered" && state.at !== "observed") break;
        this.#probes.answer(message);
        return;
      case "drain":
        if (state.at !== "registered") break;
        this.#handler.onDrain(message.withinMs);
        return;
      case "ping":
      case "pong":
      case "error":
        return;
    }
    this.#link.protocolError(`${message.type} came at the wrong time`);
  }

  /** Signs for the host that was dialled only: another relay's challenge, passed on, is worth nothing. */
  #answer(challenge: { readonly server: string; readonly nonce: string }, nodeNonce: string): void {
    const { identity, host } = this.#options;
    if (normaliseHost(challenge.server) !== normaliseHost(host)) {
      this.#link.close(1000, {
        code: "relay-other-name",
        message: "The relay goes by another name than the one that was dialled.",
        hint: "Name the relay as its operator does (the operator sets serverName).",
      });
      return;
    }
    this.#state = { at: "authenticating" };
    const transcript = authTranscript({
      server: challenge.server,
      serverNonce: challenge.nonce,
      nodeNonce,
      node: identity.id,
    });
    this.#link.sendControl({ type: "auth", signature: identity.sign(transcript) });
  }
}
