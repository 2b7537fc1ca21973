/**
 * Sends datagrams of known bytes to an echo and counts those that come back as they were. Usage:
 *   relay-udp-mirror.ts ADDRESS PORT BYTES
 * Keeps a few datagrams under way and sends again what is not back in time, as an application over UDP does.
 * Prints one line of JSON: `{"bytes":…,"wrong":…,"repeated":…}`.
 */
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";

const DATAGRAM_BYTES = 1_200;
const WINDOW = 64;
const REPEAT_AFTER_MS = 300;
const GIVE_UP_AFTER_MS = 90_000;

const [address, port, bytes] = process.argv.slice(2);
if (address === undefined || bytes === undefined) throw new TypeError("usage: relay-udp-mirror.ts ADDRESS PORT BYTES");
const total = Math.ceil(Number(bytes) / DATAGRAM_BYTES);
const socket = createSocket("udp4");
const underWay = new Map<number, number>();
let next = 0;
let done = 0;
let wrong = 0;
let repeated = 0;

/** Number, then bytes that follow from the number. */
function datagram(number: number): Buffer {
  const payload = Buffer.alloc(DATAGRAM_BYTES, createHash("sha256").update(String(number)).digest());
  payload.writeUInt32BE(number);
  return payload;
}

function send(number: number): void {
  underWay.set(number, performance.now());
  socket.send(datagram(number), Number(port), address);
}

function fill(): void {
  while (next < total && underWay.size < WINDOW) send(next++);
}

function finish(): void {
  console.log(JSON.stringify({ bytes: done * DATAGRAM_BYTES, wrong, repeated }));
  process.exit(0);
}

socket.on("message", (payload) => {
  const number = payload.length >= 4 ? payload.readUInt32BE() : -1;
  if (!underWay.has(number)) return;
  if (!payload.equals(datagram(number))) wrong++;
  underWay.delete(number);
  done++;
  if (done === total) finish();
  fill();
});
setInterval(() => {
  const beforeMs = performance.now() - REPEAT_AFTER_MS;
  for (const [number, sentMs] of underWay) {
    if (sentMs > beforeMs) continue;
    repeated++;
    send(number);
  }
}, 50);
setTimeout(finish, GIVE_UP_AFTER_MS);
fill();
