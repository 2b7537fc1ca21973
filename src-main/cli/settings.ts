/** `higgsnode settings show|set` */
import type { Command } from "commander";
import type { Settings } from "../../src-shared/model/settings.ts";
import { formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { settingMeanings } from "./setting-meanings.ts";
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
    .addHelpText("after", settingMeanings())
    .action((pairs: string[]) =>
      session.run(async () => {
        const changes = parseChanges(pairs);
        if (!changes.ok) return changes;
        const answer = await session.withNode((node) => node.call("settings.set", { changes: changes.value }));
        if (!answer.ok) return withHint(answer.error);
        const names = Object.keys(changes.value);
        session.print(answer.value.value, () => settingsText(answer.value.value, (name) => names.includes(name)));
        return ok(EXIT.done);
      }),
    );
}

function withHint(error: HiggsError): Result<never> {
  const needsHint = error.code === "settings-invalid" && error.hint === undefined;
  return {
    ok: false,
    error: needsHint ? { ...error, hint: "See what each can be: higgsnode settings set --help" } : error,
  };
}

/**
 * `KEY=VALUE` words; a value that is JSON is taken as such, `[one,two]` as a list of texts (a shell takes inner quotes
 * away), any other as text. Fails with `bad-usage`.
 */
export function parseChanges(pairs: readonly string[]): Result<Record<string, unknown>> {
  const changes = new Map<string, unknown>();
  for (const pair of pairs) {
    const [, key, value] = /^([A-Za-z][A-Za-z0-9]*)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      return fail("bad-usage", `"${pair}" is not KEY=VALUE`, "See the keys with: higgsnode settings set --help");
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
    const [, words] = /^\[([^[\]{}"]*)\]$/.exec(text) ?? [];
    return words === undefined ? text : words.split(",").map((word) => word.trim());
  }
}

function settingsText(settings: Settings, shows: (name: string) => boolean = () => true): string {
  const shown = Object.entries(settings).filter(([name]) => shows(name));
  return facts(shown.map(([name, value]) => [name, valueText(value)]));
}

function valueText(value: Settings[keyof Settings]): string {
  if (value === null) return "none";
  if (typeof value !== "object") return String(value);
  if ("down" in value) return `${value.down ?? "-"}/${value.up ?? "-"}`;
  return "host" in value ? formatEndpoint(value) : JSON.stringify(value);
}
