/** Runs command lines against a fake node behind a real control socket. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ok, unwrap } from "../../../src-shared/result.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import type { StopSignal } from "../../headless/headless-host.ts";
import { type ControlSocket, openControlSocket } from "../../ipc/control-socket.ts";
import { FAKE_NOW, FakeNode } from "../../ipc/testing/fake-node.ts";
import type { CliHost, CliParts } from "../host.ts";
import { runCli } from "../main.ts";

export interface CliOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class CliHarness {
  readonly node = new FakeNode();
  readonly dataDir: string;
  readonly listeners = new Set<(signal: StopSignal) => void>();
  /** What the command has written so far. */
  readonly text = { out: "", err: "" };
  parts: CliParts;
  stderrIsTerminal = false;
  columns: number | undefined;
  isRoot = true;
  /** What stdin holds. */
  secret = "";
  env: Record<string, string> = {};
  #control: ControlSocket | undefined;

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
    this.parts = {
      prepareNode: async () =>
        ok({ compose: async () => ok(this.node), note: () => {}, onUnexpected: () => {}, close: () => {} }),
      diagnoseOffline: () => Promise.reject(new Error("not asked for in this test")),
      reportOffline: () => Promise.reject(new Error("not asked for in this test")),
      restoreNetwork: () => Promise.reject(new Error("not asked for in this test")),
    };
  }

  static async create(): Promise<CliHarness> {
    return new CliHarness(await mkdtemp(path.join(tmpdir(), "higgs-cli-")));
  }

  /** Puts the fake node behind the data directory's control socket. */
  async serve(): Promise<void> {
    this.#control = unwrap(
      await openControlSocket({
        dataDir: this.dataDir,
        api: this.node,
        checkOutput: true,
        onUnexpected: (_call, thrown) => {
          throw thrown;
        },
      }),
    );
  }

  async dispose(): Promise<void> {
    await this.#control?.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** Runs `argv` with the data directory in its environment. */
  async run(...argv: string[]): Promise<CliOutcome> {
    this.text.out = "";
    this.text.err = "";
    const code = await runCli(["--data-dir", this.dataDir, ...argv], this.host());
    return { code, ...this.text };
  }

  host(): CliHost {
    return {
      stdout: (text) => {
        this.text.out += text;
      },
      stderr: (text) => {
        this.text.err += text;
      },
      stderrIsTerminal: this.stderrIsTerminal,
      columns: this.columns,
      isRoot: this.isRoot,
      readSecret: async () => this.secret,
      env: { HOME: this.dataDir, ...this.env },
      platform: process.platform,
      version: "1.2.3",
      clock: new FakeClock(Date.parse(FAKE_NOW) + 7_500_000),
      onSignal: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      rendererDir: path.join(this.dataDir, "no-renderer"),
      helperPath: "/opt/higgsnode/helper.mjs",
      parts: this.parts,
    };
  }
}
