/**
 * Tells of guests' connections that have ended, from `conntrack -E`. It runs only while somebody listens and there are
 * guests. Whoever listens and does not keep up makes it stop reading: then the kernel's buffer fills, the kernel
 * drops what does not fit, and those drops are counted and told.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import {
  type ConnectionSource,
  type ConnectionsEvent,
  type EndedConnection,
  MAX_CONNECTIONS_PER_EVENT,
} from "../../src-shared/helper/connections.ts";
import { LineSplitter } from "../../src-shared/line-splitter.ts";
import { isInAny, type Prefix, parseAddress } from "../../src-shared/net/address.ts";
import type { ConnectionListener } from "../backend.ts";
import { readNetlinkDrops } from "./conntrack-drops.ts";
import { MAX_LINE_CHARACTERS, parseConntrackLine } from "./conntrack-line.ts";
import { NOT_STARTED_EXIT_CODES, withLifeTied } from "./tied-life.ts";

/**
 * Socket buffer asked for, which the kernel doubles; an event takes about 1.9 kB of it, and connections expire in bursts, when the
 * kernel's own clean-up comes round. conntrack 1.4.7 gives it to the wrong one of its two sockets: there the machine's default
 * (net.core.rmem_default) holds some hundred events, and of bursts of thousands a part is dropped, and counted.
 */
const BUFFER_BYTES = 32 * 1024 * 1024;

/** Connections that end within this time are told of together. */
const GATHER_MS = 200;

/** The kernel's count of drops is read this often. */
const DROPS_EVERY_MS = 1_000;

/** How often a listener that is behind is looked at again. */
const BEHIND_LOOK_MS = 50;

/** conntrack says nothing when it has begun; one that cannot begin ends within milliseconds. */
const BEGUN_AFTER_MS = 300;

/** After a failure it is tried again, not more often than this; a package may be installed meanwhile. */
const RETRY_MS = 10_000;

/** What conntrack complains about is in its first lines. */
const MAX_COMPLAINT_CHARACTERS = 1024;

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const ARGUMENTS = ["-E", "-e", "DESTROY", "-o", "extended,timestamp", "-b", String(BUFFER_BYTES)];

export interface ConntrackWatchOptions {
  clock: Clock;
  /** In place of conntrack(8), for tests: program and arguments. */
  command?: readonly [string, ...string[]];
  readDrops?: (pid: number) => number | undefined;
}

export class ConntrackWatch {
  readonly #clock: Clock;
  readonly #command: readonly [string, ...string[]];
  readonly #readDrops: (pid: number) => number | undefined;
  readonly #listeners = new Set<ConnectionListener>();
  #guests: readonly Prefix[] | undefined;
  #source: ConnectionSource = { state: "off" };
  #child: ChildProcess | undefined;
  #ended: EndedConnection[] = [];
  /** Of the running child: what the kernel has counted, and what of it has been told. */
  #drops = { seen: 0, told: 0 };
  /** Drops of children that are over, not told yet. */
  #oldDrops = 0;
  readonly #timers = new Map<"gather" | "drops" | "behind" | "begun" | "retry", CancelTimer>();

  constructor({ clock, command = ["conntrack", ...ARGUMENTS], readDrops = readNetlinkDrops }: ConntrackWatchOptions) {
    this.#clock = clock;
    this.#command = command;
    this.#readDrops = readDrops;
  }

  /** Whose connections are told of; undefined when nobody's are. */
  setGuests(guests: readonly Prefix[] | undefined): void {
    this.#guests = guests;
    this.#match();
  }

