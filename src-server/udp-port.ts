/** One node's UDP socket, where its guests' datagrams come in and go out. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { fail, ok, type Result } from "../src-shared/result.ts";

/** Asked for, not promised: the kernel's default holds only a few milliseconds of a fast flow. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** Beyond this the machine's own uplink is what is slow; queueing more only delays. */
const MAX_SEND_QUEUE_BYTES = 1024 * 1024;

export type DatagramHandler = (payload: Uint8Array, address: string, port: number) => void;

export class UdpPort {
  readonly port: number;
  #socket: Socket;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
  }

  /** Binds `host:port`; on `::` for both families where the system lets it. Fails with `udp-port-unusable`. */
  static async open(host: string, port: number, onDatagram: DatagramHandler): Promise<Result<UdpPort>> {
    const first = await bind(host, port, onDatagram);
    // A machine without IPv6 has no `::` to bind; what was meant is "everywhere".
    const opened =
      first instanceof Error && host === "::" && !isInUse(first) ? await bind("0.0.0.0", port, onDatagram) : first;
    if (opened instanceof Error) {
      return fail("udp-port-unusable", `cannot listen on UDP port ${port}: ${opened.message}`);
    }
    return ok(new UdpPort(opened));
  }

  /** False when the datagram was given up. Errors of single sends (a route that went away) are the guest's loss. */
  send(payload: Uint8Array, address: string, port: number): boolean {
    if (this.#closed || this.#socket.getSendQueueSize() > MAX_SEND_QUEUE_BYTES) return false;
    this.#socket.send(payload, port, address, ignoreError);
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}

function ignoreError(): void {}

function isInUse(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}

function bind(host: string, port: number, onDatagram: DatagramHandler): Promise<Socket | Error> {
  const type = isIPv6(host) ? "udp6" : "udp4";
  const family = type === "udp6" ? 6 : 4;
  const socket = createSocket({
    type,
    // Addresses here are numbers already; the default goes through the resolver's queue for every datagram.
    lookup: (address, _options, callback) => callback(null, address, family),
  });
  socket.on("message", (payload: Buffer, { address, port: from }: RemoteInfo) => onDatagram(payload, address, from));
  return new Promise((resolve) => {
    const onError = (error: Error) => {
      socket.close();
      resolve(error);
    };
    socket.once("error", onError);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off("error", onError);
      // After binding, an error is an ICMP answer to one of our datagrams.
      socket.on("error", ignoreError);
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      } catch {
        // The default works too, with more loss in bursts.
      }
      resolve(socket);
    });
  });
}
