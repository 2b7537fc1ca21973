/** A DNS server on loopback that answers as a test tells it, over UDP and TCP on one port. */
import { createSocket, type RemoteInfo } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { decode, encode, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED } from "dns-packet";

export interface SeenQuery {
  transport: "udp" | "tcp";
  packet: Packet;
  sourcePort: number;
}

/** What to send back: nothing, one message or several. */
export type Behaviour = (query: SeenQuery) => Buffer | Buffer[] | undefined;

export class FakeResolver {
  readonly seen: SeenQuery[] = [];
  readonly address: string;
  behaviour: Behaviour = (query) => answerTo(query.packet, "192.0.2.1");
  port = 0;
  readonly #udp;
  readonly #tcp;
  readonly #sockets = new Set<Socket>();

  private constructor(address: string) {
    this.address = address;
    this.#udp = createSocket(address.includes(":") ? "udp6" : "udp4");
    this.#udp.on("message", (message, from) => this.#datagram(message, from));
    this.#tcp = createServer((socket) => this.#connection(socket));
  }

  static async start(address = "127.0.0.1"): Promise<FakeResolver> {
    for (let tried = 0; tried < 20; tried++) {
      const resolver = new FakeResolver(address);
      await new Promise<void>((resolve) => resolver.#udp.bind(0, address, resolve));
      resolver.port = resolver.#udp.address().port;
      const taken = await new Promise<boolean>((resolve) => {
        resolver.#tcp.once("error", () => resolve(true));
        resolver.#tcp.listen(resolver.port, address, () => resolve(false));
      });
      if (!taken) return resolver;
      resolver.#udp.close();
    }
    throw new Error("no port that is free for both UDP and TCP");
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  #datagram(message: Buffer, from: RemoteInfo): void {
    for (const answer of this.#take("udp", message, from.port)) this.#udp.send(answer, from.port, from.address);
  }

  #connection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      for (const answer of this.#take("tcp", message, socket.remotePort ?? 0)) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        // In two pieces, as a network may deliver it.
        socket.write(Buffer.concat([length, answer.subarray(0, 5)]));
        socket.write(answer.subarray(5));
      }
    });
  }

  #take(transport: "udp" | "tcp", message: Buffer, sourcePort: number): Buffer[] {
    const query = { transport, packet: decode(message), sourcePort };
    this.seen.push(query);
    const answers = this.behaviour(query);
    if (answers === undefined) return [];
    return Array.isArray(answers) ? answers : [answers];
  }
}

/** An answer to `query` with `count` address records. */
export function answerTo(query: Packet, address: string, count = 1, flags = 0): Buffer {
  const question = query.questions?.[0];
  return encode({
    type: "response",
    id: query.id ?? 0,
    flags: RECURSION_DESIRED | RECURSION_AVAILABLE | flags,
    questions: query.questions ?? [],
    answers: Array.from({ length: count }, () => ({ type: "A" as const, name: question?.name ?? "", data: address })),
  });
}
