/** `higgsnode settings show|set` */
import type { Command } from "commander";
import type { Settings } from "../../src-shared/model/settings.ts";
import { formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { facts } from "./table.ts";

export function addSettings(program: Command, session: Session): void {
  const settings = program.command("settings").description("how this node works");
  settings
    .command("show")
    .description("print every setting")
    .action(() =>
      session.ask(
        (node) => node.call("settings.get", {}),
        ({ value }) => session.print(value, () => settingsText(value)),
      ),
    );
  settings
    .command("set")
    .argument("<key=value...>", "such as listenPort=51821 or publicEndpoint=home.example.org:51820")
    .description("change settings; a running node applies them at once")
    .action((pairs: string[]) =>
      session.run(async () => {
        const changes = parseChanges(pairs);
        if (!changes.ok) return changes;
        const answer = await session.withNode((node) => node.call("settings.set", { changes: changes.value }));
        if (!answer.ok) return answer;
        session.print(answer.value.value, () => settingsText(answer.value.value));
        return ok(EXIT.done);
      }),
    );
}

/** `KEY=VALUE` words; a value that is JSON is taken as such, any other as text. Fails with `bad-usage`. */
export function parseChanges(pairs: readonly string[]): Result<Record<string, unknown>> {
  const changes = new Map<string, unknown>();
  for (const pair of pairs) {
    const [, key, value] = /^([A-Za-z][A-Za-z0-9]*)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      return fail("bad-usage", `"${pair}" is not KEY=VALUE`, "See the keys with: higgsnode settings show");
    }
    if (changes.has(key)) return fail("bad-usage", `${key} is given twice`, "Give each key once.");
    changes.set(key, parseValue(value));
  }
  return ok(Object.fromEntries(changes));
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function settingsText(settings: Settings): string {
  return facts(Object.entries(settings).map(([key, value]) => [key, valueText(value)]));
}

function valueText(value: Settings[keyof Settings]): string {
  if (value === null) return "none";
  if (typeof value !== "object") return String(value);
  if ("down" in value) return `${value.down ?? "-"}/${value.up ?? "-"}`;
  return "host" in value ? formatEndpoint(value) : JSON.stringify(value);
}
