/**
 * IP addresses and prefixes as values: parsing, formatting and containment for both families.
 * Textual IPv6 follows RFC 5952.
 */
import ipaddr from "ipaddr.js";
import { z } from "zod";

export type Family = 4 | 6;

/** An address as family and number, so that arithmetic is plain bigint arithmetic. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A prefix in canonical form: bits behind `length` are zero. */
export interface Prefix {
  readonly family: Family;
  readonly value: bigint;
  readonly length: number;
}

export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/**
 * A spec with a thousand guests names the same addresses at every change, and parsing them again took longer than
 * changing the kernel. This many addresses take about 2 MiB.
 */
const MAX_REMEMBERED = 16_384;
const remembered = new Map<string, Address>();

/** Parses a strict textual address (dotted quad of four parts, or RFC 4291 text without zone); undefined otherwise. */
export function parseAddress(text: string): Address | undefined {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const parsed = parseAnew(text);
  if (parsed === undefined) return undefined;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(text, parsed);
  return parsed;
}

function parseAnew(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return fromBytes(ipaddr.IPv4.parse(text).toByteArray());
  if (text.includes("%") || !text.includes(":") || !ipaddr.IPv6.isValid(text)) return undefined;
  return fromBytes(ipaddr.IPv6.parse(text).toByteArray());
}

export function formatAddress(address: Address): string {
  const bytes = toBytes(address);
  return address.family === 4 ? bytes.join(".") : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** Parses `address/length` and clears the host bits; undefined when it is not a prefix. */
export function parsePrefix(text: string): Prefix | undefined {
  const parts = splitPrefix(text);
  if (parts === undefined) return undefined;
  const { address, length } = parts;
  return { family: address.family, value: maskTo(address, length), length };
}

/** Parses `address/length` and keeps the host bits, as an interface address has them. */
export function splitPrefix(text: string): { address: Address; length: number } | undefined {
  const match = /^([0-9a-fA-F:.]{2,45})\/(0|[1-9][0-9]{0,2})$/.exec(text);
  if (match === null) return undefined;
  const address = parseAddress(match[1] as string);
  const length = Number(match[2]);
  if (address === undefined || length > bitsOf(address.family)) return undefined;
  return { address, length };
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

export function containsAddress(prefix: Prefix, address: Address): boolean {
  return prefix.family === address.family && maskTo(address, prefix.length) === prefix.value;
}

export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  return inner.length >= outer.length && containsAddress(outer, inner);
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return containsPrefix(a, b) || containsPrefix(b, a);
}

/** The address at `offset` from the start of the prefix. The caller keeps `offset` inside the prefix. */
export function addressAt(prefix: Prefix, offset: bigint): Address {
  return { family: prefix.family, value: prefix.value + offset };
}

/** Number of addresses in the prefix, the first and last included. */
export function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(bitsOf(prefix.family) - prefix.length);
}

export function isInAny(address: Address, prefixes: readonly Prefix[]): boolean {
  return prefixes.some((prefix) => containsAddress(prefix, address));
}

/** A prefix known at build time; a typing error in it is a bug, so it throws. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new TypeError(`not a prefix: ${text}`);
  return parsed;
}

function maskTo(address: Address, length: number): bigint {
  const hostBits = BigInt(bitsOf(address.family) - length);
  return (address.value >> hostBits) << hostBits;
}

function fromBytes(bytes: readonly number[]): Address {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? 4 : 6, value };
}

function toBytes(address: Address): number[] {
  const bytes: number[] = [];
  for (let shift = bitsOf(address.family) - 8; shift >= 0; shift -= 8) {
    bytes.push(Number((address.value >> BigInt(shift)) & 0xffn));
  }
  return bytes;
}

/** A strict address as text, in canonical form. */
export const addressSchema = z
  .string()
  .max(45)
  .refine((text) => parseAddress(text) !== undefined, "not an IP address")
  .transform((text) => formatAddress(parseAddress(text) as Address));

/** A prefix as text with its host bits clear, in canonical form: `10.66.0.0/16`. */
export const prefixSchema = z
  .string()
  .max(49)
  .refine((text) => {
    const parts = splitPrefix(text);
    return parts !== undefined && maskTo(parts.address, parts.length) === parts.address.value;
  }, "not a prefix in the form 10.66.0.0/16 with its host bits zero")
  .transform((text) => formatPrefix(parsePrefix(text) as Prefix));

/** An interface address as text, host bits kept: `10.66.0.1/16`. */
export const interfaceAddressSchema = z
  .string()
  .max(49)
  .refine((text) => splitPrefix(text) !== undefined, "not an address with a prefix length")
  .transform((text) => {
    const { address, length } = splitPrefix(text) as { address: Address; length: number };
    return `${formatAddress(address)}/${length}`;
  });
