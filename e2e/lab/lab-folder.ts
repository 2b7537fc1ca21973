/** Temporary folders of labs, and the removal of those whose owner was killed. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const FOLDER_PREFIX = "higgs-lab-";

/** Notes in the folder which process it belongs to. Process ids mean something only within their namespace. */
export function claimFolder(folder: string): void {
  writeFileSync(join(folder, "owner"), `${readlinkSync("/proc/self/ns/pid")} ${process.pid}\n`);
}

/** Removes the folders of labs whose process is gone: their namespaces ended with it, files do not. */
export function sweepAbandonedFolders(): void {
  const namespace = readlinkSync("/proc/self/ns/pid");
  for (const entry of readdirSync(tmpdir()).filter((name) => name.startsWith(FOLDER_PREFIX))) {
    const folder = join(tmpdir(), entry);
    const owner = ownerOf(folder);
    if (owner === undefined || owner.namespace !== namespace || existsSync(`/proc/${owner.pid}`)) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

function ownerOf(folder: string): { namespace: string; pid: number } | undefined {
  try {
    const match = /^(pid:\[[0-9]+\]) ([0-9]+)\n$/.exec(readFileSync(join(folder, "owner"), "utf8"));
    return match?.[1] === undefined ? undefined : { namespace: match[1], pid: Number(match[2]) };
  } catch {
    return undefined;
  }
}
