/**
 * Carries connections from a Unix socket to a TCP port. A Unix socket that has a path is reached from every network
 * namespace, so this makes a port inside a host reachable from the machine the lab runs on.
 * Usage: unix-forwarder.ts SOCKET HOST PORT. Prints one line of JSON when ready.
 */
import { connect, createServer } from "node:net";
import { pipeline } from "node:stream";

const [socketPath, host, port] = process.argv.slice(2);
if (socketPath === undefined || host === undefined || port === undefined) {
  throw new TypeError("usage: unix-forwarder.ts SOCKET HOST PORT");
}
const server = createServer({ allowHalfOpen: true }, (incoming) => {
  const outgoing = connect({ host, port: Number(port), allowHalfOpen: true });
  const over = () => {
    // Either side may go first; the pipeline has closed the other one.
  };
  pipeline(incoming, outgoing, over);
  pipeline(outgoing, incoming, over);
});
server.listen(socketPath, () => console.log(JSON.stringify({ ready: true })));
