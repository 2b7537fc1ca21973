/** What a check is, and what it may look at. */
import type { FirewallText, PathMtu, RouteLookup } from "../../src-shared/helper/diagnostics.ts";
import type { CheckResult, DiagnosisGroup } from "../../src-shared/model/diagnosis.ts";
import type { NodeState, PhaseState } from "../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../src-shared/model/privacy.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { Capabilities, FirewallInspection, NetworkObservation } from "../../src-shared/network-observation.ts";
import type { HiggsError, Result } from "../../src-shared/result.ts";
import type { ExitPlan } from "../node/exit-planner.ts";

/** What only root can see; each part read once for all checks. */
export interface MachineFacts {
  capabilities: Capabilities;
  observation: NetworkObservation;
  inspection: FirewallInspection;
  /** Everybody's rules; absent from a helper that cannot tell. */
  firewall?: FirewallText;
}

/** What the helper looks up or tries on demand. */
export interface MachineProbe {
  lookUpRoute(question: { to: string; from?: string; interfaceName?: string }): Promise<Result<RouteLookup>>;
  pathMtu(to: string): Promise<Result<PathMtu>>;
}

/** What a running node knows of the world. */
export type NodeStatus = Pick<NodeState, "relay" | "portMapping" | "reachability" | "natPath" | "pinhole">;

/** The node that shares at present. */
export interface SharingFacts {
  state: PhaseState;
  plan: ExitPlan;
  dnsPort: number;
  ipv6Failed: boolean;
}

export interface CheckContext {
  dataDir: string;
  settings: Settings;
  /** The wall clock, milliseconds since the epoch. */
  nowMs: number;
  machine: Result<MachineFacts>;
  /** Null where sharing is off, or no node runs. */
  sharing: SharingFacts | null;
  /** Null where no node runs. */
  status: NodeStatus | null;
  privacy: PrivacyState | null;
  /** Null where there is no helper to ask. */
  probe: MachineProbe | null;
}

export type Verdict =
  | { outcome: "pass" | "skipped"; detail: string }
  | { outcome: "warn" | "fail"; detail: string; fix: string };

export interface Check {
  /** Stable, `group.subject`. */
  id: string;
  group: DiagnosisGroup;
  title: string;
  run(context: CheckContext, signal: AbortSignal): Verdict | Promise<Verdict>;
}

export type { CheckResult };

/** All is well. @param detail what was measured */
export function pass(detail: string): Verdict {
  return { outcome: "pass", detail };
}

/** Could not be looked at, or does not matter here, which is no fault. */
export function skipped(reason: string): Verdict {
  return { outcome: "skipped", detail: reason };
}

/** Works in part, or soon will not. @param fix what the owner can do */
export function warn(detail: string, fix: string): Verdict {
  return { outcome: "warn", detail, fix };
}

/** Does not work. @param fix what the owner can do */
export function failed(detail: string, fix: string): Verdict {
  return { outcome: "fail", detail, fix };
}

/** Runs `look` where root's view is there, and says that it did not where it is not. */
export function withMachine(
  { machine }: CheckContext,
  look: (facts: MachineFacts) => Verdict | Promise<Verdict>,
): Verdict | Promise<Verdict> {
  return machine.ok ? look(machine.value) : skipped(`Not looked at: ${lowerFirst(machine.error)}`);
}

/** Runs `look` where the node shares and root's view is there. */
export function whileSharing(
  context: CheckContext,
  look: (sharing: SharingFacts, facts: MachineFacts) => Verdict | Promise<Verdict>,
): Verdict | Promise<Verdict> {
  const { sharing } = context;
  if (sharing === null) return skipped("Sharing is off.");
  return withMachine(context, (facts) => look(sharing, facts));
}

function lowerFirst({ message, hint }: HiggsError): string {
  const sentence = message.charAt(0).toLowerCase() + message.slice(1);
  return hint === undefined ? sentence : `${sentence} ${hint}`;
}

/** Runs `look` where a running node shares. */
export function whileOnline(
  { status, sharing }: CheckContext,
  look: (status: NodeStatus, sharing: SharingFacts) => Verdict | Promise<Verdict>,
): Verdict | Promise<Verdict> {
  if (status === null) return skipped("No node is running.");
  return sharing === null ? skipped("Sharing is off.") : look(status, sharing);
}
