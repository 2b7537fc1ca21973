/**
 * A folder in the shape of Electron's own distribution, with a script in place of its executable: it runs Node, as
 * Electron's does when it is told to, and holds a fuse wire (@electron/fuses), so that fuses are really set in it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeProgram } from "../lab/index.ts";

/** Precedes the wire in every Electron executable. */
const SENTINEL = "dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX";

/** In the order of the wire, version 1. */
export const FUSES = [
  "runAsNode",
  "enableCookieEncryption",
  "enableNodeOptionsEnvironmentVariable",
  "enableNodeCliInspectArguments",
  "enableEmbeddedAsarIntegrityValidation",
  "onlyLoadAppFromAsar",
  "loadBrowserProcessSpecificV8Snapshot",
  "grantFileProtocolExtraPrivileges",
] as const;

export function makeStubRuntime(folder: string): void {
  mkdirSync(join(folder, "locales"), { recursive: true });
  mkdirSync(join(folder, "resources"));
  const wire = `\x01${String.fromCharCode(FUSES.length)}${"0".repeat(FUSES.length)}`;
  const script = `#!/bin/sh\n[ -n "$ELECTRON_RUN_AS_NODE" ] || exit 70\nexec ${nodeProgram()} "$@"\n# ${SENTINEL}${wire}\n`;
  writeFileSync(join(folder, "electron"), script, { mode: 0o755 });
  for (const file of ["LICENSE", "LICENSES.chromium.html", "chrome-sandbox", "locales/en-US.pak"]) {
    writeFileSync(join(folder, file), "");
  }
  writeFileSync(join(folder, "version"), "0.0.0");
}

/** Which fuses are set in an executable. */
export function readFuses(executable: Buffer): Record<string, boolean> {
  const at = executable.indexOf(SENTINEL) + SENTINEL.length;
  const [version, length = 0] = executable.subarray(at, at + 2);
  if (version !== 1 || length !== FUSES.length) throw new Error(`a fuse wire of version ${version}, length ${length}`);
  const wire = executable.subarray(at + 2, at + 2 + length).toString("latin1");
  return Object.fromEntries(FUSES.map((fuse, index) => [fuse, wire[index] === "1"]));
}
