/**
 * One question to the session's D-Bus: does a desktop show status icons? Electron makes a Tray without complaint
 * where nobody shows it, and an app that then hides its window cannot be found again.
 *
 *   connect ─▶ AUTH EXTERNAL ─▶ Hello ─▶ Get(IsStatusNotifierHostRegistered) ─▶ yes or no
 *
 * D-Bus Specification, "Authentication Protocol" and "Message Format".
 */
import { connect, type Socket } from "node:net";
import type { Clock } from "../../src-shared/clock.ts";

/** A bus of this machine answers within milliseconds; a start must not wait for one that hangs. */
const ANSWER_WITHIN_MS = 2_000;

/** Far more than two short answers and a signal. */
const MAX_ANSWER_BYTES = 64 * 1024;

const METHOD_RETURN = 2;
const ERROR = 3;

export interface StatusHostOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly clock: Clock;
}

/** False where there is no session bus, no watcher, no host, or no answer in time. */
export function hasStatusNotifierHost({ env, uid, clock }: StatusHostOptions): Promise<boolean> {
  const socketPath = busSocketPath(env);
  if (socketPath === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const end = (answer: boolean) => {
      cancelTimer();
      socket.destroy();
      resolve(answer);
    };
    const cancelTimer = clock.after(ANSWER_WITHIN_MS, () => end(false));
    socket.on("error", () => end(false));
    socket.on("close", () => end(false));
    ask(socket, uid, end);
  });
}

function ask(socket: Socket, uid: number, end: (answer: boolean) => void): void {
  let received: Buffer = Buffer.alloc(0);
  let isIn = false;
  let answers = 0;
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(uid)).toString("hex")}\r\n`);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length > MAX_ANSWER_BYTES) return end(false);
    if (!isIn) {
      const line = received.indexOf("\r\n");
      if (line < 0) return;
      if (!received.subarray(0, 3).equals(Buffer.from("OK "))) return end(false);
      received = received.subarray(line + 2);
      isIn = true;
      socket.write("BEGIN\r\n");
      socket.write(methodCall(1, BUS, "/org/freedesktop/DBus", BUS, "Hello", []));
      socket.write(methodCall(2, WATCHER, "/StatusNotifierWatcher", PROPERTIES, "Get", [WATCHER, HOST_PROPERTY]));
    }
    for (;;) {
      const message = nextMessage(received);
      if (message === undefined) return;
      received = received.subarray(message.bytes);
      if (message.type !== METHOD_RETURN && message.type !== ERROR) continue;
      answers++;
      // The bus answers Hello before it passes anything on.
      if (answers === 2) return end(message.type === METHOD_RETURN && isTrue(message));
    }
  });
}

const BUS = "org.freedesktop.DBus";
const PROPERTIES = "org.freedesktop.DBus.Properties";
const WATCHER = "org.kde.StatusNotifierWatcher";
const HOST_PROPERTY = "IsStatusNotifierHostRegistered";

/** The first Unix socket of `DBUS_SESSION_BUS_ADDRESS`, else systemd's place for it. */
export function busSocketPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const address of (env.DBUS_SESSION_BUS_ADDRESS ?? "").split(";")) {
    const [transport, options = ""] = address.split(":", 2);
    if (transport !== "unix") continue;
    const pairs = new Map(options.split(",").map((pair) => pair.split("=", 2) as [string, string]));
    const abstract = pairs.get("abstract");
    const place = pairs.get("path") ?? (abstract === undefined ? undefined : `\0${abstract}`);
    if (place !== undefined) return unescaped(place);
  }
  const runtime = env.XDG_RUNTIME_DIR;
  return runtime === undefined || runtime === "" ? undefined : `${runtime}/bus`;
}

function unescaped(value: string): string {
  return value.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A method call with string arguments, little-endian. */
function methodCall(
  serial: number,
  destination: string,
  object: string,
  contract: string,
  member: string,
  args: readonly string[],
): Buffer {
  const body = joined(args.map((text) => [4, stringOf(text)]));
  const fields = joined([
    [8, field(1, "o", stringOf(object))],
    [8, field(2, "s", stringOf(contract))],
    [8, field(3, "s", stringOf(member))],
    [8, field(6, "s", stringOf(destination))],
    ...(args.length === 0 ? [] : ([[8, field(8, "g", signatureOf("s".repeat(args.length)))]] as [number, Buffer][])),
  ]);
  // Little-endian, METHOD_CALL, NO_AUTO_START, protocol version 1.
  const head = Buffer.concat([Buffer.from([0x6c, 1, 2, 1]), u32(body.length), u32(serial), u32(fields.length)]);
  return joined([
    [1, head],
    [1, fields],
    [8, body],
  ]);
}

function field(code: number, signature: string, value: Buffer): Buffer {
  const head = Buffer.concat([Buffer.from([code]), signatureOf(signature)]);
  return joined([
    [1, head],
    [signature === "g" ? 1 : 4, value],
  ]);
}

/** Pieces one after the other, each padded with zeros to its alignment. */
function joined(pieces: readonly (readonly [alignment: number, bytes: Buffer])[]): Buffer {
  let all: Buffer = Buffer.alloc(0);
  for (const [alignment, bytes] of pieces)
    all = Buffer.concat([all, Buffer.alloc(padding(all.length, alignment)), bytes]);
  return all;
}

function padding(length: number, alignment: number): number {
  return (alignment - (length % alignment)) % alignment;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function stringOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u32(bytes.length), bytes, Buffer.alloc(1)]);
}

function signatureOf(signature: string): Buffer {
  return Buffer.concat([Buffer.from([signature.length]), Buffer.from(signature), Buffer.alloc(1)]);
}

interface Message {
  readonly type: number;
  readonly body: Buffer;
  readonly isLittle: boolean;
  /** Of the whole message. */
  readonly bytes: number;
}

const FIXED_HEADER_BYTES = 16;

/** The first message in `bytes`; undefined while it is not there to its end. */
function nextMessage(bytes: Buffer): Message | undefined {
  if (bytes.length < FIXED_HEADER_BYTES) return undefined;
  const isLittle = bytes[0] === 0x6c;
  const bodyBytes = uintAt(bytes, 4, isLittle);
  const fieldsEnd = FIXED_HEADER_BYTES + uintAt(bytes, 12, isLittle);
  const start = fieldsEnd + padding(fieldsEnd, 8);
  if (bytes.length < start + bodyBytes) return undefined;
  return {
    type: bytes[1] ?? 0,
    body: bytes.subarray(start, start + bodyBytes),
    isLittle,
    bytes: start + bodyBytes,
  };
}

function uintAt(bytes: Buffer, offset: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
}

/** A variant that holds the boolean true: signature "b", padded to four, a number. */
function isTrue({ body, isLittle }: Message): boolean {
  return body.length >= 8 && body.subarray(0, 3).equals(Buffer.from([1, 0x62, 0])) && uintAt(body, 4, isLittle) === 1;
}
