/**
 * Return routability of one source address, read off WireGuard's outside: an index that the node has just
 * chosen, repeated by the source, shows that answers reach it. Until then the source gets no more bytes
 * than it sent, so a forged source address amplifies nothing.
 */
import {
  receiverIndex,
  senderIndex,
  WIREGUARD_DATA,
  WIREGUARD_RESPONSE,
  type WireguardMessageType,
} from "../src-shared/relay/wireguard-message.ts";

/** Wrong guesses at a 32-bit index before it is worth nothing; a roaming guest repeats an old one a few times. */
const MAX_WRONG_INDICES = 64;

export class AddressProof {
  #proven: boolean;
  #index: number | undefined;
  #wrong = 0;
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(proven: boolean) {
    this.#proven = proven;
  }

  get proven(): boolean {
    return this.#proven;
  }

  /** Notes a message from the source; true when this one is the proof. */
  received(message: Uint8Array, type: WireguardMessageType): boolean {
    if (this.#proven) return false;
    this.#receivedBytes += message.length;
    if (this.#index === undefined || (type !== WIREGUARD_DATA && type !== WIREGUARD_RESPONSE)) return false;
    if (receiverIndex(message, type) === this.#index) {
      this.#proven = true;
      return true;
    }
    if (++this.#wrong >= MAX_WRONG_INDICES) this.#index = undefined;
    return false;
  }

  /** Whether a message may go to the source; if so it counts as sent. */
  maySend(message: Uint8Array, type: WireguardMessageType): boolean {
    if (this.#proven) return true;
    if (this.#sentBytes + message.length > this.#receivedBytes) return false;
    this.#sentBytes += message.length;
    const index = senderIndex(message, type);
    if (index !== undefined) {
      this.#index = index;
      this.#wrong = 0;
    }
    return true;
  }
}
