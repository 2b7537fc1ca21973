/** The other end of the helper's socket as an attacker has it: any text, at any time. */
import { connect, type Socket } from "node:net";

export interface RawMessage {
  id?: number | null;
  ok?: boolean;
  result?: unknown;
  error?: { code: string; message: string };
  event?: unknown;
}

export class RawClient {
  readonly messages: RawMessage[] = [];
  closed = false;
  readonly #socket: Socket;
  #text = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      const lines = (this.#text + chunk).split("\n");
      this.#text = lines.pop() ?? "";
      for (const line of lines) this.messages.push(JSON.parse(line) as RawMessage);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
  }

  static connect(path: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawClient(socket)));
    });
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  ask(id: number, verb: string, params: unknown = {}): void {
    this.send(`${JSON.stringify({ id, verb, params })}\n`);
  }

  /** The answer to a request, once it is there. */
  answer(id: number | null): RawMessage | undefined {
    return this.messages.find((message) => message.id === id);
  }

  /** Stops reading: what the helper says stays in its memory. */
  pause(): void {
    this.#socket.pause();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
