/** One invocation: the common options, the node to ask, and how results and errors are told. */
import type { Command } from "commander";
import { type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { errorLine } from "../headless/error-line.ts";
import { type ControlClient, connectControl } from "../ipc/control-client.ts";
import { defaultDataDir } from "../storage/data-dir.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import type { CliHost } from "./host.ts";
import { plainWords } from "./plain-words.ts";

export class Session {
  readonly host: CliHost;
  readonly #program: Command;
  exitCode: number = EXIT.done;

  constructor(host: CliHost, program: Command) {
    this.host = host;
    this.#program = program;
  }

  get dataDir(): string {
    const { dataDir } = this.#program.opts<{ dataDir?: string }>();
    return dataDir ?? defaultDataDir(this.host.env, this.host.platform);
  }

  get json(): boolean {
    return this.#program.opts<{ json?: boolean }>().json === true;
  }

  /** A result: one JSON document with `--json`, else the words, both with one newline at their end. */
  print(json: unknown, words: () => string): void {
    const text = this.json ? JSON.stringify(json) : words();
    this.host.stdout(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** Runs a command; its value is the exit code, a failure is told and becomes one. */
  async run(command: () => Promise<Result<number>>): Promise<void> {
    const result = await command();
    if (result.ok) {
      this.exitCode = result.value;
      return;
    }
    tellError(this.host, result.error, this.json);
    this.exitCode = exitCodeOf(result.error);
  }

  /** Connects to the running node for as long as `use` takes. */
  async withNode<T>(use: (node: ControlClient) => Promise<Result<T>>): Promise<Result<T>> {
    const connected = await connectControl(this.dataDir, { clock: this.host.clock, platform: this.host.platform });
    if (!connected.ok) return { ok: false, error: this.#withSudoHint(connected.error) };
    try {
      return await use(connected.value);
    } finally {
      connected.value.close();
    }
  }

  /** A node that was started with sudo keeps its settings with root, where nobody else's commands look. */
  #withSudoHint(error: HiggsError): HiggsError {
    const { dataDir } = this.#program.opts<{ dataDir?: string }>();
    if (error.code !== "not-running" || this.host.isRoot || dataDir !== undefined) return error;
    return { ...error, hint: `If it was started with sudo, use sudo here too. ${error.hint ?? ""}`.trimEnd() };
  }

  /** Asks the running node, and prints what `print` makes of the answer. */
  ask<T>(use: (node: ControlClient) => Promise<Result<T>>, print: (value: T) => void): Promise<void> {
    return this.run(async () => {
      const answer = await this.withNode(use);
      if (!answer.ok) return answer;
      print(answer.value);
      return ok(EXIT.done);
    });
  }
}

/** One line on stderr; with `--json` one document on stdout, where the script reads, instead. */
export function tellError(host: CliHost, refused: HiggsError, json: boolean): void {
  const error = { ...refused, message: plainWords(refused.message) };
  if (json) host.stdout(`${JSON.stringify({ error })}\n`);
  else host.stderr(`${errorLine(error)}\n`);
}
