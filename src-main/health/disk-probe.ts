/** Whether there is room where the node keeps its data. */
import { statfs } from "node:fs/promises";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";

/** Settings, database and logs grow by megabytes; below this the whole computer is about to have trouble. */
const LEAST_FREE_BYTES = 100 * 1024 * 1024;

/** Rejects where the folder cannot be looked at, which makes the fact unknown. */
export async function probeDisk(
  dataDir: string,
  look: (path: string) => Promise<{ bavail: number; bsize: number }> = statfs,
): Promise<HealthVerdict> {
  const { bavail, bsize } = await look(dataDir);
  const freeBytes = bavail * bsize;
  if (freeBytes >= LEAST_FREE_BYTES) return { state: "good" };
  return {
    state: "bad",
    error: {
      code: "disk-full",
      message: `Only ${Math.floor(freeBytes / (1024 * 1024))} MiB are free where HiggsNode keeps its data.`,
      hint: "Free some space: without it, settings, clients and logs cannot be saved.",
    },
  };
}