  /** The listener hears at once how things stand. The returned function ends it. */
  add(listener: ConnectionListener): () => void {
    this.#listeners.add(listener);
    this.#match();
    listener.onEvent(this.#event([], 0));
    return () => {
      this.#listeners.delete(listener);
      this.#match();
    };
  }

  /** Runs what should run, ends what should not. */
  #match(): void {
    const wanted = this.#guests !== undefined && this.#listeners.size > 0;
    if (wanted && this.#child === undefined && !this.#timers.has("retry")) this.#start();
    if (wanted) return;
    this.#end();
    this.#tell({ state: "off" });
  }

  #start(): void {
    const [program, ...args] = withLifeTied(this.#command);
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: SEARCH_PATH, LC_ALL: "C" },
      cwd: "/",
    });
    this.#child = child;
    this.#drops = { seen: 0, told: 0 };
    const complaint = this.#readComplaint(child);
    this.#readLines(child);
    this.#after("begun", BEGUN_AFTER_MS, () => this.#tell({ state: "on" }));
    this.#lookAtDrops();
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#child === child) this.#failed(error.code === "ENOENT" || error.code === "EACCES", error.message);
    });
    child.on("exit", (code) => {
      if (this.#child === child) this.#failed(NOT_STARTED_EXIT_CODES.has(code), complaint());
    });
  }

  #readLines(child: ChildProcess): void {
    const lines = new LineSplitter(MAX_LINE_CHARACTERS);
    child.stdout?.setEncoding("utf8");
    child.stdout?.on("data", (chunk: string) => {
      if (this.#child !== child) return;
      try {
        for (const line of lines.push(chunk)) this.#heard(line);
      } catch {
        // No line of conntrack is this long: whatever this is, it is not worth reading on.
        child.kill("SIGKILL");
      }
    });
  }

  /** It repeats a warning at each drop, so the pipe is emptied and only the beginning kept. */
  #readComplaint(child: ChildProcess): () => string {
    let said = "";
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (chunk: string) => {
      if (said.length < MAX_COMPLAINT_CHARACTERS) said += chunk;
    });
    return () => {
      const lines = said.slice(0, MAX_COMPLAINT_CHARACTERS).split("\n");
      return lines.find((line) => line !== "" && !/^(NOTICE|WARNING|This message|Please)/.test(line)) ?? "it ended";
    };
  }

  #heard(line: string): void {
    const ended = parseConntrackLine(line);
    if (ended === undefined || !this.#isOfGuest(ended)) return;
    this.#ended.push(ended);
    if (this.#ended.length >= MAX_CONNECTIONS_PER_EVENT) this.#flush();
    else if (!this.#timers.has("gather")) this.#after("gather", GATHER_MS, () => this.#flush());
  }

  /** The guests' own prefixes as destination are this node itself: its DNS answerer, and its tunnel address. */
  #isOfGuest({ source, destination }: EndedConnection): boolean {
    const guests = this.#guests ?? [];
    const from = parseAddress(source);
    const to = parseAddress(destination);
    return from !== undefined && to !== undefined && isInAny(from, guests) && !isInAny(to, guests);
  }

  #flush(): void {
    this.#cancel("gather");
    const dropped = this.#oldDrops + this.#drops.seen - this.#drops.told;
    const ended = this.#ended;
    if (ended.length === 0 && dropped === 0) return;
    // It says something, so it runs.
    if (this.#child !== undefined) this.#source = { state: "on" };
    this.#ended = [];
    this.#oldDrops = 0;
    this.#drops.told = this.#drops.seen;
    const event = this.#event(ended, dropped);
    for (const listener of [...this.#listeners]) listener.onEvent(event);
    if (this.#isSomebodyBehind()) this.#waitForReaders();
  }

  #isSomebodyBehind(): boolean {
    return [...this.#listeners].some((listener) => listener.isBehind());
  }

  #waitForReaders(): void {
    this.#child?.stdout?.pause();
    this.#after("behind", BEHIND_LOOK_MS, () => {
      if (this.#isSomebodyBehind()) this.#waitForReaders();
      else this.#child?.stdout?.resume();
    });
  }

  #lookAtDrops(): void {
    this.#after("drops", DROPS_EVERY_MS, () => {
      const pid = this.#child?.pid;
      const seen = pid === undefined ? undefined : this.#readDrops(pid);
      if (seen !== undefined && seen > this.#drops.seen) {
        this.#drops.seen = seen;
        this.#flush();
      }
      this.#lookAtDrops();
    });
  }

  #failed(isMissing: boolean, reason: string): void {
    this.#end();
    this.#tell({
      state: "unavailable",
      error: isMissing
        ? {
            code: "conntrack-missing",
            message: "The connection log is not available: conntrack is not installed.",
            hint: "Install conntrack, on Debian with: sudo apt-get install conntrack",
          }
        : { code: "conntrack-failed", message: `The connection log is not available: conntrack: ${reason}.` },
    });
    this.#after("retry", RETRY_MS, () => this.#match());
  }

  /** Tells what was heard, and ends the program and every timer. */
  #end(): void {
    const child = this.#child;
    this.#child = undefined;
    this.#oldDrops += this.#drops.seen - this.#drops.told;
    this.#drops = { seen: 0, told: 0 };
    this.#flush();
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    child?.kill("SIGKILL");
  }

  #tell(source: ConnectionSource): void {
    if (source.state === this.#source.state && source.state !== "unavailable") return;
    this.#source = source;
    const event = this.#event([], 0);
    for (const listener of [...this.#listeners]) listener.onEvent(event);
  }

  #event(ended: EndedConnection[], dropped: number): ConnectionsEvent {
    return { topic: "connections", source: this.#source, dropped, ended };
  }

  #after(name: "gather" | "drops" | "behind" | "begun" | "retry", delayMs: number, action: () => void): void {
    this.#cancel(name);
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(name);
      action();
    });
    this.#timers.set(name, cancel);
  }

  #cancel(name: "gather" | "drops" | "behind" | "begun" | "retry"): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}
