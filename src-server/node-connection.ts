/**
 * A node's WebSocket, from its first message to its last:
 *
 *   hello ──▶ challenge ──auth──▶ registering ──▶ registered ──▶ closed
 *                           └───▶ visiting, for a probe alone ──────▲
 *
 * Anything out of turn closes the connection.
 */
import type { WebSocket } from "ws";
import { parseAddress } from "../src-shared/net/address.ts";
import type { Endpoint } from "../src-shared/net/endpoint.ts";
import {
  CLOSE_CODE,
  type NodeToServer,
  nodeToServerSchema,
  PROBE_VISITS_FEATURE,
  type ProbeOutcome,
  type ProbeRequest,
  SEALS_FEATURE,
  type SealedSession,
} from "../src-shared/relay/control.ts";
import { describeFrameFault, walkDatagrams } from "../src-shared/relay/frame.ts";
import { errorOf } from "../src-shared/result.ts";
import { Link, type LinkContext } from "./link.ts";
import type { Challenge, NodeAuthenticator } from "./node-authenticator.ts";
import type { NodeHome, NodeLink } from "./node-home.ts";
import { type Prober, plainAddress } from "./probe.ts";
import type { Relay } from "./relay.ts";

export interface NodeContext extends LinkContext {
  readonly relay: Relay;
  readonly authenticator: NodeAuthenticator;
  readonly prober: Prober;
  /** Where STUN is answered; undefined where it is not. */
  readonly stun: Endpoint | undefined;
  /** False when the server has as many nodes as it may. */
  hasRoomForNode(): boolean;
}

/** A visitor has its probe, of three seconds, and has gone by then. */
const VISIT_MS = 10_000;

type Hello = Extract<NodeToServer, { type: "hello" }>;

type State =
  | { readonly at: "hello" }
  | { readonly at: "challenge"; readonly challenge: Challenge; readonly hello: Hello }
  | { readonly at: "visiting"; readonly leave: () => void }
  | { readonly at: "registering" }
  | { readonly at: "registered"; readonly node: string; readonly home: NodeHome }
  | { readonly at: "closed" };

export class NodeConnection implements NodeLink {
  #context: NodeContext;
  /** The address the connection comes from; undefined where the system does not tell. */
  #seen: string | undefined;
  /** One at a time: a node that asks again meanwhile is too fast. */
  #probing = false;
  /** Seals this connection may still have looked at. */
  #sealsLeft: number;
  #link: Link<typeof nodeToServerSchema>;
  #state: State = { at: "hello" };
  #onAuthenticated: () => void;
  #onClosed: () => void;

