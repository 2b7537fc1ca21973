/** All protocols are asked at once; they are used in the order of preference, the better ones waited for a moment. */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { MappingProtocol } from "../../src-shared/model/port-mapping.ts";
import type { HiggsError, Result } from "../../src-shared/result.ts";
import type { MappingClient } from "./mapping.ts";

/** Longer than the first repeat of a lost datagram (250 ms); a better protocol that takes longer is a fallback. */
const PREFERENCE_MS = 300;

export interface ProbeRoundOptions {
  clock: Clock;
  signal: AbortSignal;
  onResult: (client: MappingClient, result: Result<void>) => void;
}

export class ProbeRound {
  readonly #options: ProbeRoundOptions;
  readonly #clients: readonly MappingClient[];
  readonly #results = new Map<MappingClient, Result<void>>();
  readonly #waiting = new Set<() => void>();
  readonly #cancelPreference: CancelTimer;
  #patient = true;
  /** Settles when every protocol has given its answer. */
  readonly done: Promise<void>;

  /** @param clients in the order of preference */
  constructor(clients: readonly MappingClient[], options: ProbeRoundOptions) {
    this.#clients = clients;
    this.#options = options;
    this.#cancelPreference = options.clock.after(PREFERENCE_MS, () => {
      this.#patient = false;
      this.#wake();
    });
    this.done = this.#probe();
  }

  async #probe(): Promise<void> {
    await Promise.all(
      this.#clients.map(async (client) => {
        const result = await client.probe(this.#options.signal);
        this.#results.set(client, result);
        this.#options.onResult(client, result);
        this.#wake();
      }),
    );
    this.#cancelPreference();
  }

  /** The protocols that the router speaks, as far as it is known now. */
  get available(): MappingProtocol[] {
    return this.#clients.filter((client) => this.#results.get(client)?.ok === true).map(({ protocol }) => protocol);
  }

  get errors(): HiggsError[] {
    return [...this.#results.values()].flatMap((result) => (result.ok ? [] : [result.error]));
  }

  /** Usable clients, the preferred first, as they become known. Ends when there will be no more. */
  async *candidates(): AsyncGenerator<MappingClient> {
    const tried = new Set<MappingClient>();
    for (;;) {
      const open = this.#clients.filter((client) => !tried.has(client));
      const usable = open.find((client) => this.#results.get(client)?.ok === true);
      const unknown = open.filter((client) => !this.#results.has(client));
      const better =
        usable === undefined ? [] : unknown.filter((client) => open.indexOf(client) < open.indexOf(usable));
      if (usable !== undefined && (better.length === 0 || !this.#patient)) {
        tried.add(usable);
        yield usable;
      } else if (usable === undefined && unknown.length === 0) {
        return;
      } else {
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
