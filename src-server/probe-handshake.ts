/**
 * The first half of a WireGuard handshake, as the side that begins it: Noise_IKpsk2 with Curve25519, ChaCha20-Poly1305
 * and BLAKE2s (WireGuard paper, sections 5.4.2 to 5.4.4). No transport key is ever made: what is wanted is the answer.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { blake2s } from "@noble/hashes/blake2.js";

const CONSTRUCTION = Buffer.from("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s");
const IDENTIFIER = Buffer.from("WireGuard v1 zx2c4 Jason@zx2c4.com");
const LABEL_MAC1 = Buffer.from("mac1----");

const KEY_BYTES = 32;
const TAG_BYTES = 16;
export const INITIATION_BYTES = 148;
const MAC1_AT = 116;
const RESPONSE_BYTES = 92;
const COOKIE_REPLY_BYTES = 64;

/** The second 0 of TAI64N (cr.yp.to/libtai/tai64.html), with the ten leap seconds WireGuard counts. */
const TAI64_EPOCH = 0x4000_0000_0000_000an;

const NO_PRESHARED_KEY = Buffer.alloc(KEY_BYTES);
const NONCE_ZERO = Buffer.alloc(12);

export interface ProbeKey {
  readonly privateKey: KeyObject;
  /** 32 octets. */
  readonly publicKey: Buffer;
}

export function createProbeKey(): ProbeKey {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey, publicKey: rawPublicKey(publicKey) };
}

export interface InitiationOptions {
  readonly probeKey: ProbeKey;
  /** The public key of the node that is to answer, 32 octets. */
  readonly nodeKey: Buffer;
  /** 32 bits of our choosing, by which the answer names this handshake. */
  readonly senderIndex: number;
  /** Milliseconds since the epoch. Each initiation to one node needs a later one than the last, or it is not answered. */
  readonly timestampMs: number;
}

export interface Initiation {
  readonly message: Buffer;
  /**
   * `answered`: the node proved that it holds the key. `busy`: a cookie reply, by which a node under load says that
   * it got the initiation (section 5.3). Undefined for anything else.
   */
  read(datagram: Uint8Array): "answered" | "busy" | undefined;
}

/** A fresh initiation. Throws where `nodeKey` is no key that anything can be agreed with (RFC 7748, section 6.1). */
export function createInitiation({ probeKey, nodeKey, senderIndex, timestampMs }: InitiationOptions): Initiation {
  const node = publicKeyOf(nodeKey);
  const ephemeral = createProbeKey();
  let chain = hash(CONSTRUCTION);
  let transcript = hash(hash(chain, IDENTIFIER), nodeKey);
  const message = Buffer.alloc(INITIATION_BYTES);
  message[0] = 1;
  message.writeUInt32LE(senderIndex, 4);

  [chain] = derive(chain, ephemeral.publicKey, 1);
  message.set(ephemeral.publicKey, 8);
  transcript = hash(transcript, ephemeral.publicKey);

  let key: Buffer;
  [chain, key] = derive(chain, agree(ephemeral.privateKey, node), 2);
  const sealedStatic = seal(key, probeKey.publicKey, transcript);
  message.set(sealedStatic, 40);
  transcript = hash(transcript, sealedStatic);

  [chain, key] = derive(chain, agree(probeKey.privateKey, node), 2);
  const sealedTime = seal(key, tai64n(timestampMs), transcript);
  message.set(sealedTime, 88);
  transcript = hash(transcript, sealedTime);
  message.set(mac1(nodeKey, message.subarray(0, MAC1_AT)), MAC1_AT);

  const sent = { chain, transcript };
  return {
    message,
    read: (datagram) => {
      const answer = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
      if (answer.length === COOKIE_REPLY_BYTES && answer.readUInt32LE(0) === 3) {
        return answer.readUInt32LE(4) === senderIndex ? "busy" : undefined;
      }
      if (answer.length !== RESPONSE_BYTES || answer.readUInt32LE(0) !== 2) return undefined;
      if (answer.readUInt32LE(8) !== senderIndex) return undefined;
      return isResponse(answer, sent, ephemeral.privateKey, probeKey.privateKey) ? "answered" : undefined;
    },
  };
}

/** Whether the responder's tag over nothing is right, which only the holder of the node's private key can make. */
function isResponse(
  answer: Buffer,
  sent: { chain: Buffer; transcript: Buffer },
  ephemeral: KeyObject,
  probe: KeyObject,
): boolean {
  const theirs = Buffer.from(answer.subarray(12, 44));
  try {
    const peer = publicKeyOf(theirs);
    let [chain] = derive(sent.chain, theirs, 1);
    [chain] = derive(chain, agree(ephemeral, peer), 1);
    [chain] = derive(chain, agree(probe, peer), 1);
    const [, tau, key] = derive(chain, NO_PRESHARED_KEY, 3);
    const transcript = hash(hash(sent.transcript, theirs), tau);
    return opens(key, answer.subarray(44, 60), transcript);
  } catch {
    // A key of small order, from somebody who guesses.
    return false;
  }
}

function hash(...parts: readonly Buffer[]): Buffer {
  const digest = createHash("blake2s256");
  for (const part of parts) digest.update(part);
  return digest.digest();
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const digest = createHmac("blake2s256", key);
  for (const part of parts) digest.update(part);
  return digest.digest();
}

/** HKDF as Noise defines it (revision 34, section 4.3): up to three keys of 32 octets. */
function derive(chain: Buffer, input: Buffer, count: 1 | 2 | 3): [Buffer, Buffer, Buffer] {
  const secret = hmac(chain, input);
  const first = hmac(secret, Buffer.of(1));
  const second = count > 1 ? hmac(secret, first, Buffer.of(2)) : first;
  const third = count > 2 ? hmac(secret, second, Buffer.of(3)) : second;
  return [first, second, third];
}

function agree(own: KeyObject, theirs: KeyObject): Buffer {
  return diffieHellman({ privateKey: own, publicKey: theirs });
}

function seal(key: Buffer, plain: Buffer, associated: Buffer): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, NONCE_ZERO, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated, { plaintextLength: plain.length });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Whether `tag` authenticates an empty text. */
function opens(key: Buffer, tag: Buffer, associated: Buffer): boolean {
  const decipher = createDecipheriv("chacha20-poly1305", key, NONCE_ZERO, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated, { plaintextLength: 0 });
  decipher.setAuthTag(tag);
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

/** Keyed BLAKE2s with 16 octets of output, which node:crypto does not offer. */
function mac1(nodeKey: Buffer, message: Buffer): Uint8Array {
  return blake2s(message, { key: hash(LABEL_MAC1, nodeKey), dkLen: 16 });
}

/** TAI64N: seconds and nanoseconds, big-endian. */
function tai64n(ms: number): Buffer {
  const stamp = Buffer.alloc(12);
  stamp.writeBigUInt64BE(TAI64_EPOCH + BigInt(Math.floor(ms / 1000)), 0);
  stamp.writeUInt32BE((Math.floor(ms) % 1000) * 1_000_000, 8);
  return stamp;
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x: raw.toString("base64url") }, format: "jwk" });
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(String(key.export({ format: "jwk" }).x), "base64url");
}
