/** `higgsnode panel password` */
import type { Command } from "commander";
import { ok } from "../../src-shared/result.ts";
import { MIN_PASSWORD_CHARACTERS, savePassword } from "../headless/panel-password.ts";
import { openDataDir } from "../storage/data-dir.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";

export function addPanel(program: Command, session: Session): void {
  const panel = program.command("panel").description("the panel in the browser");
  panel
    .command("password")
    .description(
      `set the password of a panel beyond this computer, from stdin (${MIN_PASSWORD_CHARACTERS} characters or more)`,
    )
    .action(() =>
      session.run(async () => {
        const dataDir = openDataDir(session.dataDir);
        if (!dataDir.ok) return dataDir;
        const password = await session.host.readSecret("New password of the panel: ");
        const saved = await savePassword(dataDir.value.path, password);
        if (!saved.ok) return saved;
        session.print({ saved: true }, () => "The password is set. Whoever was signed in must sign in again.");
        return ok(EXIT.done);
      }),
    );
}
