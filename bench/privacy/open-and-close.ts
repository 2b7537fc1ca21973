/**
 * Opens and closes TCP connections at an even rate. Usage: open-and-close.ts ADDRESS FIRST_PORT PORTS PER_SECOND SECONDS
 * Prints one line of JSON: `{"opened":N,"failed":N,"seconds":S}`; `opened` were established and then closed.
 */
import { connect } from "node:net";

/** Short enough for an even rate, long enough that a timer is on time. */
const TICK_MS = 10;
/** Beyond this many at once the other side does not keep up; more would only wait. */
const MAX_AT_ONCE = 2_000;
const DRAIN_MS = 5_000;

const [address = "", ...numbers] = process.argv.slice(2);
const [firstPort = 0, ports = 1, perSecond = 0, seconds = 0] = numbers.map(Number);

let begun = 0;
let opened = 0;
let failed = 0;
let open = 0;
const startedMs = performance.now();

await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startedMs;
    const due = Math.floor((Math.min(elapsedMs, seconds * 1000) / 1000) * perSecond);
    while (begun < due && open < MAX_AT_ONCE) openOne();
    const over = elapsedMs > seconds * 1000;
    if (over && (open === 0 || elapsedMs > seconds * 1000 + DRAIN_MS)) {
      clearInterval(timer);
      resolve();
    }
  }, TICK_MS);
});
process.stdout.write(
  `${JSON.stringify({ opened, failed: failed + open, seconds: (performance.now() - startedMs) / 1000 })}\n`,
);
process.exit(0);

function openOne(): void {
  // Few ports on the other side would use up the local ones, which rest for a minute after a connection.
  const socket = connect({ host: address, port: firstPort + (begun++ % ports) });
  open++;
  let established = false;
  socket.once("connect", () => {
    established = true;
    socket.end();
  });
  socket.on("error", () => {});
  socket.resume();
  socket.once("close", () => {
    open--;
    if (established) opened++;
    else failed++;
  });
}
