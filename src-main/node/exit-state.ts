/** What is told of the exit while it stands. Pure. */
import type { ApplyResult } from "../../src-shared/helper/protocol.ts";
import { CONNECTED_WITHIN_MS } from "../../src-shared/model/client.ts";
import type { ExitState, Ipv6State } from "../../src-shared/model/node-state.ts";
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import type { Result } from "../../src-shared/result.ts";
import type { ExitPlan } from "./exit-planner.ts";

/** What stands while the node shares. */
export interface Standing {
  plan: ExitPlan;
  applied: ApplyResult;
  dnsPort: number;
  /** The connection to the helper over which it was applied: the helper holds the exit for this one alone. */
  connection: object | undefined;
}

/** @param before counts what the peers' counters are not at hand for */
export function exitState({ plan, applied }: Standing, before: ExitState | undefined): ExitState {
  return {
    interfaceName: plan.spec.wireguard.interfaceName,
    implementation: applied.implementation,
    listenPort: plan.spec.wireguard.listenPort,
    publicKey: applied.publicKey,
    guestPrefixes: { ipv4: plan.spec.guests.ipv4, ipv6: plan.spec.guests.ipv6 },
    uplink: plan.uplink,
    reach: plan.reach,
    ipv6: ipv6State(plan, applied),
    clients: { total: plan.clientCount, connected: before?.clients.connected ?? 0 },
    traffic: before?.traffic ?? { rxBytes: 0, txBytes: 0 },
  };
}

/** The state with what the peers' counters tell. */
export function withPeers(
  exit: ExitState,
  seen: Extract<ObservedWireguard, { state: "present" }>,
  nowMs: number,
): ExitState {
  const traffic = { rxBytes: 0, txBytes: 0 };
  let connected = 0;
  for (const peer of seen.peers) {
    // The relay's probe, by which nobody is served.
    if (peer.allowedIps.length === 0) continue;
    traffic.rxBytes += peer.rxBytes;
    traffic.txBytes += peer.txBytes;
    if (peer.latestHandshakeAtMs !== null && nowMs - peer.latestHandshakeAtMs < CONNECTED_WITHIN_MS) connected++;
  }
  return { ...exit, clients: { total: exit.clients.total, connected }, traffic };
}

/**
 * What an attempt to bring the exit up aims at: as long as it is the same, another attempt meets the same machine and the
 * same wishes. Which port the answerer takes is no part of it.
 */
export function aimOf(plan: Result<ExitPlan>): unknown {
  if (!plan.ok) return { refused: plan.error.code };
  const { spec, uplink, route } = plan.value;
  return { spec: { ...spec, dns: null }, uplink, route };
}

/** Where guests ask: without the IPv6 address where the helper could not give the tunnel one. */
export function answerAddresses({ plan, applied }: Standing): string[] {
  const { addresses } = plan.spec.wireguard;
  return applied.ipv6.state === "failed" ? addresses.filter((text) => !text.includes(":")) : addresses;
}

function ipv6State(plan: ExitPlan, applied: ApplyResult): Ipv6State {
  if (applied.ipv6.state === "failed") return { state: "failed", error: applied.ipv6.error };
  if (plan.ipv6Off !== undefined) return { state: "off", reason: plan.ipv6Off };
  const { ipv6 } = plan;
  // The helper's word is what counts; the plan says how and why.
  if (ipv6 === undefined || ipv6.mode === "off") return { state: "on", mode: "nat66" };
  const { mode, reason } = ipv6;
  const prefix = mode === "nptv6" ? ipv6.prefix : mode === "routed" ? plan.spec.guests.ipv6 : null;
  return { state: "on", mode, reason, ...(prefix === null ? {} : { prefix }) };
}
