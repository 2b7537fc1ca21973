/** What a trace says at first sight. Pure. */
import type { FirewallTrace } from "../../../src-shared/model/firewall-trace.ts";

/**
 * Rules that let a packet pass promise no more than that: only an answer to a real one is `passes`. `notHere` is a real one that came to
 * nothing further on, `noneHere` says that none was sent.
 */
export type TraceAnswer = "passes" | "notHere" | "noneHere" | "blocked" | "unclear";

export function traceAnswer({ verdict, probe }: FirewallTrace): TraceAnswer {
  if (verdict !== "passes") return verdict;
  switch (probe?.outcome) {
    case "answered":
      return "passes";
    case "refused":
    case "silence":
      return "notHere";
    case "not-sent":
    case undefined:
      return "noneHere";
  }
}
