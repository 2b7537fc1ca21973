/** Tells of changes of links, addresses, routes and rules, from `ip monitor`. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { NetworkChange } from "../../src-shared/helper/protocol.ts";

type Kind = NetworkChange["kinds"][number];

/** One cause makes a burst of lines; those within this time become one event. */
const GATHER_MS = 100;

/** A monitor that dies is started again, not more often than this. */
const RESTART_MS = 1_000;

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["LINK", "link"],
  ["ADDR", "address"],
  ["ROUTE", "route"],
  ["RULE", "rule"],
]);

export class NetworkWatch {
  readonly #clock: Clock;
  readonly #listener: (kinds: Kind[]) => void;
  readonly #gathered = new Set<Kind>();
  #child: ChildProcess | undefined;
  #cancelGather: CancelTimer | undefined;
  #cancelRestart: CancelTimer | undefined;
  #stopped = false;

  constructor(clock: Clock, listener: (kinds: Kind[]) => void) {
    this.#clock = clock;
    this.#listener = listener;
    this.#start();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelGather?.();
    this.#cancelRestart?.();
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #start(): void {
    const child = spawn("ip", ["monitor", "label", "link", "address", "route", "rule"], {
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      cwd: "/",
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line));
    const ended = () => {
      if (this.#stopped || this.#child !== child) return;
      this.#child = undefined;
      this.#cancelRestart = this.#clock.after(RESTART_MS, () => this.#start());
    };
    child.on("error", ended);
    child.on("exit", ended);
  }

  #heard(line: string): void {
    const kind = KINDS.get(/^\[([A-Z]+)\]/.exec(line)?.[1] ?? "");
    if (kind === undefined) return;
    this.#gathered.add(kind);
    this.#cancelGather ??= this.#clock.after(GATHER_MS, () => {
      this.#cancelGather = undefined;
      const kinds = [...this.#gathered];
      this.#gathered.clear();
      this.#listener(kinds);
    });
  }
}
