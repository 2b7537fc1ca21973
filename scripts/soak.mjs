// npm run soak [-- --seed N] [--minutes M] [--faults N]: a node in the lab goes through faults at random.
import { parseArgs } from "node:util";
import { labObstacle } from "../e2e/lab/support.ts";
import { soak } from "../e2e/soak.ts";

const MAX_GROWTH_BYTES = 10 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    minutes: { type: "string", default: "10" },
    faults: { type: "string", default: "20" },
  },
});
const [seed, minutes, faults] = [values.seed, values.minutes, values.faults].map(Number);
const obstacle = labObstacle();
if (obstacle !== undefined || ![seed, minutes, faults].every((value) => value > 0)) {
  console.error(`soak: ${obstacle ?? "--seed, --minutes and --faults take a number above 0"}`);
  process.exit(obstacle === undefined ? 2 : 1);
}
console.log(`${faults} faults over ${minutes} minutes; the same again with: npm run soak -- --seed ${seed}`);
try {
  const report = await soak({ seed, faults, durationMs: minutes * 60_000, say: (line) => console.log(line) });
  const slow = report.healed.filter(({ servedMs, limitMs }) => servedMs >= limitMs);
  // A machine that is busy with something else is slow; what a node can do is what the tests of single faults measure.
  for (const { name, servedMs, limitMs } of slow) console.log(`slow: ${name}: ${servedMs} ms, not within ${limitMs}`);
  const grown = report.residentGrowthBytes / 1024 / 1024;
  console.log(
    `resident memory grew by ${grown.toFixed(1)} MB, the heap by ${(report.heapGrowthBytes / 1024 / 1024).toFixed(1)} MB`,
  );
  const wrong = [
    ...report.leaks.map((line) => `leaked: ${line}`),
    ...report.leftBehind.map((line) => `left behind: ${line}`),
    ...(report.residentGrowthBytes < MAX_GROWTH_BYTES ? [] : ["memory: grew by 10 MB or more"]),
  ];
  for (const line of wrong) console.error(line);
  console.log(wrong.length === 0 ? "passed" : "failed");
  process.exitCode = wrong.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`soak: ${error.message}`);
  process.exitCode = 1;
}
