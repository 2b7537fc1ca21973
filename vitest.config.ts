import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src-*/**/*.test.ts", "src-*/**/*.test.tsx", "native-helpers/**/*.test.ts", "scripts/**/*.test.ts"],
          testTimeout: 20_000,
          // One process after another for each file costs more than the tests themselves: no test may leave anything behind.
          isolate: false,
        },
      },
      {
        test: {
          name: "lab",
          include: ["e2e/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
