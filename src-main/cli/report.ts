/** `higgsnode report` */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { Report } from "../../src-shared/model/diagnosis.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { EXIT } from "./exit-code.ts";
import { fileTrouble } from "./file-trouble.ts";
import type { Session } from "./session.ts";
import { helperOption } from "./start.ts";

export function addReport(program: Command, session: Session): void {
  program
    .command("report")
    .description("a redacted bundle to attach to a bug report; it is sent nowhere")
    .option("--out <file>", "write it there instead of to stdout")
    .addOption(helperOption())
    .action((options: { out?: string; helper?: string }) =>
      session.run(async () => {
        const report = await collect(session, options.helper ?? session.host.helperPath);
        if (!report.ok) return report;
        const content = session.json ? report.value.json : report.value.text;
        if (options.out === undefined) {
          session.host.stdout(content);
          return ok(EXIT.done);
        }
        const written = write(options.out, content);
        if (!written.ok) return written;
        session.host.stderr(`Written to ${options.out}. Read it before you attach it; nothing was sent.\n`);
        return ok(EXIT.done);
      }),
    );
}

async function collect(session: Session, helperPath: string): Promise<Result<Report>> {
  const online = await session.withNode((node) => node.call("diagnose.report", {}));
  if (online.ok || online.error.code !== "not-running") return online;
  return session.host.parts.reportOffline({ dataDir: session.dataDir, helperPath });
}

/** Not over a file that is there already: it may be another report. */
function write(path: string, content: string): Result<void> {
  try {
    writeFileSync(path, content, { mode: 0o600, flag: "wx" });
    return ok(undefined);
  } catch (error) {
    return fail(
      "report-not-written",
      `${path} cannot be written: ${fileTrouble(error)}.`,
      "Name another file with --out.",
    );
  }
}
