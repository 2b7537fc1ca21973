/**
 * Tells when somebody may have touched our firewall rules: `iptables -F`, a restart of Docker or firewalld, a reload of ufw.
 * With the nf_tables kind of iptables the kernel announces each change. The legacy kind announces nothing, and nft(8) may be
 * missing: then the rules are looked at from time to time.
 */
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { MonitorProgram } from "./monitor-program.ts";
import type { Run } from "./run.ts";
import { touchesOurRules } from "./watch-text.ts";

/** Two runs of iptables-save take some 6 ms of a processor: 0.3 % of one at this pace. */
export const LOOK_EVERY_MS = 2_000;

export interface RuleWatchOptions {
  clock: Clock;
  run: Run;
  /** Whether the rules are what they should be; true where there should be none. */
  isAsPlanned: () => Promise<boolean>;
  onChange: () => void;
  /** In place of nft(8), for tests. */
  command?: readonly [string, ...string[]];
}

export class RuleWatch {
  readonly #options: RuleWatchOptions;
  #monitor: MonitorProgram | undefined;
  #cancelLook: CancelTimer | undefined;
  /** A difference is told once; whoever was told tries to mend it, at his own pace. */
  #wasAsPlanned = true;
  #stopped = false;

  constructor(options: RuleWatchOptions) {
    this.#options = options;
    void this.#start();
  }

  /** Ends the program and the looking. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#monitor?.stop();
    this.#look(false);
  }

  async #start(): Promise<void> {
    const { clock, run, onChange, command = ["nft", "monitor", "rules"] } = this.#options;
    const version = await run("iptables", ["-V"]);
    if (this.#stopped) return;
    if (version.stdout.includes("legacy")) return this.#look(true);
    this.#monitor = new MonitorProgram({
      clock,
      command,
      onLines: (lines) => {
        if (touchesOurRules(lines)) onChange();
      },
      onRestarted: onChange,
      onRunning: (running) => this.#look(!running),
    });
  }

  /** Begins to look from time to time, or ends it. */
  #look(wanted: boolean): void {
    if (wanted && !this.#stopped) {
      this.#cancelLook ??= this.#options.clock.after(LOOK_EVERY_MS, () => this.#compare());
    } else {
      this.#cancelLook?.();
      this.#cancelLook = undefined;
    }
  }

  async #compare(): Promise<void> {
    const turn = this.#cancelLook;
    const isAsPlanned = await this.#options.isAsPlanned().catch(() => true);
    // Ended while it looked.
    if (turn === undefined || this.#cancelLook !== turn) return;
    this.#cancelLook = undefined;
    if (this.#wasAsPlanned && !isAsPlanned) this.#options.onChange();
    this.#wasAsPlanned = isAsPlanned;
    this.#look(true);
  }
}
