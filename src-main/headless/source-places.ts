/** How many connections one source may have open, so that it does not take the places of all others. */
import { sourceOf } from "./login-limiter.ts";

/** A browser opens six at once, and an owner has a few tabs. */
export const MAX_PER_ADDRESS = 48;

/** One computer has as many addresses of an IPv6 /64 as it likes, and all of a home are in one: half of all places are left to others. */
export const MAX_PER_NETWORK = 128;

export class SourcePlaces {
  readonly #taken = new Map<string, number>();

  /** A place for a connection from `address`: what gives it back, to be called once; undefined where there is none. */
  take(address: string): (() => void) | undefined {
    const ofAddress = `address ${address}`;
    const ofNetwork = `network ${sourceOf(address)}`;
    if (this.#count(ofAddress) >= MAX_PER_ADDRESS || this.#count(ofNetwork) >= MAX_PER_NETWORK) return undefined;
    this.#add(ofAddress, 1);
    this.#add(ofNetwork, 1);
    return () => {
      this.#add(ofAddress, -1);
      this.#add(ofNetwork, -1);
    };
  }

  #count(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  #add(key: string, change: 1 | -1): void {
    const count = this.#count(key) + change;
    if (count === 0) this.#taken.delete(key);
    else this.#taken.set(key, count);
  }
}
