import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HealthHistory } from "../src-shared/model/health.ts";
import { FaultLab } from "./fault-lab.ts";
import { FAULTS, goThrough, plugIn, pullPlug, takeOver } from "./faults.ts";
import { nodeProgram, processorSeconds, requireLab } from "./lab/index.ts";

/** How long the uplink stays away: several steps of the backoff. */
const AWAY_MS = 12_000;
const REASON_WITHIN_MS = 3_000;
const BACK_WITHIN_MS = 5_000;
/** At 0, 0.5, 1.5, 3.5, 8.5 s and later; never more in this time. */
const MAX_ATTEMPTS = 6;

describe.skipIf(!requireLab())("a node with guests looks after itself", () => {
  let lab: FaultLab;
  beforeAll(async () => {
    lab = await FaultLab.create();
  });
  afterAll(async () => {
    await lab?.dispose();
  });

  function used(): number {
    const ours = ["cli.mjs", "helper.mjs", "nft"].flatMap((word) => lab.processes(word));
    return processorSeconds(lab.host.processes().filter(({ pid }) => ours.includes(pid)));
  }

  it("costs next to nothing while another program changes its own rules a thousand times a second", async () => {
    const program = join(import.meta.dirname, "lab/clients/nft-flood.ts");
    const before = used();
    const printed = await lab.host.mustExec([nodeProgram(), program, "1000", "4"]);
    const { sent, seconds } = JSON.parse(printed) as { sent: number; seconds: number };
    expect(sent).toBe(4_000);
    // Measured: 0.08 of a processor, of which nft itself takes half.
    expect((used() - before) / seconds).toBeLessThan(0.25);
  });

  it.each(FAULTS.map((fault) => [fault.name, fault.limitMs / 1_000, fault] as const))(
    "%s: running and a guest served within %d s",
    async (_, __, fault) => {
      // The better of two, and only where the first was too slow: the machine may have been busy with something else.
      let healed = await goThrough(lab, fault);
      if (healed.servedMs >= fault.limitMs) healed = await goThrough(lab, fault);
      expect(healed.servedMs).toBeLessThan(fault.limitMs);
    },
  );

  it("mends once, and does not take its own changes for another's", async () => {
    const before = await lab.applies();
    await lab.host.mustExec(["iptables", "-F", "HIGGS-FORWARD"]);
    await lab.until("the node to mend it", async () => (await lab.applies()) > before);
    await lab.untilRunning();
    const quietUntilMs = Date.now() + 3_000;
    await lab.until("the echo of it to be over", () => Date.now() > quietUntilMs);
    // One more may be somebody else's, such as a proof from outside that comes round; an echo of its own would not end.
    expect(await lab.applies()).toBeLessThanOrEqual(before + 2);
  });

  it("says why when the uplink is pulled, tries no more often than it should, and is back soon after the uplink", async () => {
    const [appliesBefore, usedBefore] = [await lab.applies(), used()];
    const pulledMs = Date.now();
    await pullPlug(lab);
    await lab.until("the reason in the node's state", async () => {
      const { node, health } = await lab.state();
      const shown = health.facts.find(({ code, waiting }) => code === "networkRoute" && !waiting);
      return JSON.stringify(node).includes('"no-uplink"') && shown?.error?.code === "no-uplink";
    });
    expect(Date.now() - pulledMs).toBeLessThan(REASON_WITHIN_MS);
    await lab.until("some time to pass", () => Date.now() - pulledMs > AWAY_MS);
    expect((await lab.applies()) - appliesBefore).toBeLessThanOrEqual(MAX_ATTEMPTS);
    expect((used() - usedBefore) / (AWAY_MS / 1_000)).toBeLessThan(0.5);
    expect(await recoverySteps(pulledMs)).toBeLessThanOrEqual(MAX_ATTEMPTS);
    expect(await servedAfter(await plugIn(lab))).toBeLessThan(BACK_WITHIN_MS);
  });

  it("takes its guests along when another uplink takes over from one that was pulled, and back again", async () => {
    await pullPlug(lab);
    expect(await servedAfter(await takeOver(lab))).toBeLessThan(BACK_WITHIN_MS);
    expect(await servedAfter(await plugIn(lab))).toBeLessThan(BACK_WITHIN_MS);
  });

  /** What the node has tried since then, by its own account. */
  async function recoverySteps(sinceMs: number): Promise<number> {
    const { events } = (await lab.control.call("health.history", { limit: 200 })) as HealthHistory;
    return events.filter(({ kind, at }) => kind === "recovery-step" && Date.parse(at) >= sinceMs).length;
  }

  /** Milliseconds from then until the node runs and a guest is served. */
  async function servedAfter(sinceMs: number): Promise<number> {
    await lab.untilRunning();
    return (await lab.served("direct", Math.max(sinceMs, Date.now()))) - sinceMs;
  }
});
