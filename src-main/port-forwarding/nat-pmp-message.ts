/** NAT-PMP, the NAT Port Mapping Protocol (RFC 6886): requests and answers as octets. Pure. */
import { Buffer } from "node:buffer";
import { formatAddress } from "../../src-shared/net/address.ts";
import type { Transport } from "./mapping.ts";

/** PCP and NAT-PMP share the router's port; announcements go to port 5350 of all hosts (RFC 6887, section 19). */
export const MAPPING_SERVER_PORT = 5351;

const VERSION = 0;
const RESPONSE_BIT = 0x80;
const OPCODE_ADDRESS = 0;
const OPCODE_MAP = { udp: 1, tcp: 2 } as const;

const ERROR_BYTES = 8;
const ADDRESS_ANSWER_BYTES = 12;
const MAP_ANSWER_BYTES = 16;

/** Result codes (section 3.5). */
export const NAT_PMP_RESULT = {
  success: 0,
  unsupportedVersion: 1,
  notAuthorised: 2,
  networkFailure: 3,
  outOfResources: 4,
  unsupportedOpcode: 5,
} as const;

/** Asks for the external address (section 3.2). */
export function encodeNatPmpAddressRequest(): Buffer {
  return Buffer.from([VERSION, OPCODE_ADDRESS]);
}

export interface NatPmpMapRequest {
  transport: Transport;
  internalPort: number;
  suggestedExternalPort: number;
  lifetimeSeconds: number;
}

/** Asks for a mapping (section 3.3). */
export function encodeNatPmpMap(request: NatPmpMapRequest): Buffer {
  const message = Buffer.alloc(12);
  message[0] = VERSION;
  message[1] = OPCODE_MAP[request.transport];
  message.writeUInt16BE(request.internalPort, 4);
  message.writeUInt16BE(request.suggestedExternalPort, 6);
  message.writeUInt32BE(request.lifetimeSeconds, 8);
  return message;
}

/** Deletes: external port and lifetime are 0 (section 3.4). */
export function encodeNatPmpUnmap({ transport, internalPort }: Pick<NatPmpMapRequest, "transport" | "internalPort">) {
  return encodeNatPmpMap({ transport, internalPort, suggestedExternalPort: 0, lifetimeSeconds: 0 });
}

interface NatPmpAnswerHeader {
  /** Seconds since the router lost or gained its mappings' state (section 3.6). */
  epochSeconds: number;
}

export type NatPmpAnswer =
  | (NatPmpAnswerHeader & { kind: "address"; externalAddress: string })
  | (NatPmpAnswerHeader & {
      kind: "map";
      transport: Transport;
      internalPort: number;
      externalPort: number;
      lifetimeSeconds: number;
    })
  | (NatPmpAnswerHeader & { kind: "error"; about: "address" | Transport; resultCode: number })
  /** In the format of another version. */
  | { kind: "unsupported-version" };

/** An answer or an announcement; undefined for anything that is none. */
export function decodeNatPmpAnswer(message: Uint8Array): NatPmpAnswer | undefined {
  if (message.length < 4) return undefined;
  const view = Buffer.from(message.buffer, message.byteOffset, message.length);
  const opcodeOctet = view.readUInt8(1);
  if ((opcodeOctet & RESPONSE_BIT) === 0) return undefined;
  if (view.readUInt8(0) !== VERSION) {
    return view.readUInt8(3) === NAT_PMP_RESULT.unsupportedVersion ? { kind: "unsupported-version" } : undefined;
  }
  if (message.length < ERROR_BYTES) return undefined;
  const opcode = opcodeOctet & ~RESPONSE_BIT;
  const about = opcode === OPCODE_ADDRESS ? "address" : opcode === 1 ? "udp" : opcode === 2 ? "tcp" : undefined;
  if (about === undefined) return undefined;
  const resultCode = view.readUInt16BE(2);
  const epochSeconds = view.readUInt32BE(4);
  if (resultCode !== NAT_PMP_RESULT.success) return { kind: "error", about, resultCode, epochSeconds };
  if (about === "address") {
    if (message.length < ADDRESS_ANSWER_BYTES) return undefined;
    const externalAddress = formatAddress({ family: 4, value: BigInt(view.readUInt32BE(8)) });
    return { kind: "address", epochSeconds, externalAddress };
  }
  if (message.length < MAP_ANSWER_BYTES) return undefined;
  return {
    kind: "map",
    transport: about,
    epochSeconds,
    internalPort: view.readUInt16BE(8),
    externalPort: view.readUInt16BE(10),
    lifetimeSeconds: view.readUInt32BE(12),
  };
}
