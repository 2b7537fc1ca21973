/**
 * After the interface was made anew it knows no sessions: guests would notice only when their keepalive
 * stays unanswered, some 15 s later (KEEPALIVE_TIMEOUT + REKEY_TIMEOUT, WireGuard paper, section 6).
 * After the machine turned to another uplink guests speak to where it was, and learn where it is from what it sends them
 * (roaming; the same paper, section 2.1). The node knows where they were a moment ago and speaks first.
 */
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import type { Run } from "./run.ts";

/** A command line of this many peers is some 40 kB, well below ARG_MAX. */
const PEERS_PER_COMMAND = 200;

/** Switching a keepalive on sends one packet at once, which begins a handshake (wg(8), `persistent-keepalive`). */
const KEEPALIVE_SECONDS = "25";

export class LastEndpoints {
  readonly #endpoints = new Map<string, string>();

  /** Takes in where peers are now. What is not seen any more stays: the interface may just have vanished. */
  learn(seen: ObservedWireguard): void {
    if (seen.state !== "present") return;
    for (const { publicKey, endpoint } of seen.peers) {
      if (endpoint !== null) this.#endpoints.set(publicKey, endpoint);
    }
  }

  /** Sends each of these peers that was heard of before a first packet. A peer that cannot be greeted comes by itself. */
  async greet(run: Run, name: string, publicKeys: readonly string[]): Promise<void> {
    const present = new Set(publicKeys);
    for (const publicKey of this.#endpoints.keys()) if (!present.has(publicKey)) this.#endpoints.delete(publicKey);
    const known = publicKeys.flatMap((publicKey) => {
      const endpoint = this.#endpoints.get(publicKey);
      return endpoint === undefined ? [] : [{ publicKey, endpoint }];
    });
    for (let start = 0; start < known.length; start += PEERS_PER_COMMAND) {
      const batch = known.slice(start, start + PEERS_PER_COMMAND);
      await run("wg", ["set", name, ...batch.flatMap((peer) => greeting(peer))]);
      await run("wg", [
        "set",
        name,
        ...batch.flatMap(({ publicKey }) => ["peer", publicKey, "persistent-keepalive", "0"]),
      ]);
    }
  }
}

function greeting({ publicKey, endpoint }: { publicKey: string; endpoint: string }): string[] {
  return ["peer", publicKey, "endpoint", endpoint, "persistent-keepalive", KEEPALIVE_SECONDS];
}
