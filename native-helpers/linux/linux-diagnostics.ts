/** The diagnosis' verbs on Linux. There is one temporary guest at most, and it never outlives its time. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { delay } from "../../src-shared/clock.ts";
import {
  type FirewallText,
  type GuestAnswer,
  type GuestQuestion,
  guestAnswerSchema,
  type PathMtu,
  type RouteLookup,
} from "../../src-shared/helper/diagnostics.ts";
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import { errorOf, fail, ok, type Result } from "../../src-shared/result.ts";
import type { DiagnosticBackend, RouteQuestion } from "../diagnostics.ts";
import { GUEST_PROBE } from "../guest-probe.ts";
import type { Journal } from "../journal.ts";
import type { OwnProgram } from "../own-program.ts";
import { findPathMtu } from "./path-mtu.ts";
import { readFirewall } from "./read-firewall.ts";
import { lookUpRoute } from "./route-lookup.ts";
import type { Run } from "./run.ts";
import {
  asTestGuest,
  greetFromTestGuest,
  type MadeTestGuest,
  makeTestGuest,
  removeTestGuest,
  testGuestHandshake,
} from "./test-guest.ts";

/** A self-test takes ten seconds; whoever forgets the guest does not keep it. */
const GUEST_LIVES_MS = 120_000;

/** How often the handshake is looked for. */
const LOOK_EVERY_MS = 100;

/** In the state directory, which is root's alone: the program as it was when root was given to it. */
const PROBE_FILE = "guest-probe.mjs";

/** For starting this program once more, on top of what the question may take. */
const START_ALLOWANCE_MS = 5_000;

export interface LinuxDiagnosticsOptions {
  run: Run;
  clock: Clock;
  journal: Journal;
  stateDir: string;
  /** The node's interface as it is now; absent where nothing is applied. */
  tunnel: () => Promise<ObservedWireguard>;
  /** This helper's program, which is started once more inside the guest's namespace. */
  program: OwnProgram;
}

export class LinuxDiagnostics implements DiagnosticBackend {
  readonly #options: LinuxDiagnosticsOptions;
  readonly #asGuest: Run;
  /** The node as the guest is to know it. */
  #guest: { mtu: number; publicKey: string; listenPort: number } | undefined;
  #cancelEnd: CancelTimer | undefined;

  constructor(options: LinuxDiagnosticsOptions) {
    this.#options = options;
    this.#asGuest = asTestGuest(options.run);
  }

  /** Whether this run of the helper has made a guest that is still there. */
  get hasGuest(): boolean {
    return this.#guest !== undefined;
  }

