/** `higgsnode client config` */
import type { Command } from "commander";
import qrcode from "qrcode";
import type { ClientConfig } from "../../src-shared/model/client.ts";
import { fail, ok } from "../../src-shared/result.ts";
import { formatDuration } from "../../src-shared/text/format.ts";
import { endpointWarnings } from "./endpoint-warnings.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { shellWord } from "./shell-word.ts";

interface ConfigOptions {
  readonly qr?: boolean;
  readonly relay?: boolean;
  readonly websocket?: boolean;
  readonly newKey?: boolean;
}

export function addClientConfig(client: Command, session: Session): void {
  client
    .command("config")
    .argument("<name>", "name or id of the client")
    .description("print a client's WireGuard configuration, its private key in it")
    .option("--qr", "draw it as a QR code for a phone instead")
    .option("--relay", "for the node's relay instead of the node itself")
    .option("--websocket", "for the relay over HTTPS, where UDP is blocked: the first lines say how")
    .option("--new-key", "replace its key first: the configuration given out before stops working")
    .action((name: string, options: ConfigOptions) =>
      session.run(async () => {
        if (options.qr === true && options.websocket === true) {
          return fail(
            "bad-usage",
            "a QR code is for a phone, and --websocket needs a program on a computer",
            "Leave one out.",
          );
        }
        const answer = await session.withNode((node) =>
          node.call("clients.config", { name, newKey: options.newKey === true, via: viaOf(options) }),
        );
        if (!answer.ok) return answer;
        const drawn = options.qr === true ? await drawQr(answer.value.config) : answer.value.config;
        const warnings = endpointWarnings(answer.value.config, answer.value.client.name);
        session.print({ ...answer.value, warnings }, () => drawn);
        for (const { message, hint } of warnings) session.host.stderr(`Warning: ${message} ${hint}\n`);
        if (!session.json) session.host.stderr(notes(answer.value, session.host.clock.nowMs()));
        return ok(EXIT.done);
      }),
    );
}

function viaOf({ relay, websocket }: ConfigOptions): "direct" | "relay" | "websocket" {
  if (websocket === true) return "websocket";
  return relay === true ? "relay" : "direct";
}

/** Half blocks, so that the code is square and small enough for 80 columns. */
function drawQr(text: string): Promise<string> {
  return qrcode.toString(text, { type: "utf8", errorCorrectionLevel: "L" });
}

function notes({ client, shownUntil }: ClientConfig, nowMs: number): string {
  if (shownUntil === undefined) return "";
  const left = formatDuration(Date.parse(shownUntil) - nowMs);
  return (
    `The private key in it is forgotten in ${left}; afterwards a new one is made with: ` +
    `higgsnode client config ${shellWord(client.name)} --new-key\n`
  );
}
