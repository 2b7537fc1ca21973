/** The stages that a temporary guest goes through: what a guest wants of this exit, tried for real. */
import type { Clock } from "../../src-shared/clock.ts";
import type { GuestAnswer } from "../../src-shared/helper/diagnostics.ts";
import type { SelfTest, SelfTestStage, SelfTestStep } from "../../src-shared/model/diagnosis.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { containsAddress, type Family, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import { type Endpoint, formatEndpoint } from "../../src-shared/net/endpoint.ts";
import type { Result } from "../../src-shared/result.ts";
import type { ExitPlan } from "../node/exit-planner.ts";
import { egressTargetsOf } from "../routing/egress-targets.ts";
import { type CheckResult, failed, pass, skipped, type Verdict, warn } from "./check.ts";
import type { OpenTestGuest, TestGuest } from "./test-guest.ts";

/** WireGuard repeats an unanswered handshake after five seconds (REKEY_TIMEOUT): room for one repeat. */
const HANDSHAKE_WITHIN_MS = 7_000;
/** The other side of the world answers in a third of a second, a satellite in one. */
const ANSWER_WITHIN_MS = 2_500;
/** What a home network does not answer within this it does not answer. */
const ISOLATION_WITHIN_MS = 800;
/** Long enough for TCP to reach its pace, and for a person to wait; a fast line has had these bytes before. */
const DOWNLOAD_FOR_MS = 4_000;
const DOWNLOAD_BYTES = 16 * 1024 * 1024;
/** Less tells of the round trip, not of the throughput. */
const LEAST_DOWNLOAD_BYTES = 256 * 1024;
/** Reserved for such purposes, and resolvable (RFC 2606, section 3). */
const PROBE_NAME = "example.com";
/** Plain HTTP, which needs no name and no certificate. */
const HTTP_PORTS: ReadonlySet<number> = new Set([80, 8080]);
/** What routers and other machines of a home answer on. */
const HOME_PORTS = [53, 80, 443] as const;

export interface SelfTestSurroundings {
  clock: Clock;
  guest: TestGuest;
  settings: Settings;
  /** Undefined while the node does not share. */
  plan: ExitPlan | undefined;
  /** Whether this machine itself gets an answer to an echo request. */
  pings: (to: string) => Promise<boolean>;
  signal: AbortSignal;
  onStep: (step: SelfTestStep) => void;
}

type Stage = [stage: SelfTestStage, run: (guest: OpenTestGuest) => Promise<Verdict>];

/** Errors: those of `TestGuest.with` that come before there is anything to test: `test-guest-busy`, `not-sharing`. */
export async function runSelfTest(surroundings: SelfTestSurroundings): Promise<Result<SelfTest>> {
  const { clock, guest, plan, signal } = surroundings;
  const steps: SelfTestStep[] = [];
  const stages = plan === undefined ? [] : stagesOf(surroundings, plan);
  const tell = (step: SelfTestStep) => {
    steps.push(step);
    surroundings.onStep(step);
  };
  const startedMs = clock.monotonicMs();
  const since = (ms: number) => Math.round(clock.monotonicMs() - ms);
  let closedMs = startedMs;
  const used = await guest.with(async (open) => {
    const detail = `${open.addresses.join(" and ")}, WireGuard in ${open.implementation === "kernel" ? "the kernel" : "wireguard-go"}.`;
    tell({ stage: "guest", ...pass(detail), durationMs: since(startedMs) });
    let stop: string | undefined;
    for (const [stage, run] of stages) {
      const stageMs = clock.monotonicMs();
      if (signal.aborted) stop = "The test was ended before.";
      const verdict = stop === undefined ? await run(open) : skipped(stop);
      if (stage === "handshake" && verdict.outcome === "fail") stop = "Without a handshake nothing gets through.";
      tell({ stage, ...stepOf(verdict), durationMs: since(stageMs) });
    }
    closedMs = clock.monotonicMs();
  });
  if (!used.ok) {
    if (used.error.code === "test-guest-busy" || used.error.code === "not-sharing") return used;
    tell({ stage: "guest", outcome: "fail", detail: used.error.message, durationMs: since(startedMs) });
    for (const [stage] of stages) tell({ stage, ...stepOf(skipped("There was no guest.")), durationMs: 0 });
  } else {
    const { left } = used.value;
    const cleaned = left.length === 0 ? pass("Nothing is left.") : failed(`Left: ${left.join(", ")}.`, "");
    tell({ stage: "clean-up", ...stepOf(cleaned), durationMs: since(closedMs) });
  }
  return {
    ok: true,
    value: {
      outcome: steps.some(({ outcome }) => outcome === "fail") ? "fail" : "pass",
      finishedAt: new Date(clock.nowMs()).toISOString(),
      steps,
    },
  };
}