  readFirewall(): Promise<FirewallText> {
    return readFirewall(this.#options.run);
  }

  lookUpRoute(question: RouteQuestion): Promise<RouteLookup> {
    return lookUpRoute(this.#options.run, question);
  }

  pathMtu(to: string): Promise<PathMtu> {
    return findPathMtu(this.#options.run, to);
  }

  async openTestGuest(addresses: readonly string[]): Promise<Result<MadeTestGuest>> {
    const { run, clock, journal, stateDir } = this.#options;
    if (this.#guest !== undefined) {
      return fail("test-guest-busy", "Another test is under way.", "Wait until it has ended, some ten seconds.");
    }
    const tunnel = await this.#options.tunnel();
    if (tunnel.state !== "present") return fail("not-sharing", "There is no tunnel.", "Turn it on: higgsnode on");
    journal.setTestGuest(true);
    const { publicKey, listenPort, mtu } = tunnel;
    this.#guest = { mtu, publicKey, listenPort };
    // What a run that was killed has left has the same names.
    await removeTestGuest(run);
    this.#cancelEnd = clock.after(GUEST_LIVES_MS, () => this.#timeIsUp());
    try {
      writeFileSync(this.#probePath, this.#options.program.script, { mode: 0o600 });
      const made = await makeTestGuest(run, { addresses, mtu, stateDir });
      if (!made.ok) await this.closeTestGuest();
      return made;
    } catch (thrown) {
      // A full disk, mostly: the key could not be written.
      await this.closeTestGuest();
      return { ok: false, error: errorOf(thrown) };
    }
  }

  get #probePath(): string {
    return join(this.#options.stateDir, PROBE_FILE);
  }

  #timeIsUp(): void {
    // What could not be written down is in the journal still, and is tried again by whatever comes next.
    this.closeTestGuest().catch(() => {});
  }

  async askTestGuest(question: GuestQuestion): Promise<Result<GuestAnswer>> {
    const guest = this.#guest;
    if (guest === undefined) return fail("no-test-guest", "There is no temporary guest.", "Start the test again.");
    switch (question.kind) {
      case "handshake":
        return ok(await this.#awaitHandshake(guest, question.timeoutMs));
      case "ping":
        return ok(await this.#ping(question.to));
      case "path-mtu": {
        const startedMs = this.#options.clock.monotonicMs();
        const pathMtu = await findPathMtu(this.#asGuest, question.to, guest.mtu);
        const detail = pathMtu.mtu === null ? "no answer" : `${pathMtu.mtu} bytes`;
        return ok({
          outcome: pathMtu.mtu === null ? "silence" : "answered",
          detail,
          ms: this.#since(startedMs),
          pathMtu,
        });
      }
      case "tcp":
      case "udp":
      case "dns":
      case "download":
        return this.#probe(question, question.timeoutMs);
    }
  }

  async closeTestGuest(): Promise<string[]> {
    const { run, journal } = this.#options;
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    if (this.#guest === undefined && journal.read()?.testGuest !== true) return [];
    const left = await removeTestGuest(run);
    rmSync(this.#probePath, { force: true });
    this.#guest = undefined;
    if (left.length === 0) journal.setTestGuest(false);
    return left;
  }

  async #awaitHandshake(server: { publicKey: string; listenPort: number }, timeoutMs: number): Promise<GuestAnswer> {
    const { run, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    await greetFromTestGuest(run, server);
    for (;;) {
      if ((await testGuestHandshake(run)) > 0) {
        const ms = this.#since(startedMs);
        return { outcome: "answered", detail: `answered within ${Math.round(ms)} ms`, ms };
      }
      const ms = this.#since(startedMs);
      if (ms > timeoutMs || this.#guest === undefined) {
        return { outcome: "silence", detail: `no answer within ${timeoutMs} ms`, ms };
      }
      await delay(clock, LOOK_EVERY_MS);
    }
  }

  async #ping(to: string): Promise<GuestAnswer> {
    const startedMs = this.#options.clock.monotonicMs();
    const ran = await this.#asGuest("ping", ["-n", "-c", "1", "-W", "1", to], { timeoutMs: START_ALLOWANCE_MS });
    const answered = /^[0-9]+ bytes from /m.test(ran.stdout);
    const refused = /^From .*(?:filtered|prohibited|unreachable)/im.exec(ran.stdout)?.[0];
    return {
      outcome: answered ? "answered" : refused === undefined ? "silence" : "refused",
      detail: (answered ? "answered" : (refused ?? "no answer")).slice(0, 300),
      ms: this.#since(startedMs),
    };
  }

  /** This helper's own program, inside the namespace. */
  async #probe(question: GuestQuestion, timeoutMs: number): Promise<Result<GuestAnswer>> {
    // The desktop app's runtime is a browser unless it is told otherwise.
    const args = ["ELECTRON_RUN_AS_NODE=1", this.#options.program.runtime, this.#probePath, GUEST_PROBE];
    const ran = await this.#asGuest("env", args, {
      input: JSON.stringify(question),
      timeoutMs: timeoutMs + START_ALLOWANCE_MS,
    });
    const parsed = guestAnswerSchema.safeParse(jsonOf(ran.stdout));
    if (parsed.success) return ok(parsed.data);
    return fail("test-guest-failed", `The temporary guest could not try it: ${ran.stderr.trim().slice(-200)}`);
  }

  #since(startedMs: number): number {
    return this.#options.clock.monotonicMs() - startedMs;
  }
}

function jsonOf(text: string): unknown {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
