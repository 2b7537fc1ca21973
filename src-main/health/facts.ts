/**
 * Every fact of the node's health, in one list. A fact names its causes: as long as one of these is bad, the fact is a
 * symptom and is not shown. Causes stand before their symptoms, so that there are no circles.
 */
import type { HealthFactCode } from "../../src-shared/model/health.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import { exitOf } from "../../src-shared/model/node-state.ts";
import { healthOfPortMapping } from "../../src-shared/model/port-mapping.ts";
import { healthOfReachability } from "../../src-shared/model/reachability.ts";
import { healthOfRelay } from "../../src-shared/model/relay-link.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import type { HealthContext } from "./health-context.ts";
import { factOfTrouble } from "./trouble-facts.ts";

export interface RegisteredFact {
  readonly code: HealthFactCode;
  readonly severity: "error" | "warning";
  readonly dependsOn: readonly HealthFactCode[];
  /** How long it is bad before it is shown: what heals itself sooner is nobody's business. */
  readonly waitMs: number;
  readonly cutsConnectivity: boolean;
  /** May throw, which makes it unknown. */
  readonly look: (context: HealthContext) => HealthVerdict;
}

/** A repair by applying again takes less; an owner who pulls a cable is told within three seconds. */
const REPAIRED_WITHIN_MS = 2_000;
/** A failed probe is repeated once before anybody is told. */
const PROBED_TWICE_MS = 5_000;
/** Relays and routers restart now and then. */
const OTHERS_RESTART_WITHIN_MS = 10_000;

const EXIT = ["networkRoute", "addressConflict", "wireguard", "routing", "nat"] as const;

export const HEALTH_FACTS: readonly RegisteredFact[] = [
  {
    code: "helper",
    severity: "error",
    dependsOn: [],
    waitMs: REPAIRED_WITHIN_MS,
    // WireGuard and the kernel carry on without it.
    cutsConnectivity: false,
    look: lookAtHelper,
  },
  { code: "networkRoute", severity: "error", dependsOn: [], waitMs: 500, cutsConnectivity: true, look: lookAtRoute },
  {
    code: "addressConflict",
    severity: "error",
    dependsOn: ["helper"],
    waitMs: 0,
    cutsConnectivity: true,
    look: lookAtAddresses,
  },
  {
    code: "wireguard",
    severity: "error",
    dependsOn: ["helper", "addressConflict"],
    waitMs: REPAIRED_WITHIN_MS,
    cutsConnectivity: true,
    look: (context) => fromComparison("wireguard", context),
  },
  {
    code: "routing",
    severity: "error",
    dependsOn: ["helper"],
    waitMs: REPAIRED_WITHIN_MS,
    cutsConnectivity: true,
    look: (context) => fromComparison("routing", context),
  },
  {
    code: "nat",
    severity: "error",
    dependsOn: ["helper"],
    waitMs: REPAIRED_WITHIN_MS,
    cutsConnectivity: true,
    look: (context) => fromComparison("nat", context),
  },
  {
    code: "limits",
    severity: "warning",
    dependsOn: ["helper", "wireguard"],
    waitMs: REPAIRED_WITHIN_MS,
    cutsConnectivity: false,
    look: (context) => fromComparison("limits", context),
  },
  {
    code: "egressIpv4",
    severity: "error",
    dependsOn: EXIT,
    waitMs: PROBED_TWICE_MS,
    cutsConnectivity: true,
    look: ({ probes }) => probes.egressIpv4,
  },
  {
    code: "egressIpv6",
    severity: "warning",
    dependsOn: [...EXIT, "egressIpv4"],
    waitMs: PROBED_TWICE_MS,
    // Guests' programs fall back to IPv4.
    cutsConnectivity: false,
    look: ({ probes }) => probes.egressIpv6,
  },
  {
    code: "dns",
    severity: "error",
    dependsOn: ["networkRoute", "wireguard", "egressIpv4"],
    waitMs: PROBED_TWICE_MS,
    cutsConnectivity: true,
    look: (context) => troubleOf("dns", context) ?? context.probes.dns,
  },
  {
    code: "portMapping",
    severity: "warning",
    dependsOn: ["networkRoute", "egressIpv4"],
    waitMs: OTHERS_RESTART_WITHIN_MS,
    cutsConnectivity: false,
    look: lookAtMapping,
  },
  {
    code: "relay",
    severity: "warning",
    dependsOn: ["networkRoute", "egressIpv4"],
    waitMs: OTHERS_RESTART_WITHIN_MS,
    cutsConnectivity: false,
    look: ({ relay }) => healthOfRelay(relay),
  },
  {
    code: "reachability",
    severity: "warning",
    dependsOn: ["networkRoute", "wireguard", "egressIpv4", "portMapping"],
    waitMs: OTHERS_RESTART_WITHIN_MS,
    cutsConnectivity: false,
    look: ({ reachability }) => healthOfReachability(reachability),
  },
  {
    code: "disk",
    severity: "warning",
    dependsOn: [],
    waitMs: 0,
    cutsConnectivity: false,
    look: ({ probes }) => probes.disk,
  },
  {
    code: "clock",
    severity: "warning",
    dependsOn: [],
    waitMs: 0,
    cutsConnectivity: false,
    look: ({ clock }) => (clock.trouble === undefined ? { state: "good" } : bad(clock.trouble)),
  },
];