/** A step has one line: what to do stands behind what was seen. */
function stepOf(verdict: Verdict): { outcome: CheckResult["outcome"]; detail: string } {
  const { outcome, detail } = verdict;
  const fix = "fix" in verdict ? verdict.fix : "";
  return { outcome, detail: fix === "" ? detail : `${detail} ${fix}` };
}

function stagesOf(surroundings: SelfTestSurroundings, plan: ExitPlan): Stage[] {
  const { egressTargets } = surroundings.settings;
  const targets = egressTargetsOf(egressTargets, 4);
  return [
    ["handshake", handshake],
    ["dns", (guest) => dns(guest, plan)],
    ["ipv4", (guest) => egress(guest, targets, 4)],
    ["ipv6", async (guest) => withoutIpv6(plan) ?? egress(guest, egressTargetsOf(egressTargets, 6), 6)],
    ["mtu", (guest) => mtu(guest, targets, plan)],
    ["lan-isolation", (guest) => isolation(guest, surroundings, plan)],
    ["throughput", (guest) => throughput(guest, targets)],
  ];
}

async function handshake(guest: OpenTestGuest): Promise<Verdict> {
  const seen = await guest.ask({ kind: "handshake", timeoutMs: HANDSHAKE_WITHIN_MS });
  if (!seen.ok) return failed(seen.error.message, seen.error.hint ?? "Try again.");
  if (seen.value.outcome === "answered")
    return pass(`Answered after ${Math.round(seen.value.ms)} ms, on this computer.`);
  return failed("Nobody answered.", "Look at the firewall: higgsnode diagnose");
}

async function dns(guest: OpenTestGuest, plan: ExitPlan): Promise<Verdict> {
  const [server] = plan.tunnelAddresses;
  if (server === undefined) return skipped("The tunnel has no address.");
  const seen = await guest.ask({ kind: "dns", server, name: PROBE_NAME, timeoutMs: ANSWER_WITHIN_MS });
  if (!seen.ok) return failed(seen.error.message, "Try again.");
  const { outcome, detail, ms } = seen.value;
  if (outcome === "answered") return pass(`Answered in ${Math.round(ms)} ms (${detail}).`);
  return failed(`No answer to a question (${detail}).`, "Check this computer's resolvers: /etc/resolv.conf");
}

async function egress(guest: OpenTestGuest, targets: readonly Endpoint[], family: Family): Promise<Verdict> {
  if (targets.length === 0) return skipped("No address to try is set (egressTargets).");
  const tried: string[] = [];
  for (const { host, port } of targets) {
    const seen = await guest.ask({ kind: "tcp", to: host, port, timeoutMs: ANSWER_WITHIN_MS });
    if (seen.ok && isFromOutThere(seen.value)) {
      return pass(`${formatEndpoint({ host, port })} answered in ${Math.round(seen.value.ms)} ms.`);
    }
    tried.push(`${formatEndpoint({ host, port })} (${seen.ok ? seen.value.detail : seen.error.message})`);
  }
  const detail = `Nothing answers: ${tried.join(", ")}.`;
  if (family === 6) return warn(detail, "Guests fall back to IPv4.");
  return failed(detail, "Find the rule: higgsnode diagnose trace CLIENT ADDRESS:PORT");
}

