/** A ping(8) that goes on: whether the network carried something at a certain moment can be asked afterwards. */
import type { LabHost } from "./lab-host.ts";
import type { Program } from "./program.ts";

/** The shortest that ping takes from anybody, and fine enough for what is measured in seconds. */
const INTERVAL_SECONDS = "0.2";

/** The answers of the last ten seconds; nobody asks about older ones. */
const RECENT_CHARACTERS = 6_000;

/** `[1795366282.599248] 64 bytes from 11.22.44.80: icmp_seq=7 ttl=62 time=0.61 ms` */
const ANSWER = /^\[([0-9.]+)\] [0-9]+ bytes from .* time=([0-9.]+) ms$/gm;

export class PingSeries {
  readonly #program: Program;

  constructor(host: LabHost, address: string) {
    this.#program = host.spawn(["ping", "-n", "-D", "-i", INTERVAL_SECONDS, address]);
  }

  /** When the first request that was sent at `sinceMs` or later and has been answered got its answer; milliseconds since the epoch. */
  answeredSince(sinceMs: number): number | undefined {
    if (!this.#program.running) throw new Error(`${this.#program.title} has ended\n${this.#program.describe()}`);
    for (const [, at = "", took = ""] of this.#program.stdout.slice(-RECENT_CHARACTERS).matchAll(ANSWER)) {
      const answeredMs = Number(at) * 1_000;
      if (answeredMs - Number(took) >= sinceMs) return answeredMs;
    }
    return undefined;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }
}
