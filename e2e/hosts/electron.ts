/**
 * The packaged app in the real Electron, driven by Playwright. Electron's runtime is a download that a machine may not
 * have; where it is missing the specs of this host do not run, and say why.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { _electron, type ElectronApplication } from "playwright";
import { nodeProgram } from "../lab/index.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const PACKAGE_TIMEOUT_MS = 110_000;
/** The runtime's first start on a slow disk. */
const LAUNCH_TIMEOUT_MS = 60_000;

/** Why the packaged app cannot run here, as one sentence; undefined when it can. */
export function electronObstacle(): string | undefined {
  if (process.platform !== "linux") return "the packaged app is tried on Linux only";
  if (!existsSync(runtimeFolder()) || runtimeProgram() === undefined) {
    return "the Electron runtime is not installed (npm explore electron -- node install.js)";
  }
  if (process.env.DISPLAY === undefined && process.env.WAYLAND_DISPLAY === undefined) return "there is no display";
  if (process.getuid?.() === 0) return "Chromium's sandbox does not run as root";
  return undefined;
}

let said = false;

/** For `describe.skipIf(!hasElectron())`; prints the reason, once. */
export function hasElectron(): boolean {
  const obstacle = electronObstacle();
  if (obstacle === undefined) return true;
  if (!said) process.stderr.write(`skipped: the desktop app in Electron itself, because ${obstacle}\n`);
  said = true;
  return false;
}

/** The app as it is installed, but for one fuse: Playwright attaches through the inspector. Returns its executable. */
export function packageApp(folder: string): string {
  const packaged = spawnSync(
    nodeProgram(),
    [
      join(ROOT, "scripts/package.mjs"),
      "dir",
      `-c.electronDist=${runtimeFolder()}`,
      `-c.directories.output=${folder}`,
      "-c.electronFuses.enableNodeCliInspectArguments=true",
    ],
    { encoding: "utf8", timeout: PACKAGE_TIMEOUT_MS },
  );
  if (packaged.status !== 0) throw new Error(`packaging failed\n${packaged.stdout}${packaged.stderr}`);
  return join(folder, "linux-unpacked", "higgsnode-desktop");
}

export function launchApp(executablePath: string, dataFolder: string): Promise<ElectronApplication> {
  return _electron.launch({ executablePath, args: ["--data-dir", dataFolder], timeout: LAUNCH_TIMEOUT_MS });
}

function runtimeFolder(): string {
  return join(ROOT, "node_modules/electron/dist");
}

function runtimeProgram(): string | undefined {
  const name = join(ROOT, "node_modules/electron/path.txt");
  if (!existsSync(name)) return undefined;
  const program = join(runtimeFolder(), readFileSync(name, "utf8").trim());
  return existsSync(program) ? program : undefined;
}
