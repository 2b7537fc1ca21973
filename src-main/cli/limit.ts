/** `higgsnode limit set|clear|list|test` */
import { type Command, InvalidArgumentError } from "commander";
import type { Client } from "../../src-shared/model/client.ts";
import {
  type LimitChanges,
  type LimitListItem,
  type LimitTest,
  parseSize,
  type Schedule,
  type ShownLimit,
  type TestedDirection,
  WEEK_DAYS,
  type WeekDay,
} from "../../src-shared/model/limit.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { formatDecimalBytes } from "../../src-shared/text/format.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { table } from "./table.ts";

interface SetOptions {
  down?: string;
  up?: string;
  priority?: string;
  burst?: string;
  quota?: string;
  quotaAction?: string;
  resetDay?: string;
  schedule?: string;
  outside?: string;
  timeZone?: string;
}

export function addLimit(program: Command, session: Session): void {
  const limit = program.command("limit").description("how much each client may use");
  limit
    .command("set")
    .argument("<name>", "name or id of the client")
    .description("change what is given and keep the rest; `none` removes a part")
    .option("--down <rate>", "to the client, as tc writes it: 256kbit, 10mbit, 1gbit")
    .option("--up <rate>", "from the client")
    .option("--priority <1..10>", "10 goes first when the connection is full")
    .option("--burst <bytes>", "what may pass at once after a pause")
    .option("--quota <amount>", "both directions together per month: 50GB")
    .option("--quota-action <action>", "at its end: pause, or slow:256kbit (default: pause)")
    .option("--reset-day <day>", "on which the month begins, 1 to 31 (default: 1)")
    .option("--schedule <windows>", 'when the rates hold: "mon-fri 18:00-23:00; sat,sun 10:00-24:00"')
    .option("--outside <what>", "at other times: unlimited, or pause (default: unlimited)")
    .option("--time-zone <zone>", "of schedule and quota (default: this computer's)")
    .addHelpText("after", SET_EXAMPLES)
    .action((name: string, options: SetOptions) =>
      session.run(async () => {
        const changes = changesOf(options);
        if (!changes.ok) return changes;
        const answer = await session.withNode((node) => node.call("limits.set", { name, changes: changes.value }));
        if (!answer.ok) return answer;
        session.print(answer.value, () => setText(answer.value));
        return ok(EXIT.done);
      }),
    );
  limit
    .command("clear")
    .argument("<name>", "name or id of the client")
    .description("take every limit off a client")
    .action((name: string) =>
      session.ask<Client>(
        (node) => node.call("limits.clear", { name }),
        (client) => session.print(client, () => `${client.name} is not limited any more.`),
      ),
    );
  limit
    .command("list")
    .description("show every limit")
    .action(() =>
      session.ask<LimitListItem[]>(
        (node) => node.call("limits.list", {}),
        (limits) => session.print(limits, () => listText(limits)),
      ),
    );
  limit
    .command("test")
    .argument("<name>", "name or id of a client that is using its connection now")
    .option("--seconds <n>", "how long to measure, 1 to 15", wholeNumber, 4)
    .description("measure what a client really gets, and say so if it is off by more than 10 %")
    .action((name: string, { seconds }: { seconds: number }) =>
      session.run(async () => {
        const answer = await session.withNode((node) => node.call("limits.test", { name, seconds }));
        if (!answer.ok) return answer;
        session.print(answer.value, () => testText(answer.value));
        const isOff = answer.value.down?.verdict === "off" || answer.value.up?.verdict === "off";
        return ok(isOff ? EXIT.failed : EXIT.done);
      }),
    );
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

const SET_EXAMPLES = `
Such as:
  higgsnode limit set Anna --down 10mbit --up 5mbit --priority 7
  higgsnode limit set Anna --quota 50GB --quota-action slow:1mbit --reset-day 15
  higgsnode limit set Anna --schedule "mon-fri 18:00-23:00" --outside pause
  higgsnode limit set Anna --quota none

For all guests together there are settings:
  higgsnode settings set totalRate=50mbit/10mbit     what all guests together may use, down/up
  higgsnode settings set uplinkRate=100mbit/20mbit   what your connection has
  higgsnode settings set householdFirst=true         guests take what the home leaves of that`;

/** What the options ask to be changed. The node checks what they say; here they are only taken apart. Errors: `bad-usage`, `quota-invalid`, `schedule-invalid`. */
export function changesOf(options: SetOptions): Result<LimitChanges> {
  const changes: LimitChanges = {};
  if (options.down !== undefined) changes.down = orNone(options.down);
  if (options.up !== undefined) changes.up = orNone(options.up);
  for (const [key, text] of [
    ["priority", options.priority],
    ["burstBytes", options.burst],
  ] as const) {
    if (text === "none") changes[key] = null;
    else if (text !== undefined) changes[key] = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
  }
  const timeZone = options.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const quota = quotaOf(options, timeZone);
  if (!quota.ok) return quota;
  if (quota.value !== undefined) changes.quota = quota.value;
  const schedule = scheduleOf(options, timeZone);
  if (!schedule.ok) return schedule;
  if (schedule.value !== undefined) changes.schedule = schedule.value;
  if (Object.keys(changes).length > 0) return ok(changes);
  return fail("bad-usage", "Nothing to set was given.", "Such as: higgsnode limit set NAME --down 10mbit --up 5mbit");
}

function orNone(text: string): string | null {
  return text === "none" ? null : text;
}

function quotaOf({ quota, quotaAction = "pause", resetDay = "1" }: SetOptions, timeZone: string): Result<unknown> {
  if (quota === undefined) return ok(undefined);
  if (quota === "none") return ok(null);
  const bytes = parseSize(quota);
  if (!bytes.ok) return bytes;
  const slow = /^slow:(.*)$/s.exec(quotaAction)?.[1];
  return ok({
    bytes: bytes.value,
    action: slow === undefined ? quotaAction : { slow },
    resetDay: Number(resetDay),
    timeZone,
  });
}

/** `mon-fri 18:00-23:00; sat,sun 10:00-24:00` */
function scheduleOf(
  { schedule, outside = "unlimited" }: SetOptions,
  timeZone: string,
): Result<Schedule | null | undefined> {
  if (schedule === undefined) return ok(undefined);
  if (schedule === "none") return ok(null);
  const windows: Schedule["windows"] = [];
  for (const part of schedule.split(";")) {
    const [, dayText = "", from = "", to = ""] = /^\s*([a-z,-]+)\s+([0-9:]+)-([0-9:]+)\s*$/i.exec(part) ?? [];
    const days = daysOf(dayText.toLowerCase());
    if (days === undefined) {
      return fail(
        "schedule-invalid",
        `${JSON.stringify(part.trim().slice(0, 48))} is not a window of a week.`,
        'Write it as: "mon-fri 18:00-23:00; sat,sun 10:00-24:00"',
      );
    }
    windows.push({ days, from, to });
  }
  // Whether `outside` is one of the two words is the node's to say.
  return ok({ timeZone, windows, outside: outside as Schedule["outside"] });
}

function daysOf(text: string): WeekDay[] | undefined {
  const days: WeekDay[] = [];
  for (const word of text.split(",")) {
    const [first = "", last = first, ...more] = word.split("-");
    const begin = WEEK_DAYS.indexOf(first as WeekDay);
    const end = WEEK_DAYS.indexOf(last as WeekDay);
    if (begin === -1 || end < begin || more.length > 0) return undefined;
    days.push(...WEEK_DAYS.slice(begin, end + 1));
  }
  return days;
}

function setText(client: Client): string {
  const { limit, quota } = client;
  if (limit === undefined) return `${client.name} is not limited.`;
  const parts = [`${client.name}: ${ratesText(limit)}.`];
  if (quota !== undefined)
    parts.push(`${formatDecimalBytes(quota.bytes)} a month, ${formatDecimalBytes(quota.usedBytes)} used.`);
  if (limit.schedule !== undefined) parts.push(scheduleText(limit.schedule));
  return parts.join(" ");
}

function scheduleText({ windows, outside, timeZone }: Schedule): string {
  const times = windows.map(({ days, from, to }) => `${days.join(",")} ${from}-${to}`).join("; ");
  return `${times} (${timeZone}); at other times ${outside === "pause" ? "paused" : "unlimited"}.`;
}

function ratesText({ down, up, priority }: ShownLimit): string {
  const rates = [
    ...(down === undefined ? [] : [`${down} down`]),
    ...(up === undefined ? [] : [`${up} up`]),
    ...(priority === undefined ? [] : [`priority ${priority}`]),
  ];
  return rates.length === 0 ? "no rate limit" : rates.join(", ");
}

function listText(limits: readonly LimitListItem[]): string {
  if (limits.length === 0)
    return "Nobody is limited. Limit a client with: higgsnode limit set NAME --down 10mbit --up 5mbit";
  return table(
    ["NAME", "DOWN", "UP", "PRIORITY", "QUOTA", "USED", "AT PRESENT"],
    limits.map(({ name, limit, quota }) => [
      name,
      limit?.down ?? "-",
      limit?.up ?? "-",
      String(limit?.priority ?? "-"),
      quota === undefined ? "-" : formatDecimalBytes(quota.bytes),
      quota === undefined ? "-" : formatDecimalBytes(quota.usedBytes),
      limit?.state.replaceAll("-", " ") ?? "-",
    ]),
  );
}

function testText({ name, seconds, down, up }: LimitTest): string {
  const lines = [`${name}, measured for ${seconds} s:`];
  if (down !== null) lines.push(`  down  ${directionText(down)}`);
  if (up !== null) lines.push(`  up    ${directionText(up)}`);
  return lines.join("\n");
}

function directionText({ limit, measured, verdict }: TestedDirection): string {
  switch (verdict) {
    case "holds":
      return `${measured} of ${limit}: the limit holds`;
    case "off":
      return `${measured} of ${limit}: OFF by more than 10 %`;
    case "idle":
      return `${measured} of ${limit}: the client asks for less, so nothing can be said`;
  }
}
