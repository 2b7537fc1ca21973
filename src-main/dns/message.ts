/**
 * DNS messages as far as a forwarder touches them (RFC 1035, section 4; EDNS: RFC 6891). A guest's query is
 * never passed on: only its question is, in a message of our own, so that nothing else a guest or its programs put in
 * (client subnet, cookies) reaches the owner's resolvers.
 */
import { decode } from "dns-packet";

const HEADER_BYTES = 12;

/** Fits every path without fragments (DNS Flag Day 2020). */
const EDNS_UDP_BYTES = 1232;

/** What a UDP client can take that does not say otherwise (RFC 1035, section 2.3.4). */
const PLAIN_UDP_BYTES = 512;

export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const;

const FLAG = { response: 0x8000, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 } as const;
/** Opcode, and the bits a forwarder passes on: AD and CD (RFC 4035, section 3.2). */
const OPCODE_MASK = 0x7800;
const DNSSEC_BITS = 0x0030;

export interface DnsQuery {
  readonly id: number;
  /** The question section as it came: name, type, class. */
  readonly question: Buffer;
  /** The name asked for, lower case, without the final dot. */
  readonly name: string;
  /** Type asked for, as dns-packet names it: `A`, `AAAA`, `UNKNOWN_65`. */
  readonly type: string;
  readonly dnssecBits: number;
  readonly edns: { readonly udpBytes: number; readonly dnssecOk: boolean } | null;
}

export type ReadQuery =
  | { kind: "query"; query: DnsQuery }
  /** Answered without asking anybody. */
  | { kind: "answer"; message: Buffer }
  | { kind: "drop" };

/** Reads what a guest sent. Whatever it is, this returns; a message that is no query gets no answer (no loops). */
export function readQuery(message: Buffer): ReadQuery {
  if (message.length < HEADER_BYTES) return { kind: "drop" };
  const flags = message.readUInt16BE(2);
  if ((flags & FLAG.response) !== 0) return { kind: "drop" };
  if ((flags & OPCODE_MASK) !== 0) return { kind: "answer", message: bareAnswer(message, RCODE.notImplemented) };
  const question = questionOf(message);
  if (question === undefined || message.readUInt16BE(4) !== 1) {
    return { kind: "answer", message: bareAnswer(message, RCODE.formatError) };
  }
  try {
    const packet = decode(message);
    const name = packet.questions?.[0]?.name ?? "";
    const opt = packet.additionals?.find((record) => record.type === "OPT");
    return {
      kind: "query",
      query: {
        id: message.readUInt16BE(0),
        question,
        name: name === "." ? "" : name.toLowerCase(),
        type: packet.questions?.[0]?.type ?? "",
        dnssecBits: flags & DNSSEC_BITS,
        edns:
          opt?.type === "OPT"
            ? { udpBytes: Math.max(opt.udpPayloadSize, PLAIN_UDP_BYTES), dnssecOk: opt.flag_do }
            : null,
      },
    };
  } catch {
    return { kind: "answer", message: bareAnswer(message, RCODE.formatError) };
  }
}

/** The query we send in place of the guest's: its question, an id of ours, recursion wanted. */
export function buildUpstreamQuery(query: DnsQuery, id: number): Buffer {
  const flags = FLAG.recursionDesired | query.dnssecBits;
  const opt = optRecord(query);
  return Buffer.concat([header(id, flags, opt.length > 0 ? 1 : 0), query.question, opt]);
}

/** Whether `message` answers what we asked (RFC 5452, section 9.1): id, opcode and question; letters in any case. */
export function isAnswerTo(message: Buffer, query: DnsQuery, id: number): boolean {
  if (message.length < HEADER_BYTES + query.question.length) return false;
  const flags = message.readUInt16BE(2);
  if (message.readUInt16BE(0) !== id || (flags & FLAG.response) === 0 || (flags & OPCODE_MASK) !== 0) return false;
  if (message.readUInt16BE(4) !== 1) return false;
  const answered = message.subarray(HEADER_BYTES, HEADER_BYTES + query.question.length);
  const nameBytes = query.question.length - 4;
  return (
    answered.subarray(nameBytes).equals(query.question.subarray(nameBytes)) &&
    answered.subarray(0, nameBytes).every((byte, at) => lowerCase(byte) === lowerCase(query.question[at] ?? 0))
  );
}

/** TC (RFC 1035, section 4.1.1): whoever asked over UDP asks again over TCP. */
export function isTruncated(message: Buffer): boolean {
  return (message.readUInt16BE(2) & FLAG.truncated) !== 0;
}

/** The four bits of the header; those of EDNS are not looked at. */
export function rcodeOf(message: Buffer): number {
  return message.readUInt16BE(2) & 0x000f;
}

/** The resolver's answer as the guest gets it: under the guest's id, and cut where UDP cannot carry it. */
export function finishAnswer(answer: Buffer, query: DnsQuery, transport: "udp" | "tcp"): Buffer {
  if (transport === "udp" && answer.length > udpLimitOf(query)) {
    const flags = answer.readUInt16BE(2) | FLAG.truncated;
    const opt = optRecord(query);
    return Buffer.concat([header(query.id, flags, opt.length > 0 ? 1 : 0), query.question, opt]);
  }
  const finished = Buffer.from(answer);
  finished.writeUInt16BE(query.id, 0);
  return finished;
}

/** An answer of our own that carries only a result code. */
export function buildEmptyAnswer(query: DnsQuery, rcode: number): Buffer {
  const flags = FLAG.response | FLAG.recursionDesired | FLAG.recursionAvailable | rcode;
  const opt = optRecord(query);
  return Buffer.concat([header(query.id, flags, opt.length > 0 ? 1 : 0), query.question, opt]);
}

/** A message with its length before it (RFC 1035, section 4.2.2). */
export function frameForTcp(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}

function udpLimitOf(query: DnsQuery): number {
  return query.edns === null ? PLAIN_UDP_BYTES : Math.min(query.edns.udpBytes, EDNS_UDP_BYTES);
}

function header(id: number, flags: number, additionals: 0 | 1): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(additionals, 10);
  return bytes;
}

/** The OPT record of RFC 6891, section 6.1.2, without options; empty for a guest that does not speak EDNS. */
function optRecord(query: DnsQuery): Buffer {
  if (query.edns === null) return Buffer.alloc(0);
  const bytes = Buffer.alloc(11);
  bytes.writeUInt16BE(41, 1);
  bytes.writeUInt16BE(udpLimitOf(query), 3);
  if (query.edns.dnssecOk) bytes.writeUInt16BE(0x8000, 7);
  return bytes;
}

/** Answers a message that we could not read: its id and nothing else. */
function bareAnswer(message: Buffer, rcode: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(message.readUInt16BE(0), 0);
  bytes.writeUInt16BE(FLAG.response | FLAG.recursionAvailable | (message.readUInt16BE(2) & OPCODE_MASK) | rcode, 2);
  return bytes;
}

/** The first question as bytes; undefined when it is cut short, too long, or has compression, which no first name needs. */
function questionOf(message: Buffer): Buffer | undefined {
  let at = HEADER_BYTES;
  for (let label = message[at]; label !== 0; label = message[at]) {
    // 255 is the longest name (RFC 1035, section 2.3.4).
    if (label === undefined || label > 63 || at - HEADER_BYTES > 254) return undefined;
    at += 1 + label;
  }
  const end = at + 5;
  if (end > message.length || at - HEADER_BYTES > 254) return undefined;
  return Buffer.from(message.subarray(HEADER_BYTES, end));
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
