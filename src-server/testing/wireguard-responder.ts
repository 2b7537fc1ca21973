/**
 * A WireGuard node's half of the handshake, written from the paper (section 5.4) beside the initiator it is tested with:
 * it answers an initiation only when everything in it is right.
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
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { blake2s } from "@noble/hashes/blake2.js";

const h = (...parts: Uint8Array[]): Buffer =>
  Buffer.from(parts.reduce((d, p) => d.update(p), createHash("blake2s256")).digest());
const mac = (key: Uint8Array, ...parts: Uint8Array[]): Buffer =>
  Buffer.from(parts.reduce((d, p) => d.update(p), createHmac("blake2s256", key)).digest());
const kdf = (key: Uint8Array, input: Uint8Array): [Buffer, Buffer, Buffer] => {
  const t0 = mac(key, input);
  const t1 = mac(t0, Buffer.from([1]));
  const t2 = mac(t0, t1, Buffer.from([2]));
  return [t1, t2, mac(t0, t2, Buffer.from([3]))];
};

export class WireguardResponder {
  readonly #key = generateKeyPairSync("x25519");
  readonly #peers = new Map<string, Buffer>();
  readonly #socket: Socket;
  /** Initiations that were right in every way but the peer, the timestamp or our silence. */
  received = 0;
  mute = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (message, { address, port }) => {
      const answer = this.answer(message);
      if (answer !== undefined) socket.send(answer, port, address);
    });
  }

  static async open(): Promise<WireguardResponder> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new WireguardResponder(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get publicKey(): Buffer {
    return raw(this.#key.publicKey);
  }

  addPeer(publicKey: Buffer): void {
    this.#peers.set(publicKey.toString("base64"), Buffer.alloc(12));
  }

  close(): void {
    this.#socket.close();
  }

  /** The response; undefined where the initiation is not to be answered. */
  answer(message: Buffer): Buffer | undefined {
    if (message.length !== 148 || message.readUInt32LE(0) !== 1) return undefined;
    const own = this.publicKey;
    const expected = blake2s(message.subarray(0, 116), { key: h(Buffer.from("mac1----"), own), dkLen: 16 });
    if (!Buffer.from(expected).equals(message.subarray(116, 132))) return undefined;
    let chain = h(Buffer.from("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
    let hash = h(h(chain, Buffer.from("WireGuard v1 zx2c4 Jason@zx2c4.com")), own);
    const ephemeral = message.subarray(8, 40);
    hash = h(hash, ephemeral);
    [chain] = kdf(chain, ephemeral);
    let key: Buffer;
    [chain, key] = kdf(chain, this.#agree(this.#key.privateKey, ephemeral));
    const peer = open(key, message.subarray(40, 88), hash);
    if (peer === undefined) return undefined;
    hash = h(hash, message.subarray(40, 88));
    [chain, key] = kdf(chain, this.#agree(this.#key.privateKey, peer));
    const stamp = open(key, message.subarray(88, 116), hash);
    if (stamp === undefined) return undefined;
    hash = h(hash, message.subarray(88, 116));
    this.received++;
    const last = this.#peers.get(peer.toString("base64"));
    if (this.mute || last === undefined || Buffer.compare(stamp, last) <= 0) return undefined;
    this.#peers.set(peer.toString("base64"), stamp);

    const fresh = generateKeyPairSync("x25519");
    const own2 = raw(fresh.publicKey);
    const response = Buffer.alloc(92);
    response[0] = 2;
    response.writeUInt32LE(4711, 4);
    message.copy(response, 8, 4, 8);
    response.set(own2, 12);
    hash = h(hash, own2);
    [chain] = kdf(chain, own2);
    [chain] = kdf(chain, this.#agree(fresh.privateKey, ephemeral));
    [chain] = kdf(chain, this.#agree(fresh.privateKey, peer));
    const [, tau, last2] = kdf(chain, Buffer.alloc(32));
    hash = h(hash, tau);
    const cipher = createCipheriv("chacha20-poly1305", last2, Buffer.alloc(12), { authTagLength: 16 });
    cipher.setAAD(hash, { plaintextLength: 0 });
    cipher.final();
    response.set(cipher.getAuthTag(), 44);
    return response;
  }

  #agree(privateKey: KeyObject, publicKey: Buffer): Buffer {
    const theirs = createPublicKey({
      key: { kty: "OKP", crv: "X25519", x: publicKey.toString("base64url") },
      format: "jwk",
    });
    return diffieHellman({ privateKey, publicKey: theirs });
  }
}

function open(key: Buffer, sealed: Buffer, associated: Buffer): Buffer | undefined {
  const decipher = createDecipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  decipher.setAAD(associated, { plaintextLength: sealed.length - 16 });
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function raw(key: KeyObject): Buffer {
  return Buffer.from(String(key.export({ format: "jwk" }).x), "base64url");
}
