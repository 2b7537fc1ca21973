/**
 * A guest's own connection to a relay, for networks that let no UDP through: one session, from dialling to its end.
 *
 *   dialling ──open──▶ asking ──connected──▶ connected ──▶ closed
 */
import type { WebSocket } from "ws";
import { type GuestToServer, type ServerToGuest, serverToGuestSchema } from "../../src-shared/relay/control.ts";
import { describeFrameFault, RELAY_PROTOCOL, walkDatagrams } from "../../src-shared/relay/frame.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { ClientLink, type LinkParts } from "./client-link.ts";

/** The node to reach: its id at the relay, or the UDP port that guests' configurations name. */
export type RelayTarget = Extract<GuestToServer, { type: "connect" }>["target"];

export interface GuestRelayHandler {
  onConnected(): void;
  /** `payload` is a view that is valid during the call. */
  onDatagram(payload: Uint8Array): void;
  /** Called once, whoever ended it. */
  onClosed(error: HiggsError): void;
}

export interface GuestRelayOptions extends LinkParts {
  /** A WebSocket that is being opened, as a Dialer gives it. */
  readonly socket: WebSocket;
  readonly target: RelayTarget;
  readonly agent: string;
}

export class GuestRelay {
  readonly #handler: GuestRelayHandler;
  readonly #link: ClientLink<typeof serverToGuestSchema>;
  /** The id the relay gave our one session; undefined until then. */
  #session: number | undefined;

  constructor(options: GuestRelayOptions, handler: GuestRelayHandler) {
    this.#handler = handler;
    this.#link = new ClientLink(options.socket, serverToGuestSchema, options, {
      onOpen: () =>
        this.#link.sendControl({
          type: "connect",
          protocol: RELAY_PROTOCOL,
          target: options.target,
          agent: options.agent,
        }),
      onControl: (message) => this.#control(message),
      onDatagrams: (message) => this.handleBatch(message),
      onClosed: (error) => {
        this.#session = undefined;
        handler.onClosed(error);
      },
    });
  }

  /** Dropped until the relay has connected us. */
  sendData(payload: Uint8Array): void {
    if (this.#session !== undefined) this.#link.sendData(this.#session, payload);
  }

  /** Hands on every datagram of a type 1 message; one that is malformed or of another session ends the connection. */
  handleBatch(message: Uint8Array): void {
    let isOurs = true;
    const fault = walkDatagrams(message, (session, start, end) => {
      if (session === this.#session) this.#handler.onDatagram(message.subarray(start, end));
      else isOurs = false;
    });
    if (fault !== undefined) this.#link.protocolError(describeFrameFault(fault));
    else if (!isOurs) this.#link.protocolError("a datagram is of a session that is not ours");
  }

  /** Idempotent. */
  close(): void {
    this.#link.close();
  }

  #control(message: ServerToGuest): void {
    switch (message.type) {
      case "connected":
        if (this.#session !== undefined) return void this.#link.protocolError("connected came twice");
        this.#session = message.session;
        this.#link.startHeartbeat(message.heartbeatMs);
        this.#handler.onConnected();
        return;
      case "session-close":
        this.#link.close(1000, {
          code: "relay-node-left",
          message: "The node is not connected to the relay any more.",
        });
        return;
      case "drain":
        // Nothing waits here that another connection would not carry as well.
        this.#link.close(1000, { code: "relay-restarts", message: "The relay is being restarted." });
        return;
      case "ping":
      case "pong":
      case "error":
        return;
    }
  }
}
