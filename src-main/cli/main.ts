/** The command line: every command, the common options, and what wrong usage looks like. */
import { type Argument, Command, CommanderError } from "commander";
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
    .helpOption("-h, --help", "show what a command does and takes")
    .commandsGroup(TROUBLE)
    .helpCommand("help [command]", "say what a command does and takes")
    .addHelpText("after", FIRST_STEPS)
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map((argument) => humanArgument(argument))].join(" "),
    })
    .exitOverride()
    .configureOutput({ writeOut: host.stdout, writeErr: host.stderr, outputError: () => {} });
  const session = new Session(host, program);
  program.commandsGroup("Sharing:");
  addStart(program, session);
  addStatus(program, session);
  addShare(program, session);
  program.commandsGroup("Guests:");
  addClient(program, session);
  addLimit(program, session);
  addPrivacy(program, session);
  program.commandsGroup("This node:");
  addSettings(program, session);
  addPanel(program, session);
  addPorts(program, session);
  program.commandsGroup(TROUBLE);
  addHealth(program, session);
  addDiagnose(program, session);
  addSelfTest(program, session);
  addReport(program, session);
  addRestoreNetwork(program, session);
  program.commandsGroup("On a guest's computer:");
  addConnect(program, session);
  // `--help` behind any of them is enough.
  for (const group of program.commands) group.helpCommand(false);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return session.exitCode;
  } catch (thrown) {
    return thrown instanceof CommanderError ? endOf(thrown, argv, host, program) : surprise(thrown, argv, host);
  }
}

const TROUBLE = "When something is wrong:";

const FIRST_STEPS = `
First steps:
  sudo higgsnode start --share             a node that shares, until Ctrl+C
  sudo higgsnode client add Anna           in another terminal: let somebody in
  sudo higgsnode client config Anna --qr   the code to scan with the WireGuard app
  sudo higgsnode status                    how it goes`;

function humanArgument(argument: Argument): string {
  const words = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${words}>` : `[${words}]`;
}

function endOf(thrown: CommanderError, argv: readonly string[], host: CliHost, program: Command): number {
  switch (thrown.code) {
    case "commander.helpDisplayed":
    case "commander.version":
      return EXIT.done;
    case "commander.help":
      if (thrown.exitCode === 0) return EXIT.done;
      // A group without its command: the help has been shown on stderr.
      if (argv.includes("--json")) tellError(host, usageError("a command is missing", argv, program), true);
      return EXIT.usage;
    default:
      tellError(host, usageError(thrown.message, argv, program), argv.includes("--json"));
      return EXIT.usage;
  }
}

function usageError(said: string, argv: readonly string[], program: Command): HiggsError {
  const message = said.replace(/^error: /, "").replace(/\s+/g, " ");
  const named = commandOf(argv, program);
  const hint =
    named.length === 0 ? "See the commands with: higgsnode --help" : `See: higgsnode ${named.join(" ")} --help`;
  return { code: "bad-usage", message, hint };
}

/** The command that the line names, as far as it names one: `["client", "add"]`. */
function commandOf(argv: readonly string[], program: Command): string[] {
  const names: string[] = [];
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) continue;
    names.push(word);
    command = next;
  }
  return names;
}

function surprise(thrown: unknown, argv: readonly string[], host: CliHost): number {
  tellError(host, errorOf(thrown), argv.includes("--json"));
  return EXIT.failed;
}
