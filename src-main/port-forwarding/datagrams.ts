/** UDP as the port mapping clients use it, so that tests can put another network in its place. */
import { createSocket, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { ok, type Result } from "../../src-shared/result.ts";
import { mappingFail } from "./mapping-errors.ts";

export interface Sender {
  readonly address: string;
  readonly port: number;
}

export interface DatagramHandlers {
  onMessage(message: Uint8Array, from: Sender): void;
  /** `refused`: nobody listens at the other end, which the kernel was told (ICMP port unreachable). */
  onError(kind: "refused" | "failed"): void;
}

export interface DatagramSocket {
  /** To the address it is connected to, or to `to` where it is not. */
  send(message: Uint8Array, to?: Sender): void;
  /** Idempotent; no handler is called afterwards. */
  close(): void;
}

export interface GroupOptions {
  group: string;
  port: number;
  /** The machine's own address on the network whose announcements are wanted. */
  localAddress: string;
}

export interface Datagrams {
  /** The kernel then drops what anybody else sends. Errors: `own-address-gone`, `socket-failed`, `aborted`. */
  connect(
    to: Sender,
    localAddress: string,
    handlers: DatagramHandlers,
    signal: AbortSignal,
  ): Promise<Result<DatagramSocket>>;
  /** A socket on a free port of `localAddress`, multicasts leaving through its interface. The same errors. */
  open(localAddress: string, handlers: DatagramHandlers, signal: AbortSignal): Promise<Result<DatagramSocket>>;
  /** Hears what is sent to a multicast group, beside other programs that do so. The same errors. */
  join(options: GroupOptions, handlers: DatagramHandlers, signal: AbortSignal): Promise<Result<DatagramSocket>>;
}

export const systemDatagrams: Datagrams = {
  connect: (to, localAddress, handlers, signal) =>
    ready(createSocket(typeOf(localAddress)), handlers, signal, (socket, done) => {
      socket.bind(
        { address: localAddress },
        caught(done, () => socket.connect(to.port, to.address, done)),
      );
    }),
  open: (localAddress, handlers, signal) =>
    ready(createSocket(typeOf(localAddress)), handlers, signal, (socket, done) => {
      const bound = () => {
        socket.setMulticastInterface(multicastInterface(localAddress));
        done();
      };
      socket.bind({ address: localAddress }, caught(done, bound));
    }),
  join: ({ group, port, localAddress }, handlers, signal) =>
    ready(createSocket({ type: typeOf(localAddress), reuseAddr: true }), handlers, signal, (socket, done) => {
      // Bound to the group, it takes no unicast away from other programs on that port. Windows cannot do that.
      const bound = () => {
        socket.addMembership(group, localAddress);
        done();
      };
      socket.bind({ address: process.platform === "win32" ? "0.0.0.0" : group, port }, caught(done, bound));
    }),
};

/** What node:dgram throws in its own callback, where nobody else could catch it. */
function caught(done: (error: Error) => void, action: () => void): () => void {
  return () => {
    try {
      action();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

/** IPv6 names the interface by its scope (its index on Windows), IPv4 by an address that is on it. */
function multicastInterface(localAddress: string): string {
  if (typeOf(localAddress) === "udp4") return localAddress;
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (!addresses?.some(({ address }) => address === localAddress)) continue;
    const linkLocal = addresses.find(({ address, family }) => family === "IPv6" && address.startsWith("fe80:"));
    const index = linkLocal?.family === "IPv6" ? linkLocal.scopeid : 0;
    return `::%${process.platform === "win32" ? index : name}`;
  }
  return "::";
}

function typeOf(localAddress: string): "udp4" | "udp6" {
  return localAddress.includes(":") ? "udp6" : "udp4";
}

function ready(
  socket: Socket,
  handlers: DatagramHandlers,
  signal: AbortSignal,
  start: (socket: Socket, done: (error?: Error) => void) => void,
): Promise<Result<DatagramSocket>> {
  return new Promise((resolve) => {
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      signal.removeEventListener("abort", aborted);
      socket.removeAllListeners("message");
      socket.close();
    };
    const aborted = () => {
      close();
      resolve(mappingFail("aborted"));
    };
    const failed = (error: Error) => {
      if (closed) return;
      const code = "code" in error ? error.code : undefined;
      handlers.onError(code === "ECONNREFUSED" ? "refused" : "failed");
      close();
      resolve(
        mappingFail(code === "EADDRNOTAVAIL" ? "own-address-gone" : "socket-failed", String(code ?? error.message)),
      );
    };
    // Stays for good: a late error without a listener would end the process.
    socket.on("error", failed);
    if (signal.aborted) return aborted();
    signal.addEventListener("abort", aborted);
    socket.on("message", (message, { address, port }) => handlers.onMessage(message, { address, port }));
    const opened: DatagramSocket = {
      send: (message, to) => {
        if (closed) return;
        const sent = (error: Error | null) => {
          if (error !== null && error !== undefined) failed(error);
        };
        if (to === undefined) socket.send(message, sent);
        else socket.send(message, to.port, to.address, sent);
      },
      close,
    };
    try {
      start(socket, (error) => {
        if (error !== undefined) failed(error);
        else if (!closed) resolve(ok(opened));
      });
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
