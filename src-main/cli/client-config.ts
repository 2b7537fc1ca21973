/** `higgsnode client config` */
import type { Command } from "commander";
import qrcode from "qrcode";
import type { ClientConfig } from "../../src-shared/model/client.ts";
import { ok } from "../../src-shared/result.ts";
import { formatDuration } from "../../src-shared/text/format.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { shellWord } from "./shell-word.ts";

export function addClientConfig(client: Command, session: Session): void {
  client
    .command("config")
    .argument("<name>", "name or id of the client")
    .description("print a client's WireGuard configuration, its private key in it")
    .option("--qr", "draw it as a QR code for a phone instead")
    .option("--new-key", "replace its key first: the configuration given out before stops working")
    .action((name: string, options: { qr?: boolean; newKey?: boolean }) =>
      session.run(async () => {
        const answer = await session.withNode((node) =>
          node.call("clients.config", { name, newKey: options.newKey === true }),
        );
        if (!answer.ok) return answer;
        const drawn = options.qr === true ? await drawQr(answer.value.config) : answer.value.config;
        session.print(answer.value, () => drawn);
        if (!session.json) session.host.stderr(notes(answer.value, session.host.clock.nowMs()));
        return ok(EXIT.done);
      }),
    );
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
