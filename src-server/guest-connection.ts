/**
 * A guest whose network lets no UDP through: its datagrams come over a WebSocket of its own, with one session.
 *
 *   connect ──▶ connecting ──▶ connected ──▶ closed
 */
import type { WebSocket } from "ws";
import { CLOSE_CODE, type GuestToServer, guestToServerSchema } from "../src-shared/relay/control.ts";
import { checkDatagrams, describeFrameFault, walkDatagrams } from "../src-shared/relay/frame.ts";
import { errorOf } from "../src-shared/result.ts";
import type { EdgeSession } from "./edge-session.ts";
import { Link, type LinkContext } from "./link.ts";
import type { NodeEdge } from "./node-edge.ts";
import type { Relay } from "./relay.ts";

/** The id of a guest's one session on its own link; what its node calls it is another matter. */
const GUEST_SESSION = 0;

export interface GuestContext extends LinkContext {
  readonly relay: Relay;
  hasRoomForGuest(): boolean;
}

type State =
  | { readonly at: "connect" }
  | { readonly at: "connecting" }
  | { readonly at: "connected"; readonly session: EdgeSession; readonly edge: NodeEdge }
  | { readonly at: "closed" };

export class GuestConnection {
  #context: GuestContext;
  #network: string;
  #link: Link<typeof guestToServerSchema>;
  #state: State = { at: "connect" };
  #onConnected: () => void;
  #onClosed: () => void;

  /** @param network what the guest's rates are counted under */
  constructor(
    socket: WebSocket,
    network: string,
    context: GuestContext,
    onConnected: () => void,
    onClosed: () => void,
  ) {
    this.#context = context;
    this.#network = network;
    this.#onConnected = onConnected;
    this.#onClosed = onClosed;
    this.#link = new Link(socket, guestToServerSchema, context, {
      onControl: (message) => this.#control(message),
      onDatagrams: (message) => this.#datagrams(message),
      onClosed: () => this.#ended(),
    });
  }

  drain(withinMs: number): void {
    this.#link.sendControl({ type: "drain", withinMs });
  }

  close(closeCode: number, reason: string): void {
    this.#link.close(closeCode, reason);
  }

  #control(message: GuestToServer): void {
    switch (message.type) {
      case "connect":
        if (this.#state.at !== "connect") break;
        this.#connect(message.target);
        return;
      case "error":
        this.#link.close(1000, "bye");
        return;
      case "ping":
      case "pong":
        return;
    }
    this.#link.protocolError("out-of-turn", `${message.type} came at the wrong time`);
  }

  #connect(target: { node: string } | { port: number }): void {
    if (!this.#context.hasRoomForGuest()) {
      this.#link.refuse("busy", CLOSE_CODE.busy, { code: "busy", message: "this server has as many guests as it may" });
      return;
    }
    this.#state = { at: "connecting" };
    const deliver = (payload: Uint8Array) => this.#link.sendDatagram(GUEST_SESSION, payload);
    const onClosed = (reason: string) => {
      if (this.#state.at !== "connected") return;
      this.#state = { at: "closed" };
      this.#link.sendControl({ type: "session-close", session: GUEST_SESSION, reason });
      this.#link.close(CLOSE_CODE.unknownNode, reason);
    };
    this.#context.relay.openGuest(target, this.#network, deliver, onClosed).then(
      (opened) => {
        if (!opened.ok) {
          const unknown = opened.error.code === "unknown-node";
          const closeCode = unknown ? CLOSE_CODE.unknownNode : CLOSE_CODE.busy;
          this.#link.refuse(unknown ? "unknown-node" : "busy", closeCode, opened.error);
          return;
        }
        const { session, edge } = opened.value;
        if (this.#link.closed) {
          edge.close(session, "guest-gone");
          return;
        }
        this.#state = { at: "connected", session, edge };
        this.#onConnected();
        const { heartbeatMs } = this.#context.config;
        this.#link.sendControl({ type: "connected", session: GUEST_SESSION, heartbeatMs });
        this.#link.startHeartbeat();
      },
      (error: unknown) => {
        this.#context.log.error("connect-failed", { message: errorOf(error).message });
        this.#link.refuse("busy", CLOSE_CODE.busy, { code: "internal", message: "the node could not be looked up" });
      },
    );
  }

  #datagrams(message: Buffer): void {
    const state = this.#state;
    if (state.at !== "connected") {
      this.#link.protocolError("out-of-turn", "datagrams came before the end of the handshake");
      return;
    }
    const fault = checkDatagrams(message);
    if (fault !== undefined) {
      this.#link.protocolError(fault, describeFrameFault(fault));
      return;
    }
    let wrongSession = false;
    walkDatagrams(message, (session, start, end) => {
      if (session === GUEST_SESSION) state.edge.receiveWebSocket(state.session, message.subarray(start, end));
      else wrongSession = true;
    });
    if (wrongSession) this.#link.protocolError("wrong-session", "a datagram names a session that is not this guest's");
  }

  #ended(): void {
    const state = this.#state;
    this.#state = { at: "closed" };
    if (state.at === "connected") state.edge.close(state.session, "guest-gone");
    this.#onClosed();
  }
}
