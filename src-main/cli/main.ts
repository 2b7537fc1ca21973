/** The command line: every command, the common options, and what wrong usage looks like. */
import { Command, CommanderError } from "commander";
import { errorOf, type HiggsError } from "../../src-shared/result.ts";
import { addClient } from "./client.ts";
import { addConnect } from "./connect.ts";
import { addDiagnose } from "./diagnose.ts";
import { EXIT } from "./exit-code.ts";
import { addHealth } from "./health.ts";
import type { CliHost } from "./host.ts";
import { addLimit } from "./limit.ts";
import { addPanel } from "./panel.ts";
import { addPorts } from "./ports.ts";
import { addPrivacy } from "./privacy.ts";
import { addReport } from "./report.ts";
import { addRestoreNetwork } from "./restore-network.ts";
import { addSelfTest } from "./self-test.ts";
import { Session, tellError } from "./session.ts";
import { addSettings } from "./settings.ts";
import { addShare } from "./share.ts";
import { addStart } from "./start.ts";
import { addStatus } from "./status.ts";

/** Runs one command line, `argv` without program and script. Resolves with the exit code; never rejects. */
export async function runCli(argv: readonly string[], host: CliHost): Promise<number> {
  const program = new Command("higgsnode")
    .description("Share this computer's internet connection as a WireGuard exit node.")
    .version(host.version)
    .option("--data-dir <dir>", "where the node keeps its settings (default: the platform's convention)")
    .option("--json", "one JSON document on stdout instead of words")
    .exitOverride()
    .configureOutput({ writeOut: host.stdout, writeErr: host.stderr, outputError: () => {} });
  const session = new Session(host, program);
  addStart(program, session);
  addStatus(program, session);
  addShare(program, session);
  addClient(program, session);
  addLimit(program, session);
  addSettings(program, session);
  addPrivacy(program, session);
  addPanel(program, session);
  addPorts(program, session);
  addHealth(program, session);
  addConnect(program, session);
  addDiagnose(program, session);
  addSelfTest(program, session);
  addReport(program, session);
  addRestoreNetwork(program, session);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return session.exitCode;
  } catch (thrown) {
    return thrown instanceof CommanderError ? endOf(thrown, argv, host) : surprise(thrown, argv, host);
  }
}

function endOf(thrown: CommanderError, argv: readonly string[], host: CliHost): number {
  switch (thrown.code) {
    case "commander.helpDisplayed":
    case "commander.version":
      return EXIT.done;
    case "commander.help":
      // A group without its command: the help has been shown on stderr.
      return EXIT.usage;
    default:
      tellError(host, usageError(thrown), argv.includes("--json"));
      return EXIT.usage;
  }
}

function usageError(thrown: CommanderError): HiggsError {
  const message = thrown.message.replace(/^error: /, "").replace(/\s+/g, " ");
  return { code: "bad-usage", message, hint: "See the commands with: higgsnode --help" };
}

function surprise(thrown: unknown, argv: readonly string[], host: CliHost): number {
  tellError(host, errorOf(thrown), argv.includes("--json"));
  return EXIT.failed;
}
