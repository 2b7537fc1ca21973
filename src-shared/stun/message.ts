/**
 * STUN binding requests and answers (RFC 8489): "which address and port do you see me come from?" Pure; no
 * authentication, and of the attributes only those that this one question needs.
 */
import { type Address, formatAddress, parseAddress } from "../net/address.ts";
import type { Endpoint } from "../net/endpoint.ts";

export const STUN_PORT = 3478;
/** A question of ours has 28 octets; a longer one than this is somebody else's protocol. */
export const MAX_STUN_BYTES = 548;

const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112_a442;
export const TRANSACTION_BYTES = 12;

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;

const XOR_MAPPED_ADDRESS = 0x0020;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const FINGERPRINT = 0x8028;
/** RFC 8489, section 14.7: what the CRC is combined with, so that another protocol's CRC is none of ours. */
const FINGERPRINT_XOR = 0x5354_554e;
const FINGERPRINT_BYTES = 8;

/** Attributes below this must be understood, or the request is refused (section 14). */
const COMPREHENSION_OPTIONAL_FROM = 0x8000;
/** Attributes of other STUN usages that a binding request may carry and an answer need not care about. */
const IGNORED: ReadonlySet<number> = new Set([0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0024, 0x0025]);
/** An error answer names at most this many attributes, so that it stays smaller than the request. */
const MAX_UNKNOWN_NAMED = 4;

export interface BindingRequest {
  readonly transaction: Uint8Array;
  readonly fingerprint: boolean;
  /** Attributes this server would have to understand and does not. */
  readonly unknown: readonly number[];
}

/** @param transaction 12 unpredictable octets, by which the answer is told from a forged one */
export function encodeBindingRequest(transaction: Uint8Array): Uint8Array {
  return encode(BINDING_REQUEST, transaction, [], true);
}

/** Undefined for whatever is no binding request of RFC 8489, which is then not answered. */
export function decodeBindingRequest(message: Uint8Array): BindingRequest | undefined {
  const parsed = parse(message);
  if (parsed === undefined || parsed.type !== BINDING_REQUEST) return undefined;
  const types = parsed.attributes.map(({ type }) => type);
  return {
    transaction: parsed.transaction,
    fingerprint: types.includes(FINGERPRINT),
    unknown: types.filter((type) => type < COMPREHENSION_OPTIONAL_FROM && !IGNORED.has(type)),
  };
}

/** The answer to a request that came from `source`: 32 octets for IPv4, 44 for IPv6, 8 more with a fingerprint. */
export function encodeBindingAnswer(request: BindingRequest, source: { address: Address; port: number }): Uint8Array {
  const { transaction, fingerprint, unknown } = request;
  if (unknown.length > 0) return encodeUnknown(request);
  const octets = addressOctets(source.address);
  const value = new Uint8Array(4 + octets.length);
  const view = new DataView(value.buffer);
  value[1] = source.address.family === 4 ? 1 : 2;
  view.setUint16(2, source.port ^ (MAGIC_COOKIE >>> 16));
  value.set(xored(octets, transaction), 4);
  return encode(BINDING_SUCCESS, transaction, [{ type: XOR_MAPPED_ADDRESS, value }], fingerprint);
}

/** Where the server saw the request come from; undefined for anything but a success answer to this transaction. */
export function decodeBindingAnswer(message: Uint8Array, transaction: Uint8Array): Endpoint | undefined {
  const parsed = parse(message);
  if (parsed === undefined || parsed.type !== BINDING_SUCCESS) return undefined;
  if (!parsed.transaction.every((octet, index) => octet === transaction[index])) return undefined;
  const mapped = parsed.attributes.find(({ type }) => type === XOR_MAPPED_ADDRESS)?.value;
  if (mapped === undefined || mapped.length < 8) return undefined;
  const family = mapped[1] === 1 ? 4 : mapped[1] === 2 ? 6 : undefined;
  if (family === undefined || mapped.length !== (family === 4 ? 8 : 20)) return undefined;
  const port = viewOf(mapped).getUint16(2) ^ (MAGIC_COOKIE >>> 16);
  let value = 0n;
  for (const octet of xored(mapped.subarray(4), transaction)) value = (value << 8n) | BigInt(octet);
  return port === 0 ? undefined : { host: formatAddress({ family, value }), port };
}