/** A reset comes from the other end; other refusals from somebody on the way. */
function isFromOutThere({ outcome, detail }: GuestAnswer): boolean {
  return outcome === "answered" || detail === "ECONNREFUSED";
}

function withoutIpv6(plan: ExitPlan): Verdict | undefined {
  if (plan.spec.exit.ipv6 !== "off") return undefined;
  return skipped(plan.ipv6Off?.message ?? "Guests have no IPv6.");
}

async function mtu(guest: OpenTestGuest, targets: readonly Endpoint[], plan: ExitPlan): Promise<Verdict> {
  const [target] = targets;
  if (target === undefined) return skipped("No address to try is set (egressTargets).");
  const seen = await guest.ask({ kind: "path-mtu", to: target.host });
  const path = seen.ok ? seen.value.pathMtu : undefined;
  if (path === undefined || path.mtu === null) return skipped("The target does not answer echo requests.");
  const { mtu: wanted } = plan.spec.wireguard;
  if (path.mtu >= wanted) return pass(`Up to ${path.mtu} bytes, the whole tunnel.`);
  const told = path.told === null ? "larger ones vanish without a word" : `the path says ${path.told}`;
  const fix = `Make the tunnel narrower: higgsnode settings set mtu=${Math.max(1280, path.mtu)}`;
  const detail = `Up to ${path.mtu} of ${wanted} bytes; ${told}.`;
  return path.told === null ? failed(detail, fix) : warn(detail, fix);
}

/** Only what answers this machine itself proves anything by its silence towards a guest. */
async function isolation(
  guest: OpenTestGuest,
  { settings, pings }: SelfTestSurroundings,
  plan: ExitPlan,
): Promise<Verdict> {
  const { gateway } = plan.route;
  const address = gateway === null ? undefined : parseAddress(gateway);
  if (gateway === null || address === undefined) return skipped("There is no router to try.");
  const allowed = settings.allowedDestinations.some(({ destination }) => {
    const prefix = parsePrefix(destination);
    return prefix !== undefined && containsAddress(prefix, address);
  });
  if (allowed) return skipped(`You let guests reach ${gateway} (allowedDestinations).`);
  if (!(await pings(gateway))) return skipped(`${gateway} does not answer this computer either.`);
  const questions = [
    guest.ask({ kind: "ping", to: gateway }),
    ...HOME_PORTS.map((port) => guest.ask({ kind: "tcp", to: gateway, port, timeoutMs: ISOLATION_WITHIN_MS })),
  ];
  const seen = await Promise.all(questions);
  const unasked = seen.find((one) => !one.ok);
  if (unasked?.ok === false) return failed(unasked.error.message, "Try again.");
  const leaks = seen.filter((one) => one.ok && isFromOutThere(one.value));
  if (leaks.length === 0) return pass(`${gateway} answers this computer, and no guest.`);
  return failed(`${gateway} answers guests.`, "Turn sharing off, and report this: higgsnode off && higgsnode report");
}

async function throughput(guest: OpenTestGuest, targets: readonly Endpoint[]): Promise<Verdict> {
  const target = targets.find(({ port }) => HTTP_PORTS.has(port));
  if (target === undefined) return skipped("No address of egressTargets offers plain HTTP (port 80 or 8080).");
  const seen = await guest.ask({
    kind: "download",
    to: target.host,
    port: target.port,
    path: "/",
    maxBytes: DOWNLOAD_BYTES,
    timeoutMs: DOWNLOAD_FOR_MS,
  });
  if (!seen.ok) return skipped(seen.error.message);
  const { bytes = 0, ms, detail } = seen.value;
  if (bytes < LEAST_DOWNLOAD_BYTES)
    return skipped(`${formatEndpoint(target)} offers too little to measure with (${detail}).`);
  const mbit = (bytes * 8) / ms / 1_000;
  return pass(`${mbit.toFixed(0)} Mbit/s down, over ${(bytes / 1_048_576).toFixed(1)} MiB.`);
}
