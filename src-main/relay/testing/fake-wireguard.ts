/** What stands where WireGuard listens: keeps what comes, and answers a source when it is told to. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

export class FakeWireguard {
  readonly received: { readonly port: number; readonly payload: Buffer }[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (payload, { port }) => this.received.push({ port, payload }));
  }

  static async open(): Promise<FakeWireguard> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new FakeWireguard(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  answer(port: number, payload: Uint8Array): void {
    this.#socket.send(payload, port, "127.0.0.1");
  }

  close(): void {
    this.#socket.close();
  }
}
