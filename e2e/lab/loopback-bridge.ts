/**
 * Makes a port on a lab host's loopback reachable under the same number on 127.0.0.1 of the machine itself. The number
 * is the same because a panel refuses requests that name another host and port than its own.
 */
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import type { LabHost } from "./lab-host.ts";
import type { Program } from "./program.ts";
import { nodeProgram } from "./support.ts";

const LOOPBACK = "127.0.0.1";
const FORWARDER_START_TIMEOUT_MS = 15_000;

export class LoopbackBridge {
  readonly port: number;
  #server: Server;
  #forwarder: Program;

  private constructor(server: Server, forwarder: Program, port: number) {
    this.#server = server;
    this.#forwarder = forwarder;
    this.port = port;
  }

  /** Takes a port that is free on the machine; something on the host's 127.0.0.1 may listen on that port from now on. */
  static async to(host: LabHost): Promise<LoopbackBridge> {
    const socketPath = join(host.folder, "loopback.sock");
    const over = () => {
      // Either side may go first; the pipeline has closed the other one.
    };
    const server = createServer({ allowHalfOpen: true }, (incoming) => {
      const outgoing = connect({ path: socketPath, allowHalfOpen: true });
      pipeline(incoming, outgoing, over);
      pipeline(outgoing, incoming, over);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, LOOPBACK, resolve);
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const program = join(import.meta.dirname, "servers/unix-forwarder.ts");
    const forwarder = host.spawn([nodeProgram(), program, socketPath, LOOPBACK, String(port)]);
    try {
      await forwarder.line((line) => line.includes('"ready":true'), FORWARDER_START_TIMEOUT_MS);
    } catch (error) {
      server.close();
      throw error;
    }
    return new LoopbackBridge(server, forwarder, port);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#server.close();
    await this.#forwarder.stop();
  }
}
