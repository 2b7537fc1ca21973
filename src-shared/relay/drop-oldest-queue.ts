/**
 * Datagrams that wait for a slow link: bounded per session and for the whole process, the oldest go first.
 * Old datagrams are worth less than new ones: what they carried has been sent again by then.
 */

/** What one waiting datagram costs beside its bytes: the view, its place in the array, allocator slack. */
export const QUEUE_ENTRY_OVERHEAD_BYTES = 128;
/** Measured as the bound that keeps a full-rate flow going without seconds of delay under overload. */
export const SESSION_QUEUE_BYTES = 256 * 1024;
/** Enough for 256 sessions at their bound at once; a home server and a small virtual machine both have it. */
export const PROCESS_QUEUE_BYTES = 64 * 1024 * 1024;

/** Bytes waiting in all queues of the process, never above `limitBytes`. */
export class QueueBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  #queues = new Set<DropOldestQueue>();

  constructor(limitBytes: number = PROCESS_QUEUE_BYTES) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** For the queues: `bytes` came to (or, negative, left) `queue`, which now has `queueBytes`. */
  account(queue: DropOldestQueue, bytes: number, queueBytes: number): void {
    this.#usedBytes += bytes;
    if (queueBytes === 0) this.#queues.delete(queue);
    else if (queueBytes === bytes) this.#queues.add(queue);
    while (this.#usedBytes > this.limitBytes) this.#longest()?.dropQuarter();
  }

  /** Looked for only when the budget is spent; dropping a quarter at a time pays for the search. */
  #longest(): DropOldestQueue | undefined {
    let longest: DropOldestQueue | undefined;
    for (const queue of this.#queues) if (longest === undefined || queue.bytes > longest.bytes) longest = queue;
    return longest;
  }
}

export class DropOldestQueue {
  #budget: QueueBudget;
  #limitBytes: number;
  #onDrop: (datagrams: number) => void;
  #items: (Uint8Array | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  /** @param onDrop told how many datagrams were given up, also when another queue's need took them */
  constructor(budget: QueueBudget, onDrop: (datagrams: number) => void, limitBytes: number = SESSION_QUEUE_BYTES) {
    this.#budget = budget;
    this.#onDrop = onDrop;
    this.#limitBytes = limitBytes;
  }

  /** Bytes held, with the overhead of each datagram. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Takes a datagram; drops from the front what no longer fits. A datagram above the whole bound is dropped itself. */
  push(payload: Uint8Array): void {
    const cost = payload.length + QUEUE_ENTRY_OVERHEAD_BYTES;
    if (cost > this.#limitBytes) {
      this.#onDrop(1);
      return;
    }
    let dropped = 0;
    while (this.#bytes + cost > this.#limitBytes) {
      this.shift();
      dropped++;
    }
    if (dropped > 0) this.#onDrop(dropped);
    this.#items.push(ownBytes(payload));
    this.#bytes += cost;
    this.#budget.account(this, cost, this.#bytes);
  }

  /** The oldest datagram without taking it. */
  peek(): Uint8Array | undefined {
    return this.#items[this.#head];
  }

  shift(): Uint8Array | undefined {
    const payload = this.#items[this.#head];
    if (payload === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head++;
    // Halving keeps removal at the front cheap without letting dead slots outnumber live ones.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    const cost = payload.length + QUEUE_ENTRY_OVERHEAD_BYTES;
    this.#bytes -= cost;
    this.#budget.account(this, -cost, this.#bytes);
    return payload;
  }

  /** For the budget: gives up the oldest quarter, one datagram at least. */
  dropQuarter(): void {
    const count = Math.max(1, Math.floor(this.length / 4));
    let dropped = 0;
    while (dropped < count && this.shift() !== undefined) dropped++;
    this.#onDrop(dropped);
  }

  /** Gives up everything and returns how many datagrams that were; `onDrop` is not told. */
  clear(): number {
    let count = 0;
    while (this.shift() !== undefined) count++;
    return count;
  }
}

/** A view into a larger message would keep all of that message alive while it waits. */
function ownBytes(payload: Uint8Array): Uint8Array {
  return payload.buffer.byteLength > 2 * payload.length + QUEUE_ENTRY_OVERHEAD_BYTES
    ? Uint8Array.from(payload)
    : payload;
}
