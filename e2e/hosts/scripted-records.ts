/** What a scripted node tells when it is asked for more: records, histories, checks. Texts are those of a real node. */
import type { CheckResult, Report, SelfTestStep } from "../../src-shared/model/diagnosis.ts";
import type { FirewallTrace } from "../../src-shared/model/firewall-trace.ts";
import type { HealthEvent, UptimeDay } from "../../src-shared/model/health.ts";
import type { Deletion, LogEntry, Stored } from "../../src-shared/model/privacy.ts";
import type { TrafficHistory, TrafficRange } from "../../src-shared/model/traffic.ts";
import { ROUTES_GONE } from "./scripted-faults.ts";
import { ago } from "./scripted-values.ts";

const DAY_SECONDS = 86_400;

function kept(count: number): Stored["connections"] {
  const times = count === 0 ? { oldestAt: null, newestAt: null } : { oldestAt: ago(500_000), newestAt: ago(30) };
  return { count, bytes: count * 120, ...times };
}

export const STORED: Stored = {
  connections: kept(12_345),
  dns: kept(0),
  traffic: kept(678),
  usageDays: kept(31),
  databaseBytes: 2_400_000,
};

export const NOTHING_STORED: Stored = { ...STORED, connections: kept(0), traffic: kept(0), databaseBytes: 65_536 };

export const DELETION: Deletion = { at: ago(0), before: STORED, after: NOTHING_STORED };

const ANNA = { clientId: "c1", clientName: "Anna's phone" };
const REMOVED = { clientId: "gone", clientName: null };

export const LOG: readonly LogEntry[] = [
  {
    kind: "connections",
    endedAt: ago(30),
    startedAt: ago(95),
    durationSeconds: 65,
    ...ANNA,
    destination: "93.184.215.0/24",
    port: 443,
    protocol: "tcp",
    sent: { bytes: 5_120, packets: 31 },
    received: { bytes: 1_870_000, packets: 1_400 },
    anonymised: true,
  },
  {
    kind: "connections",
    endedAt: ago(300),
    startedAt: null,
    durationSeconds: null,
    ...REMOVED,
    destination: "2606:2800:220::/48",
    port: null,
    protocol: "icmpv6",
    sent: null,
    received: null,
    anonymised: true,
  },
  { kind: "dns", at: ago(31), ...ANNA, name: "www.example.org", type: "AAAA", anonymised: true },
  {
    kind: "traffic",
    at: ago(60),
    ...ANNA,
    sentBytes: 41_000,
    receivedBytes: 3_900_000,
    sentPackets: 310,
    receivedPackets: null,
  },
];

/** Newest first: the link went down and was brought back. */
export const HISTORY: readonly HealthEvent[] = Array.from({ length: 12 }, (_, at) => {
  const id = 12 - at;
  const common = { id, at: ago(600 + at * 700), attempt: null, step: null, error: null, durationMs: null };
  switch (id % 3) {
    case 0:
      return { ...common, kind: "recovered", fact: "networkRoute", attempt: 2, durationMs: 41_000 };
    case 2:
      return { ...common, kind: "recovery-step", fact: "networkRoute", step: "apply", attempt: 1, durationMs: 900 };
    default:
      return { ...common, kind: "unhealthy", fact: "networkRoute", error: ROUTES_GONE };
  }
});

/** Newest day first: a month with a bad day, and one on which nothing was shared. */
export const UPTIME: readonly UptimeDay[] = Array.from({ length: 30 }, (_, at) => {
  const wantedSeconds = at === 9 ? 0 : DAY_SECONDS;
  const workingSeconds = at === 9 ? 0 : at === 4 ? 61_000 : DAY_SECONDS - (at % 4) * 20;
  return { day: ago(at * DAY_SECONDS).slice(0, 10), wantedSeconds, workingSeconds };
});

function check(
  id: string,
  group: CheckResult["group"],
  title: string,
  outcome: CheckResult["outcome"],
  detail: string,
  fix?: string,
): CheckResult {
  return { id, group, title, outcome, detail, durationMs: 12, ...(fix === undefined ? {} : { fix }) };
}

/** One of each outcome, in four groups. */
export const CHECKS: readonly CheckResult[] = [
  check("system.permission", "system", "HiggsNode may change the network", "pass", "The privileged helper answers."),
  check(
    "system.programs",
    "system",
    "The programs it needs are installed",
    "fail",
    "Not installed: conntrack.",
    "Install them: sudo apt install conntrack",
  ),
  check("network.ipv6", "network", "There is an IPv6 way to the internet", "skipped", "This network has no IPv6."),
  check("nat.kernel", "nat", "The kernel can translate addresses", "pass", "For IPv4."),
  check(
    "storage.disk",
    "storage",
    "The disk has room",
    "warn",
    "312 MiB are free for /var/lib.",
    "Delete something there soon.",
  ),
];

export const SELF_TEST: readonly SelfTestStep[] = [
  { stage: "guest", outcome: "pass", detail: "10.66.255.254, WireGuard in the kernel.", durationMs: 40 },
  { stage: "handshake", outcome: "pass", detail: "Answered after 3 ms, on this computer.", durationMs: 3 },
  { stage: "ipv6", outcome: "skipped", detail: "This network has no IPv6.", durationMs: 0 },
  { stage: "clean-up", outcome: "pass", detail: "Nothing is left.", durationMs: 12 },
];

export const TRACE: FirewallTrace = {
  verdict: "blocked",
  reason: "Nobody answered a real packet.",
  fix: "Look at it, and remove it if you do not need it: sudo iptables -S FORWARD",
  probe: { outcome: "silence", detail: "Nobody answered a real packet." },
  steps: [
    { place: "filter FORWARD", rule: "-A FORWARD -j HIGGS-FORWARD", owner: "HiggsNode", effect: "passes" },
    {
      place: "filter DOCKER-USER",
      rule: "-A DOCKER-USER -i higgs0 -o eth0 -p tcp -m tcp --dport 443 -m comment --comment something -j DROP",
      owner: "Docker",
      effect: "drops",
    },
    { place: "filter FORWARD", rule: "-P FORWARD DROP", owner: "policy", effect: "unclear" },
  ],
};

export const REPORT: Report = {
  createdAt: ago(0),
  text: "HiggsNode 0.1.0\nnode: running\nuplink: eth0 [address removed]\n",
  json: '{"version":"0.1.0"}',
};

const STEPS: Readonly<Record<TrafficRange, { stepSeconds: number; count: number }>> = {
  "5min": { stepSeconds: 2, count: 150 },
  "1h": { stepSeconds: 30, count: 120 },
  "24h": { stepSeconds: 600, count: 144 },
};

/** An evening's traffic: a few waves. */
export function trafficHistory(range: TrafficRange): TrafficHistory {
  const { stepSeconds, count } = STEPS[range];
  const points = Array.from({ length: count }, (_, at) => ({
    at: ago((count - at) * stepSeconds),
    rxBytesPerSecond: 30_000 + 20_000 * (1 + Math.sin(at / 5)),
    txBytesPerSecond: 700_000 + 600_000 * (1 + Math.sin(at / 9)) + 90_000 * (1 + Math.sin(at * 1.7)),
  }));
  return { range, stepSeconds, points };
}
