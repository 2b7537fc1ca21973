/** Which of several relays to try first: one where guests' sessions wait, then the nearest that is well. */
import type { Clock } from "../../src-shared/clock.ts";
import type { RelayUrl } from "../../src-shared/net/relay-url.ts";
import type { Dialer } from "./dialer.ts";

/** A relay further away than this is tried last; it may still be the only one. */
const PROBE_WITHIN_MS = 2_000;
/** Once one has answered, the others get this much longer: who is slower than that is not the nearest. */
const AFTER_FIRST_MS = 250;

export interface Candidate {
  readonly name: string;
  readonly url: RelayUrl;
  /** Asked to be left, or holds sessions of ours: breaks what the round trips say. */
  readonly standing: "leaving" | "plain" | "resumable";
}

const ORDER = { resumable: 0, plain: 1, leaving: 2 } as const;

/** The candidates, best first. A single one is not asked. */
export async function rankServers(
  candidates: readonly Candidate[],
  dialer: Dialer,
  clock: Clock,
): Promise<Candidate[]> {
  if (candidates.length < 2) return [...candidates];
  const times = new Map<Candidate, number>();
  const abort = new AbortController();
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  let cancel = clock.after(PROBE_WITHIN_MS, resolve);
  const probes = candidates.map(async (candidate) => {
    const ms = await dialer.probe(candidate.url, abort.signal);
    if (ms === undefined) return;
    if (times.size === 0) {
      cancel();
      cancel = clock.after(AFTER_FIRST_MS, resolve);
    }
    times.set(candidate, ms);
  });
  await Promise.race([enough, Promise.all(probes)]);
  cancel();
  abort.abort();
  const rank = (candidate: Candidate) => {
    const ms = times.get(candidate);
    // Sessions are no reason to wait for a relay that says nothing.
    return ms === undefined ? 3 : ORDER[candidate.standing];
  };
  return [...candidates].sort((a, b) => rank(a) - rank(b) || (times.get(a) ?? 0) - (times.get(b) ?? 0));
}
