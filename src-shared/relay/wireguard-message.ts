/**
 * The outside of WireGuard's messages (WireGuard paper, section 5.4), which is all a relay can see: type,
 * lengths, and the random 32-bit indices by which either end names a session. They tell what is worth
 * carrying, and they prove a source address: an index that a node has just made up in an answer can be
 * repeated only by someone who received that answer.
 */

export const WIREGUARD_INITIATION = 1;
export const WIREGUARD_RESPONSE = 2;
const WIREGUARD_COOKIE = 3;
export const WIREGUARD_DATA = 4;

const INITIATION_BYTES = 148;
const RESPONSE_BYTES = 92;
const COOKIE_BYTES = 64;
/** Header of 16 bytes and the authentication tag of an empty packet: a keepalive. */
const MIN_DATA_BYTES = 32;

export type WireguardMessageType = 1 | 2 | 3 | 4;

/** The type of a WireGuard message, undefined for bytes that cannot be one. */
export function wireguardMessageType(bytes: Uint8Array): WireguardMessageType | undefined {
  if (bytes.length < MIN_DATA_BYTES || bytes[1] !== 0 || bytes[2] !== 0 || bytes[3] !== 0) return undefined;
  switch (bytes[0]) {
    case WIREGUARD_INITIATION:
      return bytes.length === INITIATION_BYTES ? WIREGUARD_INITIATION : undefined;
    case WIREGUARD_RESPONSE:
      return bytes.length === RESPONSE_BYTES ? WIREGUARD_RESPONSE : undefined;
    case WIREGUARD_COOKIE:
      return bytes.length === COOKIE_BYTES ? WIREGUARD_COOKIE : undefined;
    // Plaintext is padded to 16 bytes, but never beyond the sender's MTU: a full packet can have any length.
    case WIREGUARD_DATA:
      return WIREGUARD_DATA;
    default:
      return undefined;
  }
}

/** The index the sender of an initiation or a response chose for itself. */
export function senderIndex(bytes: Uint8Array, type: WireguardMessageType): number | undefined {
  return type === WIREGUARD_INITIATION || type === WIREGUARD_RESPONSE ? readU32le(bytes, 4) : undefined;
}

/** The index a response, a cookie reply or a data message is addressed to. */
export function receiverIndex(bytes: Uint8Array, type: WireguardMessageType): number | undefined {
  switch (type) {
    case WIREGUARD_INITIATION:
      return undefined;
    case WIREGUARD_RESPONSE:
      return readU32le(bytes, 8);
    case WIREGUARD_COOKIE:
    case WIREGUARD_DATA:
      return readU32le(bytes, 4);
  }
}

function readU32le(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
