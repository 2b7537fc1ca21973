/**
 * A session bus of a desktop that shows status icons, as far as one program asks: it lets everybody in, answers Hello,
 * and says that a StatusNotifierHost is registered (D-Bus Specification, "Message Format").
 */
import { createServer, type Server, type Socket } from "node:net";

const METHOD_RETURN = 2;
const FIXED_HEADER_BYTES = 16;

export class SessionBus {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.address = `unix:path=${path}`;
    server.on("connection", (socket) => this.#serve(socket));
  }

  static async listen(path: string): Promise<SessionBus> {
    const server = createServer();
    const bus = new SessionBus(server, path);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    return bus;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let received: Buffer = Buffer.alloc(0);
    let isIn = false;
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (!isIn) {
        const text = received.toString("latin1");
        if (text.includes("AUTH EXTERNAL") && !text.includes("BEGIN\r\n")) socket.write(`OK ${"0".repeat(32)}\r\n`);
        const begin = text.indexOf("BEGIN\r\n");
        if (begin < 0) return;
        received = received.subarray(begin + 7);
        isIn = true;
      }
      for (let call = nextCall(received); call !== undefined; call = nextCall(received)) {
        received = received.subarray(call.bytes);
        socket.write(call.serial === 1 ? reply(1, stringBody(":1.1")) : reply(call.serial, TRUE_BODY));
      }
    });
  }
}

interface Body {
  readonly signature: string;
  readonly bytes: Buffer;
}

/** A variant that holds the boolean true. */
const TRUE_BODY: Body = { signature: "v", bytes: Buffer.from([1, 0x62, 0, 0, 1, 0, 0, 0]) };

function stringBody(text: string): Body {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(text.length);
  return { signature: "s", bytes: Buffer.concat([head, Buffer.from(`${text}\0`)]) };
}

function nextCall(bytes: Buffer): { serial: number; bytes: number } | undefined {
  if (bytes.length < FIXED_HEADER_BYTES) return undefined;
  const fieldsEnd = FIXED_HEADER_BYTES + bytes.readUInt32LE(12);
  const length = Math.ceil(fieldsEnd / 8) * 8 + bytes.readUInt32LE(4);
  return bytes.length < length ? undefined : { serial: bytes.readUInt32LE(8), bytes: length };
}

/** Header fields: 5 REPLY_SERIAL (u), 8 SIGNATURE (g). */
function reply(serial: number, { signature, bytes }: Body): Buffer {
  const replySerial = Buffer.from([5, 1, 0x75, 0, 0, 0, 0, 0]);
  replySerial.writeUInt32LE(serial, 4);
  const signatureField = Buffer.from([8, 1, 0x67, 0, 1, signature.charCodeAt(0), 0]);
  const fields = Buffer.concat([replySerial, signatureField]);
  const head = Buffer.alloc(FIXED_HEADER_BYTES);
  head.set([0x6c, METHOD_RETURN, 1, 1]);
  head.writeUInt32LE(bytes.length, 4);
  head.writeUInt32LE(serial, 8);
  head.writeUInt32LE(fields.length, 12);
  const padding = Buffer.alloc((8 - (fields.length % 8)) % 8);
  return Buffer.concat([head, fields, padding, bytes]);
}
