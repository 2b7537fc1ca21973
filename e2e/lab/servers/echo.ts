/**
 * Answers every datagram and every connection with what it was sent: something that must not be reached.
 * Usage: echo.ts PORT. Listens on all addresses of both families and prints one line of JSON when ready.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const port = Number(process.argv[2]);
const tcp = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
});
const udp = createSocket({ type: "udp6", ipv6Only: false });
udp.on("message", (message, from) => udp.send(message, from.port, from.address));
await Promise.all([
  new Promise<void>((resolve) => tcp.listen(port, "::", resolve)),
  new Promise<void>((resolve) => udp.bind(port, "::", resolve)),
]);
console.log(JSON.stringify({ ready: true, port }));
