/** The calls of the contract that look for what is wrong. */
import type { Clock } from "../../src-shared/clock.ts";
import type { CallHandlers, EventName } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { Diagnosis } from "../../src-shared/model/diagnosis.ts";
import type { HealthHistory } from "../../src-shared/model/health.ts";
import { exitOf, type NodeState, type PhaseState } from "../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../src-shared/model/privacy.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { PeerSpec } from "../../src-shared/network-spec.ts";
import { type Result, unwrap } from "../../src-shared/result.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import type { CallContext } from "../ipc/node-api.ts";
import type { ExitPlan } from "../node/exit-planner.ts";
import { allChecks } from "./all-checks.ts";
import type { CheckContext, MachineFacts } from "./check.ts";
import { machineProbe } from "./machine-facts.ts";
import { collectReport } from "./report/collect-report.ts";
import { runChecks } from "./run-checks.ts";
import { runSelfTest } from "./self-test.ts";
import { TestGuest } from "./test-guest.ts";
import { traceClient } from "./trace/trace-client.ts";

/** A week of a troubled node; more would hide what was last. */
const REPORTED_HEALTH_EVENTS = 50;

export interface DiagnosisParts {
  clock: Clock;
  version: string;
  dataDir: string;
  node: { readonly state: PhaseState; readonly plan: ExitPlan | undefined };
  helper: Pick<HelperLink, "call">;
  settings: () => Settings;
  state: () => NodeState;
  privacy: () => PrivacyState;
  clients: () => readonly Client[];
  records: () => readonly ClientRecord[];
  /** Error: `client-unknown`. */
  findClient: (which: string) => Result<ClientRecord>;
  machineFacts: () => Promise<Result<MachineFacts>>;
  /** Has the plan let this peer in, or nobody beside the clients; resolves when the kernel knows. */
  setTestPeer: (peer: PeerSpec | undefined) => Promise<Result<void>>;
  /** The newest lines, at most `limit`. May throw what the database throws. */
  healthHistory: (limit: number) => HealthHistory;
  emit: (name: EventName, payload: unknown) => void;
}

type DiagnosisCall = "diagnose.run" | "diagnose.cancel" | "diagnose.trace" | "diagnose.selfTest" | "diagnose.report";

export type DiagnosisHandlers = Pick<CallHandlers<CallContext>, DiagnosisCall>;

export function diagnosisHandlers(parts: DiagnosisParts): DiagnosisHandlers {
  const { clock, version, node, helper, emit } = parts;
  const underWay = new Set<AbortController>();
  const probe = machineProbe(helper);
  const guest = new TestGuest({
    helper,
    prefixes: () => node.plan?.spec.guests,
    takenHostNumbers: () => parts.records().map(({ hostNumber }) => hostNumber),
    setPeer: parts.setTestPeer,
  });

  async function diagnose(signal: AbortSignal, machine: Result<MachineFacts>, isShown: boolean): Promise<Diagnosis> {
    const stop = new AbortController();
    underWay.add(stop);
    try {
      return await runChecks(allChecks, contextOf(parts, machine, probe), {
        clock,
        version,
        nodePhase: node.state.phase,
        signal: AbortSignal.any([signal, stop.signal]),
        onProgress: isShown ? (progress) => emit("diagnose.progress", progress) : undefined,
      });
    } finally {
      underWay.delete(stop);
    }
  }

  return {
    "diagnose.run": async (_, { signal }) => diagnose(signal, await parts.machineFacts(), true),
    "diagnose.cancel": async () => {
      for (const stop of underWay) stop.abort();
      return {};
    },
    "diagnose.trace": async (query) => {
      const client = unwrap(parts.findClient(query.client));
      const machine = await parts.machineFacts();
      return unwrap(await traceClient(query, { client, plan: node.plan, machine, probe, guest }));
    },
    "diagnose.selfTest": async (_, { signal }) => {
      const stop = new AbortController();
      underWay.add(stop);
      try {
        return unwrap(
          await runSelfTest({
            clock,
            guest,
            settings: parts.settings(),
            plan: node.plan,
            pings: async (to) => {
              const traced = await helper.call("trace", { to, maxHops: 1 });
              return traced.ok && traced.value[0]?.address === to;
            },
            signal: AbortSignal.any([signal, stop.signal]),
            onStep: (step) => emit("diagnose.selfTestProgress", step),
          }),
        );
      } finally {
        underWay.delete(stop);
      }
    },
    "diagnose.report": async (_, { signal }) => {
      const machine = await parts.machineFacts();
      return collectReport({
        nowMs: clock.nowMs(),
        dataDir: parts.dataDir,
        state: parts.state(),
        settings: parts.settings(),
        spec: node.plan?.spec ?? null,
        machine,
        diagnosis: await diagnose(signal, machine, false),
        history: recentHealth(parts),
        clients: parts.clients().map(({ name, paused, connected, limit }) => ({
          name,
          paused,
          connected,
          limited: limit !== undefined,
        })),
      });
    },
  };
}

/** Null where it cannot be read: a report is wanted above all when something is broken. */
function recentHealth({ healthHistory }: DiagnosisParts): HealthHistory | null {
  try {
    return healthHistory(REPORTED_HEALTH_EVENTS);
  } catch {
    return null;
  }
}

function contextOf(parts: DiagnosisParts, machine: Result<MachineFacts>, probe: CheckContext["probe"]): CheckContext {
  const { node } = parts;
  const exit = exitOf(node.state);
  const { plan } = node;
  return {
    dataDir: parts.dataDir,
    settings: parts.settings(),
    nowMs: parts.clock.nowMs(),
    machine,
    sharing:
      plan === undefined || exit === undefined
        ? null
        : { state: node.state, plan, dnsPort: plan.spec.dns?.port ?? 0, ipv6Failed: exit.ipv6.state === "failed" },
    status: parts.state(),
    privacy: parts.privacy(),
    probe: machine.ok ? probe : null,
  };
}
