/**
 * Who this node is to relays: an Ed25519 key pair (RFC 8032) made once and kept in the data directory. The
 * relay's UDP port belongs to it, so losing it makes every configuration that names the relay worthless;
 * therefore a file that cannot be understood is reported and never replaced.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorOf, fail, ok, type Result } from "../../src-shared/result.ts";
import { writeFileAtomically } from "../storage/atomic-file.ts";

export const RELAY_KEY_FILE_NAME = "relay-identity.pem";

export interface RelayIdentity {
  /** The raw public key in base64url: the node's id at every relay. */
  readonly id: string;
  /** Signature over the text's UTF-8 bytes, 64 bytes in base64url. */
  sign(text: string): string;
}

/** Reads the key, or makes it (mode 0600). Fails with `relay-identity-unusable`. */
export function openRelayIdentity(dataDir: string): Result<RelayIdentity> {
  const path = join(dataDir, RELAY_KEY_FILE_NAME);
  try {
    const pem = read(path);
    if (pem !== undefined) return ok(identityOf(createPrivateKey(pem)));
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileAtomically(path, privateKey.export({ format: "pem", type: "pkcs8" }).toString());
    return ok(identityOf(privateKey));
  } catch (error) {
    return fail(
      "relay-identity-unusable",
      `The key of this node in ${path} cannot be used: ${errorOf(error).message}`,
      "Put the file back from a backup, or move it away: the node then gets a new place at the relay, and guests new configurations.",
    );
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function identityOf(privateKey: KeyObject): RelayIdentity {
  if (privateKey.asymmetricKeyType !== "ed25519") throw new TypeError("it is not an Ed25519 key");
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    id: String(x),
    sign: (text) => sign(null, Buffer.from(text, "utf8"), privateKey).toString("base64url"),
  };
}
