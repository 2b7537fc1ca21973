/** How the node is reached, as `status` says it. */
import type { NatHop, NatPath } from "../../src-shared/model/nat-path.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { Reachability } from "../../src-shared/model/reachability.ts";
import { formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { formatAgo } from "../../src-shared/text/format.ts";
import { explain } from "../../src-shared/text/headline.ts";

/** Facts for the table; none while nobody has looked. */
export function reachabilityFacts(
  {
    reachability,
    reachabilityIpv6,
    natPath,
    pinhole,
  }: Pick<NodeState, "reachability" | "reachabilityIpv6" | "natPath" | "pinhole">,
  nowMs: number,
): [string, string][] {
  if (reachability.state === "unknown" && reachability.reason.code === "not-sharing") return [];
  const path = pathText(natPath);
  const facts: [string, string][] = [["From outside", reachabilityText(reachability, nowMs)]];
  if (path !== undefined) facts.push(["Way out", path]);
  if (pinhole?.state === "open")
    facts.push(["Over IPv6", `the router lets guests in at ${formatEndpoint(pinhole.endpoint)}`]);
  if (pinhole?.state === "closed") facts.push(["Over IPv6", `not let in. ${explain(pinhole.reason)}`]);
  // What nobody could try over IPv6 is no news beside the rest.
  if (reachabilityIpv6?.state === "reachable" || reachabilityIpv6?.state === "unreachable")
    facts.push(["IPv6 outside", reachabilityText(reachabilityIpv6, nowMs)]);
  if (reachability.state === "unreachable") {
    for (const { text } of reachability.advice) facts.push(["What helps", text]);
  }
  return facts;
}

function reachabilityText(reachability: Reachability, nowMs: number): string {
  switch (reachability.state) {
    case "unknown":
      return `not known. ${explain(reachability.reason)}`;
    case "checking":
      return "being tried";
    case "reachable": {
      const { endpoint, ms, provenAt } = reachability;
      return `reachable at ${formatEndpoint(endpoint)}, answered in ${Math.round(ms)} ms (tried ${formatAgo(provenAt, nowMs)})`;
    }
    case "unreachable": {
      const { endpoint, reason, checkedAt } = reachability;
      return `not reachable at ${formatEndpoint(endpoint)} (tried ${formatAgo(checkedAt, nowMs)}). ${reason.message}`;
    }
  }
}

function pathText(natPath: NatPath): string | undefined {
  if (natPath.state === "unknown") return undefined;
  return ["this computer", ...natPath.hops.map(hopText), "internet"].join(" → ");
}

function hopText({ kind, address, externalAddress }: NatHop): string {
  const names = { "home-router": "router", "second-router": "second router", carrier: "provider's NAT" } as const;
  const places = [address, externalAddress].filter((text) => text !== null).join(" / ");
  return places === "" ? names[kind] : `${names[kind]} (${places})`;
}
