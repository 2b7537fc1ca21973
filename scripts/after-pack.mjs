/**
 * electron-builder calls this when the app's folder is complete. Modes come from a checkout, where a permissive umask
 * makes everything writable to the group; root will run some of these files.
 */
import { chmodSync, lstatSync, readdirSync } from "node:fs";
import path from "node:path";

/** 022: whatever else a mode says, only the owner may write. */
const OTHERS_MAY_WRITE = 0o022;

/** @param {{ appOutDir: string, electronPlatformName: string }} context */
export default function afterPack({ appOutDir, electronPlatformName }) {
  if (electronPlatformName === "win32") return;
  for (const entry of [appOutDir, ...allIn(appOutDir)]) {
    const { mode } = lstatSync(entry);
    if ((mode & OTHERS_MAY_WRITE) !== 0) chmodSync(entry, mode & 0o7777 & ~OTHERS_MAY_WRITE);
  }
}

function allIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => path.join(entry.parentPath, entry.name));
}
