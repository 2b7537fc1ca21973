/**
 * A stream of bytes that depends on its seed alone, so that both ends of a transfer know what it must be
 * without a file: AES-128-CTR over zeros, which makes gigabytes a second.
 */
import { createCipheriv, createHash } from "node:crypto";

/** What one write hands to a socket. */
const CHUNK_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** `count` bytes in chunks of at most 64 KiB; `seed` is an unsigned 32-bit integer. */
export function* seededBytes(count: number, seed: number): Generator<Buffer> {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  for (let left = count; left > 0; left -= CHUNK_BYTES) {
    yield cipher.update(left < CHUNK_BYTES ? ZEROS.subarray(0, left) : ZEROS);
  }
}

/** SHA-256 of those bytes, in hexadecimal. */
export function sha256OfSeededBytes(count: number, seed: number): string {
  const hash = createHash("sha256");
  for (const chunk of seededBytes(count, seed)) hash.update(chunk);
  return hash.digest("hex");
}
