import { defineConfig } from "vitest/config";

/**
 * A shared machine can stop everything in a lab for a second, in the middle of what a test has to the second. It is given
 * one more try, which the report shows (`retry x1`): a test seen there has a fault to be found.
 */
const LAB_RETRIES = 1;

/** What is measured in seconds or bits per second has the machine for itself. */
const measured = ["limits", "faults", "soak", "health", "resilience"].map((name) => `e2e/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src-*/**/*.test.ts", "src-*/**/*.test.tsx", "native-helpers/**/*.test.ts", "scripts/**/*.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          // Deadlines, not waits: far longer than anything takes, for a machine that is busy with other tests.
          expect: { poll: { interval: 5, timeout: 15_000 } },
          // One process after another for each file costs more than the tests themselves: no test may leave anything behind.
          isolate: false,
        },
      },
      {
        test: {
          name: "lab",
          include: ["e2e/**/*.test.ts"],
          exclude: measured,
          // Each lab is a world of its own, and most of its time is waiting.
          maxWorkers: 2,
          retry: LAB_RETRIES,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "measured",
          include: measured,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
