/** `higgsnode health`, `higgsnode health history` and `higgsnode health uptime` */
import { type Command, InvalidArgumentError } from "commander";
import type {
  Health,
  HealthEvent,
  HealthFact,
  HealthFactCode,
  Recovery,
  UptimeDay,
} from "../../src-shared/model/health.ts";
import { formatAgo, formatDuration } from "../../src-shared/text/format.ts";
import { explain } from "../../src-shared/text/headline.ts";
import type { Session } from "./session.ts";
import { facts, table } from "./table.ts";

const MAX_LINES = 200;
const MAX_DAYS = 366;

export function addHealth(program: Command, session: Session): void {
  const nowMs = () => session.host.clock.nowMs();
  const health = program
    .command("health")
    .description("look at everything now, and say what works and what does not")
    .action(() =>
      session.ask(
        (node) => node.call("health.check", {}),
        (value) => session.print(value, () => healthText(value, nowMs(), session.host.columns)),
      ),
    );
  health
    .command("history")
    .description("what failed, what was done about it, and how long it took")
    .option("--limit <n>", "so many lines at most", wholeNumberTo(MAX_LINES), 50)
    .action(({ limit }: { limit: number }) =>
      session.ask(
        (node) => node.call("health.history", { limit }),
        (value) => session.print(value, () => historyText(value.events, nowMs())),
      ),
    );
  health
    .command("uptime")
    .description("how much of each day sharing worked")
    .option("--days <n>", "so many days at most", wholeNumberTo(MAX_DAYS), 30)
    .action(({ days }: { days: number }) =>
      session.ask(
        (node) => node.call("health.uptime", { days }),
        (value) => session.print(value, () => uptimeText(value)),
      ),
    );
}

/** Every fact, those that matter first; symptoms name their cause. */
export function healthText(health: Health, nowMs: number, columns?: number): string {
  const lines: string[] = [OVERALL[health.overall]];
  if (health.facts.length > 0 && health.overall !== "off") {
    const sorted = [...health.facts].sort((a, b) => RANK[a.state] - RANK[b.state]);
    lines.push(
      "",
      facts(
        sorted.map((fact) => [NAMES[fact.code], factText(fact, nowMs)]),
        "  ",
        columns,
      ),
    );
  }
  const doing = recoveryText(health.recovery, nowMs);
  if (doing !== undefined) lines.push("", doing);
  return lines.join("\n");
}

/** The lines in `status`: what is shown as bad, and what is done about it. */
export function healthFacts(health: Health, nowMs: number): [string, string][] {
  if (health.overall === "off" || health.facts.length === 0) return [];
  const shown = health.facts.filter((fact) => fact.state === "bad" && fact.silencedBy === undefined && !fact.waiting);
  const doing = recoveryText(health.recovery, nowMs);
  return [
    ["Health", OVERALL[health.overall]],
    ...shown.map((fact): [string, string] => [NAMES[fact.code], factText(fact, nowMs)]),
    ...(doing === undefined ? [] : [["Recovery", doing] satisfies [string, string]]),
  ];
}

export function historyText(events: readonly HealthEvent[], nowMs: number): string {
  if (events.length === 0) return "Nothing has happened yet.";
  return table(
    ["WHEN", "WHAT", "ABOUT"],
    events.map((event) => [formatAgo(event.at, nowMs), kindText(event), aboutText(event)]),
  );
}

export function uptimeText(days: readonly UptimeDay[]): string {
  if (days.length === 0) return "Sharing has not been on yet.";
  return table(
    ["DAY", "SHARED", "WORKED"],
    days.map(({ day, wantedSeconds, workingSeconds }) => [
      day,
      formatDuration(wantedSeconds * 1_000),
      wantedSeconds === 0 ? "" : `${((100 * workingSeconds) / wantedSeconds).toFixed(1)} %`,
    ]),
  );
}

function factText(fact: HealthFact, nowMs: number): string {
  if (fact.state !== "bad") return STATES[fact.state];
  if (fact.silencedBy !== undefined) return `not working because of: ${NAMES[fact.silencedBy]}`;
  const why = fact.error === undefined ? "" : ` ${explain(fact.error)}`;
  return `not working for ${formatDuration(Math.max(0, nowMs - Date.parse(fact.since)))}.${why}`;
}

function recoveryText(recovery: Recovery, nowMs: number): string | undefined {
  switch (recovery.state) {
    case "idle":
      return undefined;
    case "running":
      return `${NAMES[recovery.cause]} is being repaired: ${stepText(recovery.step)}, attempt ${recovery.attempt}.`;
    case "waiting": {
      const inMs = Math.max(0, Date.parse(recovery.nextAt) - nowMs);
      return `${NAMES[recovery.cause]}: attempt ${recovery.attempt} to repair it follows in ${formatDuration(inMs)}.`;
    }
  }
}

function kindText({ kind, step, attempt, error }: HealthEvent): string {
  const how = [...(step === null ? [] : [stepText(step)]), ...(attempt === null ? [] : [`attempt ${attempt}`])].join(
    ", ",
  );
  switch (kind) {
    case "unhealthy":
      return "stopped working";
    case "healthy":
      return "works again";
    case "recovery-step":
      return `${error === null ? "repaired" : "tried in vain"} (${how})`;
    case "recovered":
      return "recovered";
    case "recovery-failed":
      return "not repaired; tried again now and then";
    case "woke":
      return "the computer woke";
    case "clock-jumped":
      return "the clock was set";
  }
}

function aboutText({ fact, error, durationMs }: HealthEvent): string {
  const parts = [
    ...(fact === null ? [] : [NAMES[fact]]),
    ...(durationMs === null ? [] : [formatDuration(durationMs)]),
    ...(error === null ? [] : [error.message]),
  ];
  return parts.join(", ");
}

function wholeNumberTo(most: number) {
  return (text: string): number => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`must be a whole number from 1 to ${most}`);
  };
}

const OVERALL = {
  good: "Everything works.",
  attention: "Sharing works; something wants attention.",
  bad: "Something does not work.",
  unknown: "Not known yet.",
  off: "Sharing is off; nothing is looked at.",
} as const;

/** A step that a later node has and this program does not know is shown by its name. */
function stepText(step: string): string {
  return STEPS.get(step) ?? step;
}

const STEPS: ReadonlyMap<string, string> = new Map([
  ["apply", "putting the network right"],
  ["restart-helper", "starting the helper again"],
  ["remap", "asking the router again"],
  ["reconnect", "connecting to the relay again"],
  ["rebind", "opening the name service again"],
  ["replan", "choosing another way out"],
]);

const STATES = { good: "works", unknown: "not known", off: "not in use" } as const;

/** What is wrong comes first. */
const RANK = { bad: 0, unknown: 1, good: 2, off: 3 } as const;

const NAMES: Readonly<Record<HealthFactCode, string>> = {
  helper: "Privileged helper",
  networkRoute: "Way to the internet",
  wireguard: "WireGuard",
  routing: "Forwarding",
  nat: "Firewall and NAT",
  addressConflict: "Guests' addresses",
  limits: "Limits",
  dns: "Names for guests",
  egressIpv4: "Internet over IPv4",
  egressIpv6: "Internet over IPv6",
  portMapping: "Port mapping",
  reachability: "Reachability",
  relay: "Relay",
  disk: "Disk",
  clock: "Clock",
};
