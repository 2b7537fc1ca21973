/** The app: its life, its folders, and the lock of the one instance. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unwatchFile,
  watchFile,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { App, LoginItemSettings } from "electron";
import { ShellEmitter } from "./emitter.ts";

/** Short beside what a person notices; the lock's folder is looked at this often for a second start. */
const LOOK_EVERY_MS = 100;

type Conforms = Pick<
  App,
  | "enableSandbox"
  | "exit"
  | "getAppPath"
  | "getLoginItemSettings"
  | "getPreferredSystemLanguages"
  | "isPackaged"
  | "quit"
  | "requestSingleInstanceLock"
  | "setAppUserModelId"
  | "setLoginItemSettings"
  | "setPath"
  | "whenReady"
>;

export class ShellApp extends ShellEmitter implements Conforms {
  readonly isPackaged = false;
  readonly #closeBrowser: () => Promise<void>;
  #userData = "";
  #sandbox = false;
  #lock: string | undefined;
  #exiting = false;

  constructor(closeBrowser: () => Promise<void>) {
    super();
    this.#closeBrowser = closeBrowser;
  }

  get sandboxed(): boolean {
    return this.#sandbox;
  }

  setPath(name: string, place: string): void {
    if (name === "userData") this.#userData = place;
  }

  setAppUserModelId(): void {
    // Of Windows alone.
  }

  enableSandbox(): void {
    this.#sandbox = true;
  }

  getAppPath(): string {
    return path.resolve(import.meta.dirname, "../../..");
  }

  getPreferredSystemLanguages(): string[] {
    return (process.env.LANGUAGE ?? "en").split(":");
  }

  getLoginItemSettings(): LoginItemSettings {
    return {
      openAtLogin: false,
      wasOpenedAtLogin: false,
      status: "not-registered",
      executableWillLaunchAtLogin: false,
      launchItems: [],
    };
  }

  setLoginItemSettings(): void {
    throw new Error("Linux has no login items");
  }

  whenReady(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** The first process that asks gets it; the others hand their command line to it. */
  requestSingleInstanceLock(): boolean {
    mkdirSync(this.#userData, { recursive: true });
    const lock = path.join(this.#userData, "shell.lock");
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
    } catch {
      if (isAlive(Number(readFileSync(lock, "utf8")))) {
        const note = path.join(this.#userData, `second-${process.pid}`);
        writeFileSync(`${note}.part`, JSON.stringify(process.argv));
        renameSync(`${note}.part`, `${note}.json`);
        return false;
      }
      writeFileSync(lock, String(process.pid));
    }
    this.#lock = lock;
    watchFile(this.#userData, { interval: LOOK_EVERY_MS }, () => this.#readNotes());
    return true;
  }

  /** Asks everybody whether it may; the windows are not asked where "before-quit" was prevented. */
  quit(): void {
    if (this.#exiting || !this.ask("before-quit")) return;
    this.exit(0);
  }

  exit(code = 0): void {
    if (this.#exiting) return;
    this.#exiting = true;
    if (this.#lock !== undefined) {
      unwatchFile(this.#userData);
      if (existsSync(this.#lock)) rmSync(this.#lock);
    }
    void this.#closeBrowser().finally(() => process.exit(code));
  }

  #readNotes(): void {
    for (const name of readdirSync(this.#userData)) {
      if (!/^second-[0-9]+\.json$/.test(name)) continue;
      const file = path.join(this.#userData, name);
      const argv = JSON.parse(readFileSync(file, "utf8")) as string[];
      rmSync(file);
      this.emit("second-instance", {}, argv, process.cwd());
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