  /**
   * @param address where the connection comes from  @param onAuthenticated the connection is no stranger's any more
   * @param onClosed called once
   */
  constructor(
    socket: WebSocket,
    address: string,
    context: NodeContext,
    onAuthenticated: () => void,
    onClosed: () => void,
  ) {
    this.#context = context;
    const plain = plainAddress(address);
    this.#seen = parseAddress(plain) === undefined ? undefined : plain;
    this.#sealsLeft = context.config.limits.sessionsPerNode;
    this.#onAuthenticated = onAuthenticated;
    this.#onClosed = onClosed;
    this.#link = new Link(socket, nodeToServerSchema, context, {
      onControl: (message) => this.#control(message),
      onDatagrams: (message) => this.#datagrams(message),
      onClosed: () => this.#ended(),
    });
  }

  sendDatagram(session: number, payload: Uint8Array): void {
    this.#link.sendDatagram(session, payload);
  }

  openSession(session: number, via: "udp" | "websocket"): void {
    this.#link.sendControl({ type: "session-open", session, via });
  }

  sealSession(session: number, seal: string): void {
    this.#link.sendControl({ type: "session-seal", session, seal });
  }

  closeSession(session: number, reason: string): void {
    this.#link.forgetSession(session);
    this.#link.sendControl({ type: "session-close", session, reason });
  }

  replaced(): void {
    this.#link.close(CLOSE_CODE.replaced, "replaced");
  }

  drain(withinMs: number): void {
    this.#link.sendControl({ type: "drain", withinMs });
  }

  close(closeCode: number, reason: string): void {
    this.#link.close(closeCode, reason);
  }

  #control(message: NodeToServer): void {
    const state = this.#state;
    switch (message.type) {
      case "hello": {
        if (state.at !== "hello") break;
        const challenge = this.#context.authenticator.challenge(message.node, message.nonce);
        this.#state = { at: "challenge", challenge, hello: message };
        this.#context.log.debug("hello", { node: message.node, agent: message.agent });
        this.#link.sendControl({ type: "challenge", server: challenge.server, nonce: challenge.nonce });
        return;
      }
      case "auth": {
        if (state.at !== "challenge") break;
        this.#authenticate(state.challenge, message.signature, state.hello);
        return;
      }
      case "session-close":
        if (state.at !== "registered") break;
        state.home.closeFromNode(message.session, message.reason);
        return;
      case "restore":
        if (state.at !== "registered") break;
        this.#restore(state.node, state.home, message.sessions);
        return;
      case "probe":
        if (state.at !== "registered" && state.at !== "visiting") break;
        this.#probe(message);
        return;
      case "error":
        this.#context.log.info("node-error", { code: message.code, message: message.message });
        this.#link.close(1000, "bye");
        return;
      case "ping":
      case "pong":
        return;
    }
    this.#link.protocolError("out-of-turn", `${message.type} came at the wrong time`);
  }

  #authenticate(challenge: Challenge, signature: string, { resume, purpose }: Hello): void {
    const { authenticator, relay } = this.#context;
    if (!challenge.accepts(signature) || !authenticator.isAllowed(challenge.node)) {
      this.#link.refuse("unauthorised", CLOSE_CODE.unauthorised, {
        code: "unauthorised",
        message: "this server does not take this node",
        hint: "Ask the relay's operator to add the node's id to the allow-list.",
      });
      return;
    }
    if (purpose === "probe") {
      this.#visited();
      return;
    }
    if (!this.#context.hasRoomForNode()) {
      this.#link.refuse("busy", CLOSE_CODE.busy, { code: "busy", message: "this server has as many nodes as it may" });
      return;
    }
    this.#state = { at: "registering" };
    this.#onAuthenticated();
    relay.register(challenge.node, resume).then(
      (registration) => {
        if (this.#link.closed) {
          if (registration.ok) relay.release(challenge.node, registration.value.home);
          return;
        }
        if (!registration.ok) {
          this.#link.refuse("busy", CLOSE_CODE.busy, registration.error);
          return;
        }
        const { home, port, resumed } = registration.value;
        this.#registered(challenge.node, home, port, resumed);
      },
      (error: unknown) => {
        this.#context.log.error("register-failed", { node: challenge.node, message: errorOf(error).message });
        this.#link.refuse("busy", CLOSE_CODE.busy, { code: "internal", message: "the node could not be registered" });
      },
    );
  }

  /** For a probe of the address that this connection comes from, whatever else the same node has here. */
  #visited(): void {
    const { prober, clock } = this.#context;
    const leave = this.#seen === undefined ? undefined : prober.visit();
    if (this.#seen === undefined || leave === undefined) {
      this.#link.refuse("busy", CLOSE_CODE.busy, { code: "busy", message: "this server has no time to probe" });
      return;
    }
    const cancel = clock.after(VISIT_MS, () => this.#link.close(1000, "visit-over"));
    this.#state = {
      at: "visiting",
      leave: () => {
        cancel();
        leave();
      },
    };
    this.#onAuthenticated();
    this.#link.sendControl({ type: "observed", seen: this.#seen, probeKey: prober.publicKey });
  }

  #registered(node: string, home: NodeHome, port: number, resumed: boolean): void {
    const { config, log, prober, relay, stun } = this.#context;
    this.#state = { at: "registered", node, home };
    const probes = config.probe.enabled && this.#seen !== undefined;
    this.#link.sendControl({
      type: "registered",
      udp: { host: config.publicHost ?? config.serverName, port },
      resume: home.resume,
      resumed,
      sessions: home.sessionIds,
      graceMs: config.graceMs,
      heartbeatMs: config.heartbeatMs,
      features: [
        ...(probes ? ["probe", PROBE_VISITS_FEATURE] : []),
        ...(stun === undefined ? [] : ["stun"]),
        SEALS_FEATURE,
      ],
      ...(this.#seen === undefined ? {} : { seen: this.#seen }),
      ...(probes ? { probeKey: prober.publicKey } : {}),
      ...(stun === undefined ? {} : { stun }),
    });
    relay.attach(node, home, this);
    this.#link.startHeartbeat();
    log.info("node-registered", { node, port, resumed });
  }

  /** A node never had more sessions than it may have: what comes beyond that is not looked at. */
  #restore(node: string, home: NodeHome, sessions: readonly SealedSession[]): void {
    const looked = sessions.slice(0, this.#sealsLeft);
    this.#sealsLeft -= looked.length;
    this.#context.relay.restore(node, home, looked);
    for (const { session } of sessions.slice(looked.length)) if (!home.has(session)) home.refuse(session, "too-many");
  }

  /** Towards the address of this connection only: the message has no place for another. */
  #probe({ id, publicKey, port }: ProbeRequest): void {
    const { counters, log, prober } = this.#context;
    const address = this.#seen;
    if (address === undefined) return;
    const tell = (result: ProbeOutcome) => {
      counters.probes[result.outcome]++;
      this.#link.sendControl({ type: "probe-result", id, endpoint: { host: address, port }, result });
    };
    if (this.#probing) {
      tell({ outcome: "refused", code: "probe-busy" });
      return;
    }
    this.#probing = true;
    prober.probe({ address, port, publicKey }).then(
      (result) => {
        this.#probing = false;
        tell(result);
      },
      (error: unknown) => {
        this.#probing = false;
        log.error("probe-failed", { message: errorOf(error).message });
      },
    );
  }

  #datagrams(message: Buffer): void {
    const state = this.#state;
    if (state.at !== "registered") {
      this.#link.protocolError("out-of-turn", "datagrams came before the end of the handshake");
      return;
    }
    const nowMs = this.#context.clock.monotonicMs();
    const { home } = state;
    const fault = walkDatagrams(message, (session, start, end) => home.fromNode(session, message, start, end, nowMs));
    if (fault !== undefined) this.#link.protocolError(fault, describeFrameFault(fault));
  }

  #ended(): void {
    const state = this.#state;
    this.#state = { at: "closed" };
    if (state.at === "visiting") state.leave();
    if (state.at === "registered") {
      this.#context.log.info("node-disconnected", { node: state.node });
      this.#context.relay.detach(state.node, state.home, this);
    }
    this.#onClosed();
  }
}
