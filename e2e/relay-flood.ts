/**
 * Floods a UDP port with what looks like WireGuard's first message. Usage:
 *   relay-flood.ts ADDRESS PORT PACKETS_PER_SECOND SECONDS
 * Prints one line of JSON at its end: `{"sent":…,"seconds":…}`.
 */
import { createSocket } from "node:dgram";

const INITIATION_BYTES = 148;
const STEP_MS = 5;

const [address, port, rate, seconds] = process.argv.slice(2);
if (address === undefined || seconds === undefined) {
  throw new TypeError("usage: relay-flood.ts ADDRESS PORT PACKETS_PER_SECOND SECONDS");
}
const socket = createSocket("udp4");
const payload = Buffer.alloc(INITIATION_BYTES);
payload[0] = 1;
const startedMs = performance.now();
let sent = 0;
console.log(JSON.stringify({ started: true }));
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedMs;
  // Sent by the clock and not by the turn, so that a late turn is made up for.
  const due = (Math.min(elapsedMs, Number(seconds) * 1_000) / 1_000) * Number(rate);
  for (; sent < due; sent++) {
    payload.writeUInt32LE(sent >>> 0, 4);
    socket.send(Uint8Array.from(payload), Number(port), address);
  }
  if (elapsedMs < Number(seconds) * 1_000) return;
  clearInterval(timer);
  console.log(JSON.stringify({ sent, seconds: elapsedMs / 1_000 }));
  socket.close();
}, STEP_MS);
