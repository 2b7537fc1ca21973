/**
 * `npm run bench -- panel [--clients N] [--active N] [--seconds N] [--changes N]`
 *
 * bytes: what one panel is sent while guests are active, as deltas, against the same events as whole lists.
 * delay: from a change of the node's state to the event on the panel's WebSocket.
 */
import process from "node:process";
import { delay, systemClock } from "../../src-shared/clock.ts";
import { median, table } from "../relay/stats.ts";
import { type Message, Rig } from "./rig.ts";

const DEFAULT_CLIENTS = 1_000;
const DEFAULT_ACTIVE = 50;
const DEFAULT_SECONDS = 20;
const DEFAULT_CHANGES = 100;

/** The first readings make the clients connected, which is no steady state. */
const SETTLE_MS = 6_000;

/** Long enough for an event on loopback, on a machine that is busy with other things. */
const EVENT_WITHIN_MS = 5_000;

const CALLER = { signal: new AbortController().signal };

export async function main(options: readonly string[]): Promise<void> {
  const value = (name: string, otherwise: number) => {
    const at = options.indexOf(name);
    return at === -1 ? otherwise : Number(options[at + 1]);
  };
  const clients = value("--clients", DEFAULT_CLIENTS);
  const active = value("--active", DEFAULT_ACTIVE);
  const rig = new Rig();
  try {
    await rig.open({ clients, active });
    process.stdout.write(`A panel of a node with ${clients} clients, ${active} of whom are active.\n\n`);
    await benchBytes(rig, value("--seconds", DEFAULT_SECONDS));
    await benchDelay(rig, value("--changes", DEFAULT_CHANGES));
  } finally {
    await rig.close();
  }
}

async function benchBytes(rig: Rig, seconds: number): Promise<void> {
  const messages: Message[] = [];
  let wholeBytes = 0;
  const socket = await rig.connect((message) => messages.push(message));
  await delay(systemClock, SETTLE_MS);
  const first = messages.find(({ event }) => event === "clients.changed");
  const unfollow = rig.api.onEvent((name, payload) => {
    if (name === "clients.changed") wholeBytes += Buffer.byteLength(JSON.stringify({ event: name, payload }));
  });
  messages.length = 0;
  const beforeMs = performance.now();
  await delay(systemClock, seconds * 1000);
  const tookSeconds = (performance.now() - beforeMs) / 1000;
  unfollow();
  socket.terminate();
  const names = [...new Set(messages.map(({ event }) => event))].toSorted();
  const rows = names.map((name) => {
    const ofKind = messages.filter(({ event }) => event === name);
    const bytes = ofKind.reduce((sum, message) => sum + message.bytes, 0);
    return [name, (ofKind.length / tookSeconds).toFixed(2), kilobytes(bytes / tookSeconds)];
  });
  const sum = (event: (name: string) => boolean) =>
    messages.filter((message) => event(message.event)).reduce((total, message) => total + message.bytes, 0);
  const told = sum((name) => name.startsWith("clients."));
  process.stdout.write(
    `${table(["event", "per second", "kB/s"], [...rows, ["all", "", kilobytes(sum(() => true) / tookSeconds)]])}\n\n` +
      `The list once, at the beginning: ${kilobytes(first?.bytes ?? 0)} kB. As whole lists the same changes are ` +
      `${kilobytes(wholeBytes / tookSeconds)} kB/s; as deltas ${((100 * told) / wholeBytes).toFixed(1)} % of that.\n\n`,
  );
}

/** Each change pauses or resumes a client; the clock starts when the node says so to its hosts, and when it was asked. */
async function benchDelay(rig: Rig, changes: number): Promise<void> {
  let waiting: { name: string; paused: boolean; done: (atMs: number) => void } | undefined;
  const socket = await rig.connect(({ text, atMs }) => {
    if (waiting === undefined || !text.startsWith('{"event":"clients.')) return;
    const { payload } = JSON.parse(text) as { payload: { changed?: Shown[]; value?: Shown[] } };
    const { name, paused, done } = waiting;
    const client = (payload.changed ?? payload.value ?? []).find((one) => one.name === name);
    if (client?.paused === paused) done(atMs);
  });
  await delay(systemClock, 1_000);
  let saidMs = 0;
  const unfollow = rig.api.onEvent((event) => {
    if (event === "clients.changed" && waiting !== undefined) saidMs ||= performance.now();
  });
  const fromSaid: number[] = [];
  const fromAsked: number[] = [];
  for (let change = 0; change < changes; change++) {
    // Each client is paused, then resumed.
    const paused = change % 2 === 0;
    const name = `Client ${Math.floor(change / 2)}`;
    saidMs = 0;
    const arrived = new Promise<number>((resolve, reject) => {
      waiting = { name, paused, done: resolve };
      setTimeout(() => reject(new Error("an event did not arrive")), EVENT_WITHIN_MS).unref();
    });
    const askedMs = performance.now();
    const call = rig.api.handlers[paused ? "clients.pause" : "clients.resume"]({ name }, CALLER);
    const atMs = await arrived;
    fromSaid.push(atMs - saidMs);
    fromAsked.push(atMs - askedMs);
    await call;
  }
  unfollow();
  socket.terminate();
  const row = (label: string, ms: number[]) => [
    label,
    median(ms).toFixed(1),
    Math.max(...ms).toFixed(1),
    String(ms.length),
  ];
  process.stdout.write(
    `${table(["to the event on the WebSocket, ms", "median", "longest", "changes"], [row("from the node's state", fromSaid), row("from the call that changed it", fromAsked)])}\n`,
  );
}

interface Shown {
  readonly name: string;
  readonly paused: boolean;
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
