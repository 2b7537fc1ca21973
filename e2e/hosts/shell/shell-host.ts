/** The desktop app on a host of the lab, with the stand-in for Electron around it, and a hand on its tray and window. */
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { LineSplitter } from "../../../src-shared/line-splitter.ts";
import { type LabHost, nodeProgram, type Program, poll, within } from "../../lab/index.ts";
import {
  CONTROL_VARIABLE,
  type ShellAnswer,
  type ShellCommand,
  type ShellCommands,
  type ShellState,
} from "./control.ts";
import { SessionBus } from "./session-bus.ts";

const MAIN = join(import.meta.dirname, "../../../dist/electron/main.mjs");
const REGISTER = join(import.meta.dirname, "register.ts");

/** Node, the bundle and the control socket; Chromium comes with the first window. */
const START_TIMEOUT_MS = 30_000;
/** A page that loads for the first time on a busy machine. */
const COMMAND_TIMEOUT_MS = 40_000;
const MAX_ANSWER_CHARACTERS = 4 * 1024 * 1024;

export interface ShellOptions {
  /** Whether the desktop shows a tray. */
  readonly tray: boolean;
  readonly dataFolder: string;
  /** On the command line of the app. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

let runs = 0;

export class ShellHost {
  readonly program: Program;
  readonly #bus: SessionBus | undefined;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: ShellAnswer) => void>();
  #nextId = 1;

  private constructor(program: Program, bus: SessionBus | undefined, socket: Socket) {
    this.program = program;
    this.#bus = bus;
    this.#socket = socket;
    const lines = new LineSplitter(MAX_ANSWER_CHARACTERS);
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: string) => {
      for (const line of lines.push(chunk)) {
        const answer = JSON.parse(line) as ShellAnswer;
        this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
      }
    });
    socket.on("close", () => {
      for (const [id, settle] of this.#waiting) settle({ id, ok: false, error: "the shell has ended" });
      this.#waiting.clear();
    });
  }

  /** argv that starts the app on a host, for a second start as well. */
  static command(options: Pick<ShellOptions, "dataFolder" | "args">): string[] {
    return [nodeProgram(), "--import", REGISTER, MAIN, "--data-dir", options.dataFolder, ...(options.args ?? [])];
  }

  /** Resolves when the app's code runs; what it shows comes a moment later. */
  static async start(host: LabHost, options: ShellOptions): Promise<ShellHost> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not built: npm run build`);
    const control = join(host.folder, `shell-${runs++}.sock`);
    const bus = options.tray ? await SessionBus.listen(join(host.folder, `bus-${runs}.sock`)) : undefined;
    const program = host.spawn(ShellHost.command(options), {
      env: {
        [CONTROL_VARIABLE]: control,
        ...(bus === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: bus.address }),
        ...options.env,
      },
    });
    try {
      await poll(
        "the shell",
        () => {
          if (!program.running) throw new Error(`the shell ended\n${program.describe()}`);
          return existsSync(control) ? true : undefined;
        },
        { timeoutMs: START_TIMEOUT_MS },
      );
      return new ShellHost(program, bus, connect(control));
    } catch (error) {
      program.killGroup();
      await bus?.close();
      throw error;
    }
  }

  async do<C extends ShellCommand>(
    command: C,
    ...[input]: undefined extends ShellCommands[C]["input"] ? [] : [ShellCommands[C]["input"]]
  ): Promise<ShellCommands[C]["output"]> {
    const id = this.#nextId++;
    const answered = new Promise<ShellAnswer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.write(`${JSON.stringify({ id, command, input })}\n`);
    const answer = await within(`${command}\n${this.program.describe()}`, answered, COMMAND_TIMEOUT_MS);
    if (answer.ok) return answer.output as ShellCommands[C]["output"];
    throw new Error(`${command}: ${answer.error}\n${this.program.describe()}`);
  }

  /** The state of the shell once `is` holds of it. */
  async until(what: string, is: (state: ShellState) => boolean, timeoutMs = COMMAND_TIMEOUT_MS): Promise<ShellState> {
    let last: ShellState | undefined;
    try {
      return await poll(
        what,
        async () => {
          last = await this.do("state");
          return is(last) ? last : undefined;
        },
        { timeoutMs, intervalMs: 50 },
      );
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}; it is ${JSON.stringify(last)}`);
    }
  }

  /** SIGTERM, as at the end of a session. Idempotent. */
  async stop(): Promise<void> {
    await this.program.stop(STOP_TIMEOUT_MS);
    this.#socket.destroy();
    await this.#bus?.close();
  }
}

/** Draining and restoring the network, with Chromium to be ended besides. */
const STOP_TIMEOUT_MS = 40_000;
