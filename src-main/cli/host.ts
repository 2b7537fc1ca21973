/** What the command line needs of the world, handed in so that a test can be the world. */
import type { Clock } from "../../src-shared/clock.ts";
import type { RestoreResult } from "../../src-shared/helper/protocol.ts";
import type { CheckResult, Diagnosis, Report } from "../../src-shared/model/diagnosis.ts";
import type { Result } from "../../src-shared/result.ts";
import type { StopSignal } from "../headless/headless-host.ts";
import type { PreparedNode, PrepareOptions } from "../headless/prepare-node.ts";

export interface CliHost {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Columns of the terminal that stdout is; undefined where it is a file or a pipe. */
  readonly columns: number | undefined;
  /** Whether this user may change the network and owns what `sudo` started. */
  readonly isRoot: boolean;
  /** Whether somebody watches stderr: progress is for people, not for log files. */
  readonly stderrIsTerminal: boolean;
  /** The first line of stdin; from a terminal it is read without being shown, after the prompt on stderr. */
  readonly readSecret: (prompt: string) => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly version: string;
  readonly clock: Clock;
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** The built panel. */
  readonly rendererDir: string;
  /** The helper beside this program; `--helper` overrides it. */
  readonly helperPath: string;
  readonly parts: CliParts;
}

export interface PartOptions {
  readonly dataDir: string;
  readonly helperPath: string;
}

/** Parts that only some commands need, loaded when they are. */
export interface CliParts {
  prepareNode(options: PrepareOptions): Promise<Result<PreparedNode>>;
  diagnoseOffline(
    options: PartOptions & { onProgress: (progress: DiagnoseProgress) => void },
  ): Promise<Result<Diagnosis>>;
  restoreNetwork(options: PartOptions): Promise<Result<RestoreResult>>;
  reportOffline(options: PartOptions): Promise<Result<Report>>;
}

export interface DiagnoseProgress {
  readonly done: number;
  readonly total: number;
  readonly check: CheckResult;
}
