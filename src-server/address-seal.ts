/**
 * Guests' addresses as their node keeps them for us: sealed, so that a server which was killed finds its guests
 * again before they speak, and the node learns nothing of where they are.
 *
 *   u8 version, 12 bytes nonce, AES-256-GCM(u48be issued ms, u16be port, address padded with zeros), 16 bytes tag
 *
 * The key is derived per node, and the node and the session id are authenticated with it: a seal is worth
 * something to the node and under the id it was made for only. All seals have the same length.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ISSUED_BYTES = 6;
const PORT_BYTES = 2;
/** The longest text of an IPv6 address, with an IPv4 address at its end. */
const ADDRESS_BYTES = 45;
const PLAIN_BYTES = ISSUED_BYTES + PORT_BYTES + ADDRESS_BYTES;
const SEAL_BYTES = 1 + NONCE_BYTES + PLAIN_BYTES + TAG_BYTES;
const CIPHER = "aes-256-gcm";

export interface SealedAddress {
  /** As the socket named it. */
  readonly address: string;
  readonly port: number;
}

export class AddressSealer {
  #key: Buffer;
  #lifetimeMs: number;

  /** @param key 32 bytes that outlive a restart  @param lifetimeMs how long after it was made a seal is accepted */
  constructor(key: Buffer, lifetimeMs: number) {
    this.#key = key;
    this.#lifetimeMs = lifetimeMs;
  }

  /** In base64url; undefined for an address with a zone, which means nothing after a restart. `nowMs`: wall clock. */
  seal(node: string, session: number, { address, port }: SealedAddress, nowMs: number): string | undefined {
    if (Buffer.byteLength(address) > ADDRESS_BYTES || address.includes("%")) return undefined;
    const plain = Buffer.alloc(PLAIN_BYTES);
    plain.writeUIntBE(Math.floor(nowMs), 0, ISSUED_BYTES);
    plain.writeUInt16BE(port, ISSUED_BYTES);
    plain.write(address, ISSUED_BYTES + PORT_BYTES, "latin1");
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keyOf(node), nonce);
    cipher.setAAD(associated(node, session));
    const sealed = Buffer.concat([
      Buffer.of(VERSION),
      nonce,
      cipher.update(plain),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return sealed.toString("base64url");
  }

  /** Undefined for what was not sealed here, for this node and this session, or too long ago. */
  open(node: string, session: number, seal: string, nowMs: number): SealedAddress | undefined {
    const sealed = Buffer.from(seal, "base64url");
    if (sealed.length !== SEAL_BYTES || sealed[0] !== VERSION) return undefined;
    const plain = this.#decrypt(node, session, sealed);
    if (plain === undefined || nowMs - plain.readUIntBE(0, ISSUED_BYTES) > this.#lifetimeMs) return undefined;
    const text = plain.toString("latin1", ISSUED_BYTES + PORT_BYTES);
    const end = text.indexOf("\0");
    return { address: end === -1 ? text : text.slice(0, end), port: plain.readUInt16BE(ISSUED_BYTES) };
  }

  #decrypt(node: string, session: number, sealed: Buffer): Buffer | undefined {
    const from = 1 + NONCE_BYTES;
    const to = from + PLAIN_BYTES;
    const options = { authTagLength: TAG_BYTES };
    try {
      const decipher = createDecipheriv(CIPHER, this.#keyOf(node), sealed.subarray(1, from), options);
      decipher.setAAD(associated(node, session));
      decipher.setAuthTag(sealed.subarray(to));
      return Buffer.concat([decipher.update(sealed.subarray(from, to)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  /** One key per node keeps random nonces far below the 2^32 uses a key is good for (NIST SP 800-38D, section 8.3). */
  #keyOf(node: string): Buffer {
    return createHmac("sha256", this.#key).update(`address seal\n${node}`).digest();
  }
}

function associated(node: string, session: number): Buffer {
  return Buffer.from(`higgs-relay address seal ${VERSION}\n${node}\n${session}`);
}
