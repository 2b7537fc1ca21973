/** The sockets on which guests ask: for each tunnel address one for UDP and one for TCP, all or none. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { fail, ok, type Result } from "../../src-shared/result.ts";

export interface ListenerHandlers {
  onDatagram(message: Buffer, from: RemoteInfo, reply: (answer: Buffer) => void): void;
  onConnection(socket: Socket): void;
}

export interface Listeners {
  close(): Promise<void>;
}

/** Errors: `dns-port-taken`, `dns-address-missing`, `dns-failed`; then nothing is left open. */
export async function listen(
  addresses: readonly string[],
  port: number,
  handlers: ListenerHandlers,
): Promise<Result<Listeners>> {
  const udp: UdpSocket[] = [];
  const tcp: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all([...udp.splice(0).map(closeUdp), ...tcp.splice(0).map(closeTcp)]);
  };
  for (const address of addresses) {
    try {
      udp.push(await bindUdp(address, port, handlers));
      tcp.push(await bindTcp(address, port, handlers));
    } catch (error) {
      await close();
      return bindFailure(error, address, port);
    }
  }
  return ok({ close });
}

function bindUdp(address: string, port: number, handlers: ListenerHandlers): Promise<UdpSocket> {
  const ipv6 = address.includes(":");
  const socket = createSocket({ type: ipv6 ? "udp6" : "udp4", ipv6Only: ipv6 });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      // A send that fails (the guest is gone) loses one answer, which the guest asks for again.
      socket.on("error", () => {});
      socket.on("message", (message, from) => {
        handlers.onDatagram(message, from, (answer) => sendTo(socket, answer, from));
      });
      resolve(socket);
    });
  });
}

function sendTo(socket: UdpSocket, answer: Buffer, to: RemoteInfo): void {
  try {
    socket.send(answer, to.port, to.address, () => {});
  } catch {
    // Closed meanwhile, or a source port (0) to which nothing can be sent.
  }
}

/** Half-open, because a guest may close its side after the question and still wait for the answer. */
function bindTcp(address: string, port: number, handlers: ListenerHandlers): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => handlers.onConnection(socket));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, exclusive: true, ipv6Only: address.includes(":") }, () => {
      server.removeAllListeners("error");
      server.on("error", () => {});
      resolve(server);
    });
  });
}

function closeUdp(socket: UdpSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}

/** The connections are ended by whoever accepted them, before this. */
function closeTcp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function bindFailure(error: unknown, address: string, port: number): Result<never> {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return fail("dns-port-taken", `Port ${port} of ${address} is taken by another program.`);
    case "EADDRNOTAVAIL":
      return fail("dns-address-missing", `This machine does not have the address ${address} at present.`);
    default:
      return fail(
        "dns-failed",
        `DNS cannot be answered on ${address}, port ${port}: ${error instanceof Error ? error.message : String(error)}.`,
      );
  }
}
