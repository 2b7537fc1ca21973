import { expect, it } from "vitest";
import { requireLab } from "./lab/index.ts";
import { soak } from "./soak.ts";

/** The whole of it takes some 90 s: the lab, every fault once, these, and what is compared before and after. */
const FAULTS = 7;
const DURATION_MS = 28_000;
const MAX_GROWTH_BYTES = 10 * 1024 * 1024;
/** Another one can be set, to go through what another run went through. */
const SEED = Number(process.env.HIGGS_SOAK_SEED ?? Date.now() % 2 ** 31);

it.skipIf(!requireLab())(
  "a node goes through faults at random, runs at the end, and has leaked nothing",
  async () => {
    const said: string[] = [];
    try {
      const report = await soak({
        seed: SEED,
        faults: FAULTS,
        durationMs: DURATION_MS,
        say: (line) => said.push(line),
      });
      expect(report.leaks).toEqual([]);
      expect(report.leftBehind).toEqual([]);
      expect(report.residentGrowthBytes).toBeLessThan(MAX_GROWTH_BYTES);
    } catch (error) {
      throw new Error(`HIGGS_SOAK_SEED=${SEED}\n${said.join("\n")}`, { cause: error });
    }
  },
  240_000,
);
