/**
 * The password of a panel that others on the network can reach. Only its scrypt hash is kept (RFC 7914), in the form
 * `scrypt:N:r:p:salt:hash` with base64url, in a file of the data directory.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { writeFileAtomically } from "../storage/atomic-file.ts";

/** What a person must type at least: with five guesses and then one a minute, nobody gets far within ten characters. */
export const MIN_PASSWORD_CHARACTERS = 10;

/** Longer than any passphrase. */
export const MAX_PASSWORD_CHARACTERS = 256;

const FILE_NAME = "panel-password";

/** OWASP's setting of 32 MiB (N=2^15, r=8, p=3): some 0.2 s on a home computer, and little enough memory for a small one. */
const COST = { N: 2 ** 15, r: 8, p: 3 } as const;

/** Twice what the cost above needs (128·N·r bytes); a hash that asks for more was not made here. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Where the hash comes from; it may change while the panel is open, which ends every session. */
export interface PasswordSource {
  /** Undefined where no password is set: then nobody gets in. */
  hash(): string | undefined;
}

/** Errors: `password-too-short`, `password-too-long`. */
export async function hashPassword(password: string): Promise<Result<string>> {
  const text = password.normalize("NFC");
  const { length } = [...text];
  if (length < MIN_PASSWORD_CHARACTERS) {
    return fail(
      "password-too-short",
      `A password of the panel has at least ${MIN_PASSWORD_CHARACTERS} characters.`,
      "Choose a longer one; a few words in a row do well.",
    );
  }
  if (length > MAX_PASSWORD_CHARACTERS) {
    return fail("password-too-long", `A password of the panel has at most ${MAX_PASSWORD_CHARACTERS} characters.`);
  }
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(text, salt, COST);
  return ok(["scrypt", COST.N, COST.r, COST.p, salt.toString("base64url"), key.toString("base64url")].join(":"));
}

/** Whether `password` is the one of `hash`, compared in constant time; false for a hash that cannot be read. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const match = /^scrypt:([0-9]{1,7}):([0-9]{1,2}):([0-9]{1,2}):([\w-]{22}):([\w-]{43})$/.exec(hash);
  const [, N, r, p, salt, expected] = match ?? [];
  if (salt === undefined || expected === undefined || password.length > 2 * MAX_PASSWORD_CHARACTERS) return false;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  if (!isTaken(cost)) return false;
  try {
    const key = await derive(password.normalize("NFC"), Buffer.from(salt, "base64url"), cost);
    return timingSafeEqual(key, Buffer.from(expected, "base64url"));
  } catch {
    // No memory is left, mostly.
    return false;
  }
}

/**
 * What scrypt takes (RFC 7914, section 6), within the memory it may have. It is not left to scrypt to refuse: OpenSSL then keeps
 * the error, and the next key that this process reads is refused for it.
 */
function isTaken({ N, r, p }: { N: number; r: number; p: number }): boolean {
  if (r < 1 || p < 1 || N < 2 || !Number.isInteger(Math.log2(N)) || N >= 2 ** (16 * r)) return false;
  return 128 * r * (N + 2 + p) <= MAX_MEMORY_BYTES;
}

/** Keeps the password for panels of this data directory, also for one that is open now. Errors: those of `hashPassword`, `password-not-saved`. */
export async function savePassword(dataDir: string, password: string): Promise<Result<void>> {
  const hash = await hashPassword(password);
  if (!hash.ok) return hash;
  try {
    writeFileAtomically(path.join(dataDir, FILE_NAME), `${hash.value}\n`);
    return ok(undefined);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return fail("password-not-saved", `The password could not be saved: ${reason}.`, "Check the disk space.");
  }
}

/** The password saved in a data directory, read again whenever the file was replaced. */
export function savedPassword(dataDir: string): PasswordSource {
  const file = path.join(dataDir, FILE_NAME);
  let read: { stamp: string; hash: string | undefined } | undefined;
  return {
    hash() {
      const stamp = stampOf(file);
      if (stamp === undefined) {
        read = undefined;
      } else if (read?.stamp !== stamp) {
        read = { stamp, hash: firstLine(file) };
      }
      return read?.hash;
    },
  };
}

function stampOf(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? undefined : `${stats.ino} ${stats.mtimeNs} ${stats.size}`;
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n")[0]?.trim();
  } catch {
    // Gone or unreadable between two calls: as good as none.
    return undefined;
  }
}

function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { ...cost, maxmem: MAX_MEMORY_BYTES }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
