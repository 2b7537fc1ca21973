/**
 * Binary messages of `higgs-relay.v1`: `u8 type`, then the body.
 *
 * Type 1 carries datagrams, `{u16be session, u16be length, payload}*` to the end of the message. There is
 * no count, so one datagram has the same form as many; length 0 is invalid, and the walk must end exactly
 * at the end of the message. Type 2 carries one deflated control message (control.ts).
 *
 * A receiver walks offsets: nothing is copied or allocated per datagram before the caller asks for it, and
 * no datagram of a malformed message is ever handed on.
 */
import { fail, ok, type Result } from "../result.ts";

/** Value of Sec-WebSocket-Protocol; the version is in the name, so that an old peer is refused at the upgrade. */
export const RELAY_PROTOCOL = "higgs-relay.v1";

export const DATAGRAMS_TYPE = 1;
export const DEFLATED_CONTROL_TYPE = 2;

/** Type byte. */
export const MESSAGE_HEADER_BYTES = 1;
/** Session id and length. */
export const DATAGRAM_HEADER_BYTES = 4;
/** Longest binary message either side sends: one full u16 length with its headers, rounded to a power of two. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Where the WebSocket itself gives up; twice the limit, so that our own refusal with its reason comes first. */
export const MAX_WEBSOCKET_PAYLOAD_BYTES = 128 * 1024;
/** Longest datagram that fits one message; above the 65,507 bytes UDP over IPv4 can carry. */
export const MAX_DATAGRAM_BYTES = MAX_MESSAGE_BYTES - MESSAGE_HEADER_BYTES - DATAGRAM_HEADER_BYTES;
export const MAX_SESSION_ID = 0xffff;

export interface Datagram {
  /** 0 to 65535. */
  readonly session: number;
  /** 1 to `MAX_DATAGRAM_BYTES` bytes. */
  readonly payload: Uint8Array;
}

/** Called with the half-open range of one payload within the message. */
export type DatagramVisitor = (session: number, start: number, end: number) => void;

export type FrameFault = "message-too-long" | "message-empty" | "wrong-type" | "datagram-empty" | "datagram-truncated";

const FAULT_TEXT: Record<FrameFault, string> = {
  "message-too-long": `a binary message is longer than ${MAX_MESSAGE_BYTES} bytes`,
  "message-empty": "a binary message has no type byte",
  "wrong-type": "a binary message is of no known type",
  "datagram-empty": "a datagram has length 0",
  "datagram-truncated": "a datagram does not end within its message",
};

export function describeFrameFault(fault: FrameFault): string {
  return FAULT_TEXT[fault];
}

/** The fault of a type 1 message, undefined when it is well formed. Allocates nothing. */
export function checkDatagrams(message: Uint8Array): FrameFault | undefined {
  const length = message.length;
  if (length > MAX_MESSAGE_BYTES) return "message-too-long";
  if (length === 0) return "message-empty";
  if (message[0] !== DATAGRAMS_TYPE) return "wrong-type";
  let at = MESSAGE_HEADER_BYTES;
  while (at < length) {
    if (length - at < DATAGRAM_HEADER_BYTES) return "datagram-truncated";
    const size = readU16(message, at + 2);
    if (size === 0) return "datagram-empty";
    at += DATAGRAM_HEADER_BYTES + size;
  }
  return at === length ? undefined : "datagram-truncated";
}

/** Visits every datagram of a type 1 message in order; of a malformed one it visits none and returns the fault. */
export function walkDatagrams(message: Uint8Array, visit: DatagramVisitor): FrameFault | undefined {
  const fault = checkDatagrams(message);
  if (fault !== undefined) return fault;
  let at = MESSAGE_HEADER_BYTES;
  while (at < message.length) {
    const start = at + DATAGRAM_HEADER_BYTES;
    const end = start + readU16(message, at + 2);
    visit(readU16(message, at), start, end);
    at = end;
  }
  return undefined;
}

/** The datagrams of a type 1 message, their payloads views into it. Fails with the fault as its code. */
export function decodeDatagrams(message: Uint8Array): Result<Datagram[]> {
  const datagrams: Datagram[] = [];
  const fault = walkDatagrams(message, (session, start, end) => {
    datagrams.push({ session, payload: message.subarray(start, end) });
  });
  return fault === undefined ? ok(datagrams) : fail(fault, FAULT_TEXT[fault]);
}

/** One type 1 message. Throws RangeError for a session, payload or sum the format cannot carry. */
export function encodeDatagrams(datagrams: readonly Datagram[]): Uint8Array {
  let length = MESSAGE_HEADER_BYTES;
  for (const { payload } of datagrams) length += DATAGRAM_HEADER_BYTES + payload.length;
  if (length > MAX_MESSAGE_BYTES) throw new RangeError(FAULT_TEXT["message-too-long"]);
  const message = new Uint8Array(length);
  message[0] = DATAGRAMS_TYPE;
  let at = MESSAGE_HEADER_BYTES;
  for (const { session, payload } of datagrams) at = writeDatagram(message, at, session, payload);
  return message;
}

/** Writes one datagram at `at` and returns where the next begins. The caller has made sure that it fits. */
export function writeDatagram(target: Uint8Array, at: number, session: number, payload: Uint8Array): number {
  const length = payload.length;
  if (length === 0 || length > MAX_DATAGRAM_BYTES) throw new RangeError(`a datagram of ${length} bytes cannot be sent`);
  if (!Number.isInteger(session) || session < 0 || session > MAX_SESSION_ID) {
    throw new RangeError(`${session} is no session id`);
  }
  target[at] = session >>> 8;
  target[at + 1] = session & 0xff;
  target[at + 2] = length >>> 8;
  target[at + 3] = length & 0xff;
  target.set(payload, at + DATAGRAM_HEADER_BYTES);
  return at + DATAGRAM_HEADER_BYTES + length;
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