/** 420 Unknown Attribute (section 14.8), without words. */
function encodeUnknown({ transaction, fingerprint, unknown }: BindingRequest): Uint8Array {
  const named = unknown.slice(0, MAX_UNKNOWN_NAMED);
  const list = new Uint8Array(named.length * 2);
  named.forEach((type, index) => {
    viewOf(list).setUint16(index * 2, type);
  });
  const attributes = [
    { type: ERROR_CODE, value: Uint8Array.of(0, 0, 4, 20) },
    { type: UNKNOWN_ATTRIBUTES, value: list },
  ];
  return encode(BINDING_ERROR, transaction, attributes, fingerprint);
}

interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

function encode(type: number, transaction: Uint8Array, attributes: readonly Attribute[], fingerprint: boolean) {
  if (transaction.length !== TRANSACTION_BYTES) throw new RangeError("a STUN transaction id has 12 octets");
  const bodyBytes = attributes.reduce((total, { value }) => total + 4 + padded(value.length), 0);
  const message = new Uint8Array(HEADER_BYTES + bodyBytes + (fingerprint ? FINGERPRINT_BYTES : 0));
  const view = viewOf(message);
  view.setUint16(0, type);
  // The length counts the fingerprint before it is there (section 14.7).
  view.setUint16(2, message.length - HEADER_BYTES);
  view.setUint32(4, MAGIC_COOKIE);
  message.set(transaction, 8);
  let at = HEADER_BYTES;
  for (const attribute of attributes) {
    view.setUint16(at, attribute.type);
    view.setUint16(at + 2, attribute.value.length);
    message.set(attribute.value, at + 4);
    at += 4 + padded(attribute.value.length);
  }
  if (fingerprint) {
    view.setUint16(at, FINGERPRINT);
    view.setUint16(at + 2, 4);
    view.setUint32(at + 4, (crc32(message.subarray(0, at)) ^ FINGERPRINT_XOR) >>> 0);
  }
  return message;
}

interface Parsed {
  readonly type: number;
  readonly transaction: Uint8Array;
  readonly attributes: readonly Attribute[];
}

/** Header and attributes; undefined when any length is wrong, or a fingerprint is not last or not right. */
function parse(message: Uint8Array): Parsed | undefined {
  if (message.length < HEADER_BYTES || message.length > MAX_STUN_BYTES || message.length % 4 !== 0) return undefined;
  const view = viewOf(message);
  const type = view.getUint16(0);
  if ((type & 0xc000) !== 0 || view.getUint32(4) !== MAGIC_COOKIE) return undefined;
  if (view.getUint16(2) !== message.length - HEADER_BYTES) return undefined;
  const attributes: Attribute[] = [];
  for (let at = HEADER_BYTES; at < message.length; ) {
    const length = view.getUint16(at + 2);
    const end = at + 4 + length;
    if (end > message.length) return undefined;
    const attribute = { type: view.getUint16(at), value: message.subarray(at + 4, end) };
    attributes.push(attribute);
    if (attribute.type === FINGERPRINT) {
      if (length !== 4 || end !== message.length) return undefined;
      if (view.getUint32(at + 4) !== (crc32(message.subarray(0, at)) ^ FINGERPRINT_XOR) >>> 0) return undefined;
    }
    at += 4 + padded(length);
  }
  return { type, transaction: message.slice(8, HEADER_BYTES), attributes };
}

/** An address combined with the cookie and the transaction (section 14.2), so that no router "corrects" it on its way. */
function xored(octets: Uint8Array, transaction: Uint8Array): Uint8Array {
  const mask = new Uint8Array(4 + TRANSACTION_BYTES);
  viewOf(mask).setUint32(0, MAGIC_COOKIE);
  mask.set(transaction, 4);
  return octets.map((octet, index) => octet ^ (mask[index] ?? 0));
}

function addressOctets({ family, value }: Address): Uint8Array {
  const octets = new Uint8Array(family === 4 ? 4 : 16);
  for (let index = octets.length - 1, rest = value; index >= 0; index--, rest >>= 8n)
    octets[index] = Number(rest & 0xffn);
  return octets;
}

/** The source of a datagram as an address, IPv4 without IPv6 clothes; undefined where it is none. */
export function sourceOf(text: string): Address | undefined {
  const plain = text.split("%")[0] ?? "";
  return parseAddress(plain.startsWith("::ffff:") && plain.includes(".") ? plain.slice(7) : plain);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}

/** CRC-32 as in ITU V.42 (section 14.7), bit by bit: messages are short. */
function crc32(octets: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
