/** What a person at one of the lab's machines does with the network. */
import { join } from "node:path";
import type { FetchResult } from "./clients/fetch.ts";
import type { ProbeOutcome, ResolveResult } from "./clients/probe.ts";
import type { LabHost } from "./lab-host.ts";
import { PingSeries } from "./ping-series.ts";
import { within } from "./poll.ts";
import type { Program } from "./program.ts";
import { nodeProgram } from "./support.ts";

export type { FetchResult, ProbeOutcome, ResolveResult };

/** For starting Node.js, on top of what the question itself may take. */
const PROGRAM_START_ALLOWANCE_MS = 10_000;
const DEFAULT_FETCH_TIMEOUT_MS = 10_000;
/** Names and ports in the lab answer in a millisecond or not at all; a first packet may wait for a handshake. */
const DEFAULT_PROBE_TIMEOUT_MS = 2_000;

export interface FetchOptions {
  /** Uploads that many bytes of the seeded stream instead of fetching. */
  put?: number;
  seed?: number;
  family?: 4 | 6;
  /** Asks this name server instead of the host's own. */
  resolveThrough?: string;
  timeoutMs?: number;
}

export class InternetUser {
  readonly host: LabHost;

  constructor(host: LabHost) {
    this.host = host;
  }

  /** ping(8): how many of `count` echo requests were answered; each waits a second at most. */
  async ping(address: string, { count = 1 }: { count?: number } = {}): Promise<{ sent: number; received: number }> {
    const argv = ["ping", "-n", "-q", "-i", "0.2", "-W", "1", "-c", String(count), address];
    const result = await this.host.exec(argv, { timeoutMs: 10_000 + count * 1_200 });
    const match = /^([0-9]+) packets transmitted, ([0-9]+) received/m.exec(result.stdout);
    return { sent: Number(match?.[1] ?? 0), received: Number(match?.[2] ?? 0) };
  }

  /** Pings until it is stopped. */
  startPing(address: string): PingSeries {
    return new PingSeries(this.host, address);
  }

  /** One HTTP exchange; that nothing answered is a result, too. */
  async fetch(url: string, options: FetchOptions = {}): Promise<FetchResult> {
    const download = this.startFetch(url, options);
    return download.result;
  }

  /** An HTTP exchange that goes on while the test does something else. */
  startFetch(url: string, options: FetchOptions = {}): Transfer {
    const timeoutMs = options.timeoutMs ?? DEFAULT_FETCH_TIMEOUT_MS;
    const program = this.host.spawn([
      ...clientProgram("fetch.ts"),
      url,
      "--progress",
      ...flag("put", options.put),
      ...flag("seed", options.seed),
      ...flag("family", options.family),
      ...flag("resolve-through", options.resolveThrough),
      ...flag("timeout-ms", timeoutMs),
    ]);
    return new Transfer(program, timeoutMs + PROGRAM_START_ALLOWANCE_MS);
  }

  /** The records of a name, in the host's own order; asks `server` instead of the host's resolver where it is given. */
  resolve(
    name: string,
    { type = "A", server, timeoutMs = DEFAULT_PROBE_TIMEOUT_MS }: ResolveOptions = {},
  ): Promise<ResolveResult> {
    return this.#probe<ResolveResult>(
      ["resolve", name, type, String(timeoutMs), ...(server ? [server] : [])],
      timeoutMs,
    );
  }

  /** Whether a TCP connection comes about, or how it does not. */
  async tcpProbe(address: string, port: number, timeoutMs = DEFAULT_PROBE_TIMEOUT_MS): Promise<ProbeOutcome> {
    const { outcome } = await this.#probe<{ outcome: ProbeOutcome }>(
      ["tcp", address, String(port), String(timeoutMs)],
      timeoutMs,
    );
    return outcome;
  }

  /** Whether a datagram is answered, by whatever listens there, or how it is not. */
  async udpProbe(address: string, port: number, timeoutMs = DEFAULT_PROBE_TIMEOUT_MS): Promise<ProbeOutcome> {
    const { outcome } = await this.#probe<{ outcome: ProbeOutcome }>(
      ["udp", address, String(port), String(timeoutMs)],
      timeoutMs,
    );
    return outcome;
  }

  async tcpConnects(address: string, port: number, timeoutMs = DEFAULT_PROBE_TIMEOUT_MS): Promise<boolean> {
    return (await this.tcpProbe(address, port, timeoutMs)) === "connected";
  }

  async udpAnswers(address: string, port: number, timeoutMs = DEFAULT_PROBE_TIMEOUT_MS): Promise<boolean> {
    return (await this.udpProbe(address, port, timeoutMs)) === "answered";
  }

  /** Starts something on this host that answers every TCP connection and datagram on `port`, on all its addresses. */
  async listen(port: number): Promise<Program> {
    const echo = this.host.spawn([nodeProgram(), join(import.meta.dirname, "servers/echo.ts"), String(port)]);
    await echo.line((line) => line.includes('"ready":true'), PROGRAM_START_ALLOWANCE_MS);
    return echo;
  }

  async #probe<T>(argv: readonly string[], timeoutMs: number): Promise<T> {
    const printed = await this.host.mustExec([...clientProgram("probe.ts"), ...argv], {
      timeoutMs: timeoutMs + PROGRAM_START_ALLOWANCE_MS,
    });
    return JSON.parse(printed) as T;
  }
}

export interface ResolveOptions {
  type?: "A" | "AAAA" | "TXT";
  server?: string;
  timeoutMs?: number;
}

/** A download or an upload under way. */
export class Transfer {
  readonly program: Program;
  readonly result: Promise<FetchResult>;

  constructor(program: Program, timeoutMs: number) {
    this.program = program;
    this.result = this.#result(timeoutMs);
    this.result.catch(() => {
      // Handled where `result` is awaited.
    });
  }

  /** Bytes received so far. */
  get receivedBytes(): number {
    const last = this.program.stdout.split("\n").slice(0, -1).at(-1);
    if (last === undefined) return 0;
    const parsed = JSON.parse(last) as { progress?: number; bytes?: number };
    return parsed.progress ?? parsed.bytes ?? 0;
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }

  async #result(timeoutMs: number): Promise<FetchResult> {
    try {
      await within(this.program.title, this.program.ended, timeoutMs);
    } catch (error) {
      this.program.killGroup();
      throw error;
    }
    const last = this.program.stdout.trimEnd().split("\n").at(-1) ?? "";
    if (!last.includes('"ok":')) throw new Error(`the transfer gave no result\n${this.program.describe()}`);
    return JSON.parse(last) as FetchResult;
  }
}

function clientProgram(name: string): string[] {
  return [nodeProgram(), join(import.meta.dirname, "clients", name)];
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}
