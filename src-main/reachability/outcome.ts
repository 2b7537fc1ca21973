/** From a proof, or the lack of one, to what is shown. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Reachability } from "../../src-shared/model/reachability.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { closedOverIpv6, type Proof } from "./reasons.ts";

/** A mapping that dies in silence is noticed within this, at the price of six datagrams an hour and a half-kilobyte each. */
export const PROVE_EVERY_MS = 10 * 60_000;
/** What was found this long ago says nothing any more. */
const STALE_AFTER_MS = 3 * PROVE_EVERY_MS;

/** What is known stays while nobody can be asked for a moment; otherwise it is unknown why. */
export function keptOutcome(
  before: Reachability | undefined,
  { reason, keep }: { readonly reason: HiggsError; readonly keep: boolean },
  nowMs: number,
): Reachability {
  const foundAt = before && foundAtOf(before);
  const isFresh = foundAt !== undefined && nowMs - Date.parse(foundAt) < STALE_AFTER_MS;
  return keep && isFresh && before !== undefined ? before : { state: "unknown", reason };
}

/** IPv6 knows neither mappings nor a path of translations: an answer, or silence, is all there is to tell. */
export function outcomeOverIpv6(before: Reachability | undefined, proof: Proof, nowMs: number): Reachability {
  const at = new Date(nowMs).toISOString();
  switch (proof.state) {
    case "none":
      return keptOutcome(before, proof, nowMs);
    case "answered": {
      const { endpoint, ms } = proof;
      const isSame = before?.state === "reachable" && isDeepStrictEqual(before.endpoint, endpoint);
      return { state: "reachable", endpoint, since: isSame ? before.since : at, provenAt: at, ms };
    }
    case "silence": {
      const { endpoint } = proof;
      const isSame = before?.state === "unreachable" && isDeepStrictEqual(before.endpoint, endpoint);
      const since = isSame ? before.since : at;
      return {
        state: "unreachable",
        endpoint,
        since,
        checkedAt: at,
        reason: closedOverIpv6(endpoint.port),
        advice: [],
      };
    }
  }
}

function foundAtOf(reachability: Reachability): string | undefined {
  switch (reachability.state) {
    case "reachable":
      return reachability.provenAt;
    case "unreachable":
      return reachability.checkedAt;
    case "checking":
    case "unknown":
      return undefined;
  }
}