function lookAtHelper(context: HealthContext): HealthVerdict {
  const trouble = troubleOf("helper", context);
  if (trouble !== undefined) return trouble;
  // A node that begins has none yet: a person may still be reading the prompt.
  if (exitOf(context.phase) === undefined) return { state: "unknown" };
  if (context.helperConnected) return { state: "good" };
  return bad({ code: "helper-lost", message: "The privileged helper has ended." });
}

function lookAtRoute(context: HealthContext): HealthVerdict {
  return fromComparison("networkRoute", context);
}

function lookAtAddresses(context: HealthContext): HealthVerdict {
  const { addressConflict: message } = context;
  if (message !== undefined) return bad({ code: "prefix-conflict", message, hint: CHOOSE_ANOTHER });
  return fromComparison("addressConflict", context);
}

/** A mapping that is refused is no matter where guests were seen to get in all the same. */
function lookAtMapping({ portMapping, reachability }: HealthContext): HealthVerdict {
  const verdict = healthOfPortMapping(portMapping);
  return verdict.state === "bad" && reachability.state === "reachable" ? { state: "off" } : verdict;
}

/** What the last look found, or the node's phase tells; good only where the machine was really seen to be so. */
function fromComparison(code: HealthFactCode, context: HealthContext): HealthVerdict {
  const trouble = troubleOf(code, context);
  if (trouble !== undefined) return trouble;
  const wasSeen = context.look !== undefined && context.look.observation !== null && context.helperConnected;
  return wasSeen && exitOf(context.phase) !== undefined ? { state: "good" } : { state: "unknown" };
}

function troubleOf(code: HealthFactCode, { look, phase }: HealthContext): HealthVerdict | undefined {
  const error = [...(look?.problems ?? []), ...phaseTroubles(phase)].find(
    (trouble) => factOfTrouble(trouble.code) === code,
  );
  return error === undefined ? undefined : bad(error);
}

function phaseTroubles(phase: HealthContext["phase"]): readonly HiggsError[] {
  switch (phase.phase) {
    case "failed":
      return [phase.error];
    case "degraded":
      return phase.problems;
    case "recovering":
      return [phase.cause];
    case "stopped":
    case "starting":
    case "running":
    case "stopping":
      return [];
  }
}

function bad(error: HiggsError): HealthVerdict {
  return { state: "bad", error: { ...error, hint: error.hint ?? REPAIRED_BY_ITSELF } };
}

const CHOOSE_ANOTHER = "Choose another guest network, or auto: higgsnode settings set guestIpv4=auto";
const REPAIRED_BY_ITSELF =
  "HiggsNode repairs this by itself. Where it comes back, look at what else changes the network: higgsnode diagnose";
