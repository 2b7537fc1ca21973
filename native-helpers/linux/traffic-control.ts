/**
 * Makes the kernel's traffic control match a plan with one `tc -batch` per change, and tells whether it still does.
 * A change of one client is a few lines about its own class; only interfaces that are not as we left them are
 * set up from nothing.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LeafKind, ObservedLimit, ObservedLimits } from "../../src-shared/network-observation.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { readLink } from "./ip-json.ts";
import { describeRun, type Run } from "./run.ts";
import { buildLines, changeLines } from "./traffic-control-batch.ts";
import { type DirectionPlan, ifbNameOf, type TrafficPlan, tablesOf } from "./traffic-control-plan.ts";
import {
  classDifferences,
  expectedClass,
  readClasses,
  readCounters,
  readDifferences,
  readQdiscs,
  touchedClasses,
} from "./traffic-control-read.ts";
import { readLeafKind } from "./traffic-control-support.ts";

/** An ifb holds 32 packets by default, less than one guest may have under way. */
const IFB_QUEUE_PACKETS = 1000;

/** Asking for one class takes a few milliseconds, asking for a thousand takes ten times that. */
const MAX_SINGLE_READINGS = 4;

/** What stands, and the hash tables there are on each interface: emptied ones stay until everything is made anew. */
interface Standing {
  plan: TrafficPlan;
  tables: readonly [ReadonlySet<string>, ReadonlySet<string>];
  leaf: LeafKind;
}

export class TrafficControl {
  readonly #run: Run;
  readonly #stateDir: string;
  #standing: Standing | undefined;
  #leaf: Result<LeafKind> | undefined;

  constructor({ run, stateDir }: { run: Run; stateDir: string }) {
    this.#run = run;
    this.#stateDir = stateDir;
  }

  /** The queue this kernel has for below a limit. Error: `limits-unsupported`. Asked once. */
  async leafKind(): Promise<Result<LeafKind>> {
    this.#leaf ??= await readLeafKind(this.#run, this.#stateDir);
    return this.#leaf;
  }

