/** A node and a guest that speak the wire format over real sockets, for tests of the server. */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { WebSocket } from "ws";
import type { z } from "zod";
import {
  authTranscript,
  type ControlMessage,
  decodeControl,
  encodeControl,
  type NodeToServer,
  type Registered,
  type ServerToGuest,
  type ServerToNode,
  serverToGuestSchema,
  serverToNodeSchema,
} from "../../src-shared/relay/control.ts";
import { decodeDatagrams, encodeDatagrams, RELAY_PROTOCOL } from "../../src-shared/relay/frame.ts";
import { unwrap } from "../../src-shared/result.ts";
import { eventually } from "../../src-shared/testing/eventually.ts";
import { compression } from "../compression.ts";

export interface Identity {
  readonly id: string;
  readonly privateKey: KeyObject;
}

export function createIdentity(): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x } = publicKey.export({ format: "jwk" });
  return { id: String(x), privateKey };
}

export function nonce(): string {
  return randomBytes(32).toString("base64url");
}

interface LinkOptions {
  readonly ca?: string;
  readonly headers?: Record<string, string>;
  readonly rejectUnauthorized?: boolean;
}

/** A WebSocket whose messages are kept as they come. */
export class TestLink<S extends z.ZodType<ControlMessage>> {
  readonly socket: WebSocket;
  readonly control: z.output<S>[] = [];
  readonly datagrams: { session: number; payload: Buffer }[] = [];
  closed: { code: number; reason: string } | undefined;
  onDatagram: ((session: number, payload: Buffer) => void) | undefined;

  constructor(url: string, schema: S, options: LinkOptions = {}) {
    this.socket = new WebSocket(url, [RELAY_PROTOCOL], { perMessageDeflate: false, ...options });
    this.socket.on("error", () => undefined);
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (isBinary && data[0] === 1) {
        for (const { session, payload } of unwrap(decodeDatagrams(data))) {
          const bytes = Buffer.from(payload);
          if (this.onDatagram === undefined) this.datagrams.push({ session, payload: bytes });
          else this.onDatagram(session, bytes);
        }
        return;
      }
      const message = unwrap(decodeControl(schema, isBinary ? data : data.toString("utf8"), compression));
      this.control.push(message);
      if ((message as ControlMessage).type === "ping") this.send({ type: "pong", id: (message as { id: number }).id });
    });
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(message: ControlMessage): void {
    if (this.isOpen) this.socket.send(encodeControl(message, compression));
  }

  sendDatagram(session: number, payload: Uint8Array): void {
    if (this.isOpen) this.socket.send(encodeDatagrams([{ session, payload }]));
  }

  find<T extends z.output<S>["type"]>(type: T): Extract<z.output<S>, { type: T }> | undefined {
    return this.control.find((message): message is Extract<z.output<S>, { type: T }> => message.type === type);
  }

  async opened(): Promise<void> {
    await eventually("the WebSocket opens", () => this.isOpen || this.closed);
    if (!this.isOpen) throw new Error("the WebSocket was refused");
  }

  /** The close code, once it is closed. */
  async refused(): Promise<number> {
    return (await eventually("the WebSocket is closed", () => this.closed)).code;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.refused();
  }

  /** Without a close frame, as when a machine dies. */
  vanish(): void {
    this.socket.terminate();
  }
}

export class TestNode extends TestLink<typeof serverToNodeSchema> {
  readonly identity: Identity;
  registered: Registered | undefined;

  constructor(url: string, identity: Identity = createIdentity(), options: LinkOptions = {}) {
    super(`${url}/node`, serverToNodeSchema, options);
    this.identity = identity;
  }

  /** Says hello and answers the challenge. */
  async sayHello(more: { resume?: string; purpose?: "probe" }): Promise<void> {
    await this.opened();
    const nodeNonce = nonce();
    this.send({ type: "hello", protocol: RELAY_PROTOCOL, node: this.identity.id, nonce: nodeNonce, ...more });
    const challenge = await eventually("a challenge", () => this.find("challenge"));
    this.send(answer(this.identity, challenge, nodeNonce));
  }

  /** Says hello, answers the challenge and waits for what the server says to that. */
  async register(resume?: string): Promise<Registered> {
    await this.sayHello(resume === undefined ? {} : { resume });
    const registered = await eventually("an answer", () => this.find("registered") ?? this.closed);
    if (!("type" in registered)) throw new Error(`refused: ${registered.code} ${registered.reason}`);
    this.registered = registered;
    return registered;
  }

  /** The seal that it keeps for a session. */
  sealOf(session: number): Promise<string> {
    return eventually("a seal", () =>
      this.control.findLast((message: ServerToNode) => message.type === "session-seal" && message.session === session),
    ).then((message) => (message as Extract<ServerToNode, { type: "session-seal" }>).seal);
  }

  sessionsOpened(): number[] {
    return this.control.flatMap((message: ServerToNode) => (message.type === "session-open" ? [message.session] : []));
  }
}

export function answer(identity: Identity, challenge: { server: string; nonce: string }, nodeNonce: string) {
  const transcript = authTranscript({
    server: challenge.server,
    serverNonce: challenge.nonce,
    nodeNonce,
    node: identity.id,
  });
  const signature = sign(null, Buffer.from(transcript, "utf8"), identity.privateKey).toString("base64url");
  return { type: "auth", signature } satisfies NodeToServer;
}

export class TestWebSocketGuest extends TestLink<typeof serverToGuestSchema> {
  constructor(url: string, headers: Record<string, string> = {}) {
    super(`${url}/connect`, serverToGuestSchema, { headers });
  }

  async connect(target: { node: string } | { port: number }): Promise<ServerToGuest> {
    await this.opened();
    this.send({ type: "connect", protocol: RELAY_PROTOCOL, target });
    return eventually("an answer", () => this.find("connected") ?? this.find("error"));
  }
}

/** A guest that sends to the relay's UDP port from an address of its own. */
export class TestUdpGuest {
  readonly received: Buffer[] = [];
  #socket: Socket;
  #port: number;
  #to: string;

  private constructor(socket: Socket, port: number, to: string) {
    this.#socket = socket;
    this.#port = port;
    this.#to = to;
    socket.on("message", (payload) => this.received.push(payload));
  }

  static async open(port: number, from = "127.0.0.1", to = "127.0.0.1"): Promise<TestUdpGuest> {
    const socket = createSocket("udp4");
    socket.bind(0, from);
    await once(socket, "listening");
    socket.setRecvBufferSize(4 * 1024 * 1024);
    return new TestUdpGuest(socket, port, to);
  }

  send(payload: Uint8Array): void {
    this.#socket.send(payload, this.#port, this.#to);
  }

  close(): void {
    this.#socket.close();
  }
}

/** The request that opens a WebSocket, for a peer that stops there. */
export function upgrade(path: string): string {
  const headers = [
    "Host: relay.example",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    `Sec-WebSocket-Protocol: ${RELAY_PROTOCOL}`,
  ];
  return `GET /${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`;
}

/** Messages with WireGuard's outside and nothing inside. */
export const wireguard = {
  initiation: (sender: number) => message(1, 148, sender),
  response: (sender: number, receiver: number) => message(2, 92, sender, receiver),
  data: (receiver: number, bytes = 128, tag = 0) => {
    const data = message(4, bytes, receiver);
    data.writeUInt32LE(tag, 8);
    return data;
  },
};

function message(type: number, bytes: number, first: number, second = 0): Buffer {
  const data = Buffer.alloc(bytes);
  data[0] = type;
  data.writeUInt32LE(first, 4);
  if (bytes >= 12) data.writeUInt32LE(second, 8);
  return data;
}
