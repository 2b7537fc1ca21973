/** Waiting for something outside this process: look again until it is so, or until a deadline. */

/** Short beside what is waited for (a daemon's start, a handshake), long beside the cost of looking. */
const POLL_INTERVAL_MS = 25;

export interface PollOptions {
  /** Gives up after this long. */
  timeoutMs: number;
  intervalMs?: number;
}

/**
 * The first value of `look` that is not undefined. Throws an Error that names `what` once the deadline has passed.
 */
export async function poll<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  options: PollOptions,
): Promise<T> {
  const deadlineMs = performance.now() + options.timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > deadlineMs) throw new Error(`waited ${options.timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? POLL_INTERVAL_MS));
  }
}

/** Waits until `condition` holds. */
export async function pollUntil(
  what: string,
  condition: () => Promise<boolean> | boolean,
  options: PollOptions,
): Promise<void> {
  await poll(what, async () => ((await condition()) ? true : undefined), options);
}

/** Rejects with an Error that names `what` when `promise` has not settled in time; its timer never outlives it. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
