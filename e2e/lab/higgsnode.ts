/** The built product on a host of the lab, used as its owner uses it: through the command line. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab-host.ts";
import type { ExecResult, Program, ProgramEnd } from "./program.ts";
import { nodeProgram } from "./support.ts";

const CLI = join(import.meta.dirname, "../../dist/cli.mjs");
/** Starting takes about a second: keys, interface, rules, verification; a loaded machine needs several. */
const START_TIMEOUT_MS = 30_000;
/** Stopping drains connections and restores the network. */
const STOP_TIMEOUT_MS = 20_000;
const COMMAND_TIMEOUT_MS = 30_000;

export interface StartOptions {
  share?: boolean;
  /** Port of the panel on the host's loopback; without it the node chooses, with `false` there is no panel. */
  panelPort?: number | false;
  /** Further arguments of `higgsnode start`. */
  more?: readonly string[];
}

/** What `higgsnode start` prints when it is up. */
export interface Ready {
  ready: true;
  panel?: string | null;
  socket: string;
}

export class Higgsnode {
  readonly host: LabHost;
  readonly dataFolder: string;
  #program: Program | undefined;

  constructor(host: LabHost, dataFolder = join(host.folder, "data")) {
    if (!existsSync(CLI)) throw new Error(`${CLI} is not built: npm run build`);
    this.host = host;
    this.dataFolder = dataFolder;
  }

  /** The running node's program, for tests that kill it. Throws when it was not started. */
  get program(): Program {
    if (this.#program === undefined) throw new Error("the node was not started");
    return this.#program;
  }

  /** What the running node has printed, for error messages; empty before it was started. */
  get output(): string {
    return this.#program?.describe() ?? "";
  }

  /** Starts the node in the foreground of the host and waits until it says that it is up. */
  async start(options: StartOptions = {}): Promise<Ready> {
    const argv = ["start", "--data-dir", this.dataFolder, ...(options.more ?? [])];
    if (options.share === true) argv.push("--share");
    if (options.panelPort === false) argv.push("--no-panel");
    else if (options.panelPort !== undefined) argv.push("--panel-port", String(options.panelPort));
    this.#program = this.host.spawn([nodeProgram(), CLI, ...argv]);
    const line = await this.#program.line((text) => text.includes('"ready":true'), START_TIMEOUT_MS);
    return JSON.parse(line) as Ready;
  }

  /** Runs one command of the product on the same data folder. */
  run(argv: readonly string[], timeoutMs = COMMAND_TIMEOUT_MS): Promise<ExecResult> {
    return this.host.exec(this.command(argv), { timeoutMs });
  }

  /** The words by which a shell on the host would run a command of the product. */
  command(argv: readonly string[]): string[] {
    return [nodeProgram(), CLI, ...argv, "--data-dir", this.dataFolder];
  }

  /** The same, for a command that must succeed: its standard output. */
  async mustRun(argv: readonly string[], timeoutMs = COMMAND_TIMEOUT_MS): Promise<string> {
    const result = await this.run(argv, timeoutMs);
    if (result.code === 0) return result.stdout;
    throw new Error(`higgsnode ${argv.join(" ")} ended with ${result.code}\n${result.stdout}${result.stderr}`);
  }

  /** Adds a client and returns its configuration for wg-quick. */
  async addClient(name: string): Promise<string> {
    await this.mustRun(["client", "add", name, "--json"]);
    return this.mustRun(["client", "config", name]);
  }

  /** SIGTERM, as at logout; how it ended. Idempotent. */
  async stop(): Promise<ProgramEnd | undefined> {
    return this.#program?.stop(STOP_TIMEOUT_MS);
  }
}
