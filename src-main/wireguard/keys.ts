/** WireGuard keys: Curve25519 pairs (RFC 7748) and preshared keys, as 32 bytes in standard base64 (wg(8)). */
import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";

const KEY_BYTES = 32;

/** PKCS #8 frame of an X25519 private key (RFC 8410, section 7), which Node's crypto asks for. */
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");

export interface KeyPair {
  privateKey: string;
  publicKey: string;
}

/** Gives so many unpredictable bytes. */
export type RandomBytes = (count: number) => Uint8Array;

/** A new pair, its private key clamped as `wg genkey` writes it (RFC 7748, section 5). */
export function generateKeyPair(random: RandomBytes = randomBytes): KeyPair {
  const scalar = Buffer.from(random(KEY_BYTES));
  scalar[0] = (scalar[0] ?? 0) & 248;
  scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
  const privateKey = scalar.toString("base64");
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** The public key of a private one, as `wg pubkey`. Throws TypeError when it is not 32 bytes. */
export function publicKeyOf(privateKey: string): string {
  const raw = Buffer.from(privateKey, "base64");
  if (raw.length !== KEY_BYTES) throw new TypeError("a WireGuard private key has 32 bytes");
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: "der", type: "pkcs8" });
  // The raw key is the end of the SubjectPublicKeyInfo (RFC 8410, section 4).
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return spki.subarray(spki.length - KEY_BYTES).toString("base64");
}

/** A second secret of one peer, which keeps what is recorded today safe from a quantum computer (WireGuard paper, section 5.2). */
export function generatePresharedKey(random: RandomBytes = randomBytes): string {
  return Buffer.from(random(KEY_BYTES)).toString("base64");
}
