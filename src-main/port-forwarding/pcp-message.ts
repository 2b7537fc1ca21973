/** PCP, the Port Control Protocol (RFC 6887): requests and answers as octets. Pure. */
import { Buffer } from "node:buffer";
import { formatAddress, parseAddress } from "../../src-shared/net/address.ts";
import type { Transport } from "./mapping.ts";

const PCP_VERSION = 2;

/** RFC 6887, section 7: no message is longer. */
export const MAX_PCP_BYTES = 1100;
const HEADER_BYTES = 24;
const MAP_BYTES = 36;
export const PCP_NONCE_BYTES = 12;

const RESPONSE_BIT = 0x80;
const OPCODE_ANNOUNCE = 0;
const OPCODE_MAP = 1;

/** IANA protocol numbers. */
const PROTOCOL_NUMBERS = { udp: 17, tcp: 6 } as const;

/** Result codes (RFC 6887, section 7.4). */
export const PCP_RESULT = {
  success: 0,
  unsupportedVersion: 1,
  notAuthorised: 2,
  malformedRequest: 3,
  unsupportedOpcode: 4,
  unsupportedOption: 5,
  malformedOption: 6,
  networkFailure: 7,
  noResources: 8,
  unsupportedProtocol: 9,
  userExceededQuota: 10,
  cannotProvideExternal: 11,
  addressMismatch: 12,
  excessiveRemotePeers: 13,
} as const;

export interface PcpMapRequest {
  /** The address the request comes from: the router refuses one that differs (ADDRESS_MISMATCH). */
  clientAddress: string;
  /** 12 octets; the same for every message about one mapping. */
  nonce: Uint8Array;
  transport: Transport;
  internalPort: number;
  /** 0 where no port is preferred. */
  suggestedExternalPort: number;
  /** Undefined where no address is preferred. */
  suggestedExternalAddress?: string;
  /** 0 deletes. */
  lifetimeSeconds: number;
}

/** A MAP request of 60 octets (sections 7.1 and 11.1). No PREFER_FAILURE option: routers ignore it, and what is granted is compared. */
export function encodePcpMap(request: PcpMapRequest): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + MAP_BYTES);
  writeRequestHeader(message, OPCODE_MAP, request.lifetimeSeconds, request.clientAddress);
  if (request.nonce.length !== PCP_NONCE_BYTES) throw new RangeError("a PCP nonce has 12 octets");
  message.set(request.nonce, 24);
  message[36] = PROTOCOL_NUMBERS[request.transport];
  message.writeUInt16BE(request.internalPort, 40);
  message.writeUInt16BE(request.suggestedExternalPort, 42);
  // The all-zeros address of the client's own family stands for no preference (section 11.1).
  const noPreference = request.clientAddress.includes(":") ? "::" : "0.0.0.0";
  message.set(addressOctets(request.suggestedExternalAddress ?? noPreference), 44);
  return message;
}

/** An ANNOUNCE request: asks for nothing but an answer with the epoch (section 14.1). */
export function encodePcpAnnounce(clientAddress: string): Buffer {
  const message = Buffer.alloc(HEADER_BYTES);
  writeRequestHeader(message, OPCODE_ANNOUNCE, 0, clientAddress);
  return message;
}

function writeRequestHeader(message: Buffer, opcode: number, lifetimeSeconds: number, clientAddress: string): void {
  message[0] = PCP_VERSION;
  message[1] = opcode;
  message.writeUInt32BE(lifetimeSeconds, 4);
  message.set(addressOctets(clientAddress), 8);
}

interface PcpAnswerHeader {
  resultCode: number;
  /** Of the mapping; with an error, how long the error is expected to last. */
  lifetimeSeconds: number;
  /** Seconds since the router lost or gained its mappings' state (section 8.5). */
  epochSeconds: number;
}

export type PcpAnswer =
  | (PcpAnswerHeader & { opcode: "announce" })
  | (PcpAnswerHeader & {
      opcode: "map";
      nonce: Buffer;
      transport: Transport;
      internalPort: number;
      externalPort: number;
      /** With an error, whatever the router put there. */
      externalAddress: string;
    })
  /** A router that speaks only NAT-PMP or another version of PCP says so in its own format (section 9). */
  | { opcode: "unsupported-version"; version: number };

/** An answer or an announcement; undefined for anything that is none. Options after the fixed part are skipped. */
export function decodePcpAnswer(message: Uint8Array): PcpAnswer | undefined {
  if (message.length < 4 || message.length > MAX_PCP_BYTES) return undefined;
  const view = Buffer.from(message.buffer, message.byteOffset, message.length);
  const version = view.readUInt8(0);
  const opcodeOctet = view.readUInt8(1);
  if ((opcodeOctet & RESPONSE_BIT) === 0) return undefined;
  if (version !== PCP_VERSION) {
    // NAT-PMP has its result in octets 2 and 3, PCP in octet 3 alone: 1 means unsupported version in both.
    return view.readUInt8(3) === PCP_RESULT.unsupportedVersion ? { opcode: "unsupported-version", version } : undefined;
  }
  if (message.length < HEADER_BYTES || message.length % 4 !== 0) return undefined;
  const header = {
    resultCode: view.readUInt8(3),
    lifetimeSeconds: view.readUInt32BE(4),
    epochSeconds: view.readUInt32BE(8),
  };
  if (header.resultCode === PCP_RESULT.unsupportedVersion) return { opcode: "unsupported-version", version };
  switch (opcodeOctet & ~RESPONSE_BIT) {
    case OPCODE_ANNOUNCE:
      return { ...header, opcode: "announce" };
    case OPCODE_MAP:
      return decodeMap(view, header);
    default:
      return undefined;
  }
}

function decodeMap(view: Buffer, header: PcpAnswerHeader): PcpAnswer | undefined {
  if (view.length < HEADER_BYTES + MAP_BYTES) return undefined;
  const protocol = view.readUInt8(36);
  const transport = protocol === PROTOCOL_NUMBERS.udp ? "udp" : protocol === PROTOCOL_NUMBERS.tcp ? "tcp" : undefined;
  if (transport === undefined) return undefined;
  return {
    ...header,
    opcode: "map",
    nonce: Buffer.from(view.subarray(24, 36)),
    transport,
    internalPort: view.readUInt16BE(40),
    externalPort: view.readUInt16BE(42),
    externalAddress: addressText(view.subarray(44, 60)),
  };
}

/** 16 octets; IPv4 as ::ffff:a.b.c.d (section 5). Throws TypeError for what is no address. */
function addressOctets(text: string): Buffer {
  const address = parseAddress(text);
  if (address === undefined) throw new TypeError("not an address");
  const octets = Buffer.alloc(16);
  const value = address.family === 4 ? (0xffffn << 32n) | address.value : address.value;
  octets.writeBigUInt64BE(value >> 64n, 0);
  octets.writeBigUInt64BE(value & 0xffff_ffff_ffff_ffffn, 8);
  return octets;
}

function addressText(octets: Buffer): string {
  const value = (octets.readBigUInt64BE(0) << 64n) | octets.readBigUInt64BE(8);
  return value >> 32n === 0xffffn
    ? formatAddress({ family: 4, value: value & 0xffff_ffffn })
    : formatAddress({ family: 6, value });
}
