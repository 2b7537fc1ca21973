/** Accepts TCP connections and closes them with whoever opened them. Usage: accept-and-close.ts ADDRESS FIRST_PORT PORTS */
import { createServer } from "node:net";

const BACKLOG = 4_096;

const [address = "", ...numbers] = process.argv.slice(2);
const [firstPort = 0, ports = 1] = numbers.map(Number);

await Promise.all(
  Array.from(
    { length: ports },
    (_, n) =>
      new Promise<void>((resolve) => {
        const server = createServer({ allowHalfOpen: false }, (socket) => {
          socket.on("error", () => {});
          socket.resume();
        });
        server.listen({ host: address, port: firstPort + n, backlog: BACKLOG }, () => resolve());
      }),
  ),
);
process.stdout.write('{"ready":true}\n');
