/**
 * Buffers that batches are written into, shared by all links of a process: a link holds one only while
 * it has something to send, so a thousand idle links hold none.
 */
import { MAX_MESSAGE_BYTES } from "./frame.ts";

/** Free slabs kept for reuse, 4 MiB; what a burst needs beyond that goes back to the allocator. */
const MAX_FREE_SLABS = 64;

export interface Slab {
  readonly bytes: Uint8Array;
  /** Messages of this slab the socket has not finished with. */
  inFlight: number;
}

export class SlabPool {
  #allocate: (bytes: number) => Uint8Array;
  #free: Slab[] = [];

  /** @param allocate Node hands in `Buffer.allocUnsafeSlow`, which saves the zeroing and a wrapper per message */
  constructor(allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes)) {
    this.#allocate = allocate;
  }

  get free(): number {
    return this.#free.length;
  }

  take(): Slab {
    return this.#free.pop() ?? { bytes: this.#allocate(MAX_MESSAGE_BYTES), inFlight: 0 };
  }

  give(slab: Slab): void {
    if (this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
  }
}
