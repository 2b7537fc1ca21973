/**
 * Proof that a peer holds the key it names: Ed25519 (RFC 8032) over a transcript with fresh nonces of both
 * sides and the server's name. A challenge is good for one answer on one connection.
 */
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { authTranscript } from "../src-shared/relay/control.ts";
import type { Config } from "./config.ts";

const NONCE_BYTES = 32;

/** Raw public keys of small order: a signature over anything verifies for some of them (RFC 8032, section 5.1.7). */
const SMALL_ORDER = new Set(
  [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  ].map((hex) => Buffer.from(hex, "hex").toString("base64url")),
);

export class NodeAuthenticator {
  #server: string;
  #allowed: ReadonlySet<string> | undefined;

  constructor(config: Pick<Config, "serverName" | "registration">) {
    this.#server = config.serverName;
    this.#allowed = config.registration.mode === "allow-list" ? new Set(config.registration.nodes) : undefined;
  }

  /** A challenge for one connection of the node that says it is `node`. */
  challenge(node: string, nodeNonce: string): Challenge {
    return new Challenge(this.#server, node, nodeNonce, randomBytes(NONCE_BYTES).toString("base64url"));
  }

  /** Asked after the signature was verified, so that a stranger cannot find out who is on the list. */
  isAllowed(node: string): boolean {
    return this.#allowed === undefined || this.#allowed.has(node);
  }
}

export class Challenge {
  readonly server: string;
  readonly nonce: string;
  readonly node: string;
  #nodeNonce: string;
  #used = false;

  constructor(server: string, node: string, nodeNonce: string, nonce: string) {
    this.server = server;
    this.node = node;
    this.nonce = nonce;
    this.#nodeNonce = nodeNonce;
  }

  /** Whether `signature` (base64url) answers this challenge. The second call is always false. */
  accepts(signature: string): boolean {
    if (this.#used) return false;
    this.#used = true;
    if (SMALL_ORDER.has(this.node)) return false;
    const transcript = authTranscript({
      server: this.server,
      serverNonce: this.nonce,
      nodeNonce: this.#nodeNonce,
      node: this.node,
    });
    try {
      const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: this.node }, format: "jwk" });
      return verify(null, Buffer.from(transcript, "utf8"), key, Buffer.from(signature, "base64url"));
    } catch {
      return false;
    }
  }
}
