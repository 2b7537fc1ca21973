/**
 * Health is a comparison: what the spec wants, against what the kernel was seen to have. Pure. Each
 * difference is a problem with a stable code; an empty list means that the network is as it should be.
 */
import type { ApplyResult } from "../../src-shared/helper/protocol.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import type { HiggsError } from "../../src-shared/result.ts";

/** @param applied what the helper said when it applied `spec`: where IPv6 could not be had, it is not missed */
export function findProblems(
  spec: NetworkSpec,
  seen: NetworkObservation,
  applied: Pick<ApplyResult, "specHash" | "ipv6" | "limits">,
): HiggsError[] {
  const ipv6Failed = applied.ipv6.state === "failed";
  return [
    ...wireguardProblems(spec, seen),
    ...forwardingProblems(spec, seen, ipv6Failed),
    ...firewallProblems(spec, seen, ipv6Failed),
    ...ownerProblems(seen, applied.specHash),
    ...limitProblems(seen, applied.limits),
  ];
}

function* wireguardProblems(
  { wireguard }: NetworkSpec,
  { wireguard: seen }: NetworkObservation,
): Generator<HiggsError> {
  const name = wireguard.interfaceName;
  if (seen.state === "absent") {
    yield { code: "interface-gone", message: `The WireGuard interface ${name} is gone.` };
    return;
  }
  if (seen.state === "broken") {
    yield { code: "interface-broken", message: `The WireGuard interface ${name} does not answer: ${seen.reason}.` };
    return;
  }
  if (!seen.up) yield { code: "interface-down", message: `The WireGuard interface ${name} was switched off.` };
  if (seen.listenPort !== wireguard.listenPort) {
    yield {
      code: "port-changed",
      message: `WireGuard listens on port ${seen.listenPort}, not ${wireguard.listenPort}.`,
    };
  }
  const keys = new Set(seen.peers.map(({ publicKey }) => publicKey));
  const missing = wireguard.peers.filter(({ publicKey }) => !keys.has(publicKey)).length;
  const foreign = seen.peers.length - (wireguard.peers.length - missing);
  if (missing > 0)
    yield { code: "peers-missing", message: `${missing} of ${wireguard.peers.length} clients are not set up.` };
  if (foreign > 0)
    yield { code: "peers-unknown", message: `${foreign} clients are set up that this node does not know.` };
}

function* forwardingProblems(
  spec: NetworkSpec,
  { forwarding }: NetworkObservation,
  ipv6Failed: boolean,
): Generator<HiggsError> {
  if (spec.exit.ipv4 !== "off") {
    for (const name of [spec.wireguard.interfaceName, ...spec.exit.uplinks]) {
      // An uplink that is gone has no setting; the route that led over it is another fact.
      if (forwarding.ipv4[name] === false) {
        yield { code: "forwarding-off", message: `IPv4 forwarding was switched off on ${name}.` };
      }
    }
  }
  if (spec.exit.ipv6 !== "off" && !ipv6Failed && forwarding.ipv6 === false) {
    yield { code: "forwarding6-off", message: "IPv6 forwarding was switched off." };
  }
}

function* firewallProblems(
  { guests }: NetworkSpec,
  { firewall }: NetworkObservation,
  ipv6Failed: boolean,
): Generator<HiggsError> {
  for (const [family, seen, wanted] of [
    ["IPv4", firewall.ipv4, true],
    ["IPv6", firewall.ipv6, guests.ipv6 !== null && !ipv6Failed],
  ] as const) {
    if (seen.state === "differs") {
      const first = seen.differences[0] ?? "they differ";
      yield { code: "firewall-changed", message: `Another program changed our ${family} firewall rules (${first}).` };
    } else if (seen.state === "absent" && wanted) {
      yield { code: "firewall-gone", message: `Our ${family} firewall rules are gone.` };
    } else if (seen.state === "unavailable" && family === "IPv4") {
      yield { code: "firewall-unreadable", message: `The ${family} firewall cannot be read: ${seen.reason}.` };
    }
  }
}

/** Everything may be in place and still not be held for us: the helper then takes it away after its grace time. */
function* ownerProblems({ applied }: NetworkObservation, specHash: string): Generator<HiggsError> {
  if (applied === null) {
    yield { code: "exit-forgotten", message: "The privileged helper has been restarted and holds no exit." };
  } else if (applied.specHash !== specHash) {
    yield { code: "exit-replaced", message: "The privileged helper holds another exit than this node's." };
  }
}

/** Limits that could not be set are another problem than limits that somebody took away. */
function* limitProblems({ limits: seen }: NetworkObservation, applied: ApplyResult["limits"]): Generator<HiggsError> {
  if (seen?.state === "differs") {
    const first = seen.differences[0] ?? "they differ";
    yield { code: "limits-changed", message: `Another program changed our limits (${first}).` };
  } else if (seen?.state === "absent" && applied?.state === "on") {
    yield { code: "limits-gone", message: "Our limits are gone." };
  }
}