  /**
   * Makes the kernel match `plan`, whatever is there; no command that changes anything where it does already.
   * Errors: `limits-unsupported`, `limits-refused`, `limits-not-verified`. After an error nothing of ours is left.
   */
  async apply(plan: TrafficPlan, isKnown: boolean): Promise<Result<{ changed: boolean; leaf: LeafKind }>> {
    const leaf = await this.leafKind();
    if (!leaf.ok) return leaf;
    const quick = isKnown ? await this.#change(plan, leaf.value) : undefined;
    if (quick !== undefined) return ok({ changed: quick, leaf: leaf.value });
    if ((await readDifferences(this.#run, plan)).length === 0) {
      this.#remember(plan, leaf.value, undefined);
      return ok({ changed: false, leaf: leaf.value });
    }
    const built = await this.#build(plan, leaf.value);
    if (!built.ok) {
      await this.remove(plan.device);
      return built;
    }
    return ok({ changed: true, leaf: leaf.value });
  }

  /** Takes our traffic control off the interface. True when there was some. */
  async remove(device: string): Promise<Result<boolean>> {
    this.#standing = undefined;
    const removed = await this.#clear(device);
    if (!removed.ok) return removed;
    const ifb = await this.removeIfb(ifbNameOf(device));
    return ifb.ok ? ok(removed.value || ifb.value) : ifb;
  }

  /** Removes an ifb of ours, which a crash may have left behind its interface. True when there was one. */
  async removeIfb(name: string): Promise<Result<boolean>> {
    const link = await readLink(this.#run, name);
    if (link?.kind !== "ifb") return ok(false);
    const args = ["link", "del", "dev", name];
    const ran = await this.#run("ip", args);
    if (ran.code !== 0 && (await readLink(this.#run, name)) !== undefined) {
      return fail("interface-not-removed", describeRun("ip", args, ran));
    }
    return ok(true);
  }

  /** The interfaces were removed, and our traffic control with them. */
  forget(): void {
    this.#standing = undefined;
  }

  /** @param plan what is wanted; undefined where nobody is limited */
  async observe(plan: TrafficPlan | undefined, device: string): Promise<ObservedLimits> {
    if (plan !== undefined) {
      const differences = await readDifferences(this.#run, plan);
      return differences.length === 0 ? { state: "matches" } : { state: "differs", differences };
    }
    const [qdiscs, ifb] = await Promise.all([readQdiscs(this.#run, device), readLink(this.#run, ifbNameOf(device))]);
    if (qdiscs?.root !== "htb 1:" && ifb?.kind !== "ifb") return { state: "absent" };
    return { state: "differs", differences: ["limits of an earlier run are left"] };
  }

  async counters(device: string, classId: number, atMs: number): Promise<ObservedLimit> {
    const [down, up] = await Promise.all([
      readCounters(this.#run, device, classId),
      readCounters(this.#run, ifbNameOf(device), classId),
    ]);
    return { atMs, down, up };
  }

  /** The lines between what stands and `plan`; undefined where that cannot be known, or did not work. */
  async #change(plan: TrafficPlan, leaf: LeafKind): Promise<boolean | undefined> {
    const standing = this.#standing;
    if (standing?.plan.device !== plan.device || standing.leaf !== leaf) return undefined;
    const lines = plan.directions.flatMap((direction, index) => {
      const { root, classes, filters } = standing.plan.directions[index] as DirectionPlan;
      const tables = standing.tables[index] as ReadonlySet<string>;
      return changeLines(direction, { root, classes, filters, tables }, leaf);
    });
    if (lines.length === 0) return false;
    if (!(await this.#batch(lines)).ok) return undefined;
    const verified = await Promise.all(
      plan.directions.map((direction, index) =>
        this.#isVerified(direction, standing.plan.directions[index] as DirectionPlan),
      ),
    );
    if (verified.includes(false)) return undefined;
    this.#remember(plan, leaf, standing);
    return true;
  }

  /** The self-test after a change: each class that was touched, or all where that is less work. */
  async #isVerified(direction: DirectionPlan, before: DirectionPlan): Promise<boolean> {
    const { device } = direction;
    const touched = touchedClasses(direction, before);
    if (touched.length > MAX_SINGLE_READINGS) {
      const seen = await readClasses(this.#run, device);
      return seen.ok && classDifferences(direction, seen.value).length === 0;
    }
    for (const id of touched) {
      const seen = await readClasses(this.#run, device, id);
      if (!seen.ok || seen.value.get(id) !== expectedClass(direction, id)) return false;
    }
    return true;
  }

  async #build(plan: TrafficPlan, leaf: LeafKind): Promise<Result<void>> {
    const cleared = await this.remove(plan.device);
    if (!cleared.ok) return cleared;
    const ready = await this.#makeIfb(plan.ifb);
    if (!ready.ok) return ready;
    const built = await this.#batch(buildLines(plan, leaf));
    if (!built.ok) return built;
    const [difference] = await readDifferences(this.#run, plan);
    if (difference !== undefined) {
      return fail("limits-not-verified", `The kernel does not have the limits that were set: ${difference}.`);
    }
    this.#remember(plan, leaf, undefined);
    return ok(undefined);
  }

  #remember(plan: TrafficPlan, leaf: LeafKind, before: Standing | undefined): void {
    const tablesAt = (index: 0 | 1) =>
      new Set([...(before?.tables[index] ?? []), ...tablesOf(plan.directions[index].filters.values()).keys()]);
    this.#standing = { plan, leaf, tables: [tablesAt(0), tablesAt(1)] };
  }

  /** Takes whatever is attached to our own interface away from it. True when there was something. */
  async #clear(device: string): Promise<Result<boolean>> {
    const seen = await readQdiscs(this.#run, device);
    const lines = [
      ...(seen?.ingress === undefined ? [] : [`qdisc del dev ${device} ${seen.ingress}`]),
      ...(seen?.root === undefined ? [] : [`qdisc del dev ${device} root`]),
    ];
    if (lines.length === 0) return ok(false);
    const done = await this.#batch(lines);
    return done.ok ? ok(true) : done;
  }

  async #makeIfb(name: string): Promise<Result<void>> {
    if ((await readLink(this.#run, name)) !== undefined) {
      return fail("limits-refused", `There is already an interface ${name} that is not ours.`);
    }
    const commands = [
      ["link", "add", "dev", name, "txqueuelen", String(IFB_QUEUE_PACKETS), "type", "ifb"],
      ["link", "set", "dev", name, "up"],
    ];
    for (const args of commands) {
      const ran = await this.#run("ip", args);
      if (ran.code !== 0) return fail("limits-refused", describeRun("ip", args, ran));
    }
    return ok(undefined);
  }

  /** Through a file that only root can read: a pipe from Node is a socket, which tc cannot open by name. */
  async #batch(lines: readonly string[]): Promise<Result<void>> {
    const path = join(this.#stateDir, "limits.tc");
    const args = ["-batch", path];
    try {
      writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
      const ran = await this.#run("tc", args);
      return ran.code === 0 ? ok(undefined) : fail("limits-refused", describeRun("tc", args, ran));
    } finally {
      rmSync(path, { force: true });
    }
  }
}
