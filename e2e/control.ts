/** Calls of the contract over the node's control socket, for tests that make too many of them to start a program each. */
import { connect } from "node:net";
import type { CallInput, CallName } from "../src-shared/ipc/contract.ts";
import { ipcMessageSchema } from "../src-shared/ipc/wire.ts";
import { LineSplitter } from "../src-shared/line-splitter.ts";

const MAX_ANSWER_CHARACTERS = 4 * 1024 * 1024;

export class Control {
  readonly #socket;
  readonly #waiting = new Map<number, { resolve(output: unknown): void; reject(error: Error): void }>();
  #nextId = 1;

  constructor(path: string) {
    this.#socket = connect(path);
    const lines = new LineSplitter(MAX_ANSWER_CHARACTERS);
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (chunk: string) => {
      for (const line of lines.push(chunk)) this.#receive(line);
    });
    this.#socket.on("error", (error) => this.#end(error));
    this.#socket.on("close", () => this.#end(new Error("the node closed the connection")));
  }

  call<N extends CallName>(name: N, input: CallInput<N>): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(`${JSON.stringify({ id, call: name, input })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(line: string): void {
    const message = ipcMessageSchema.parse(JSON.parse(line));
    if ("event" in message || message.id === null) return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.ok) waiting?.resolve(message.output);
    else waiting?.reject(new Error(`${message.error.code}: ${message.error.message}`));
  }

  #end(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
