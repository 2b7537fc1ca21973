/** Starting with the owner's session: by the system's own list on macOS and Windows, by an autostart file on Linux. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { App } from "electron";

/** On the command line of a start that nobody asked a window of. */
export const HIDDEN_FLAG = "--hidden";

const AUTOSTART_FILE = "net.higgsnode.app.desktop";

export interface LoginStart {
  /** Makes it so; does nothing where it is so already. Throws what the file system throws. */
  set(wanted: boolean): void;
}

export interface LoginStartOptions {
  readonly app: Pick<App, "isPackaged" | "getAppPath" | "getLoginItemSettings" | "setLoginItemSettings">;
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly execPath: string;
}

export function loginStart({ app, platform, env, home, execPath }: LoginStartOptions): LoginStart {
  const args = [...(app.isPackaged ? [] : [app.getAppPath()]), HIDDEN_FLAG];
  if (platform !== "linux") {
    return {
      set(wanted) {
        if (app.getLoginItemSettings({ path: execPath, args }).openAtLogin === wanted) return;
        app.setLoginItemSettings({ openAtLogin: wanted, path: execPath, args });
      },
    };
  }
  const base = env.XDG_CONFIG_HOME !== undefined && path.isAbsolute(env.XDG_CONFIG_HOME) ? env.XDG_CONFIG_HOME : null;
  const file = path.join(base ?? path.join(home, ".config"), "autostart", AUTOSTART_FILE);
  // An AppImage runs from a mount that is gone at the next login; the variable names the file itself.
  const content = autostartEntry([env.APPIMAGE ?? execPath, ...args]);
  return {
    set(wanted) {
      if (!wanted) {
        rmSync(file, { force: true });
        return;
      }
      if (readText(file) === content) return;
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    },
  };
}

/** A desktop entry as the Desktop Application Autostart Specification takes it. */
export function autostartEntry(command: readonly string[]): string {
  return [
    "[Desktop Entry]",
    "Type=Application",
    "Name=HiggsNode",
    `Exec=${command.map(quoted).join(" ")}`,
    // Once the app is removed, desktops pass over an entry whose program is gone.
    `TryExec=${command[0] ?? ""}`,
    "Terminal=false",
    "X-GNOME-Autostart-enabled=true",
    "",
  ].join("\n");
}

/**
 * One argument of an Exec line (Desktop Entry Specification, "The Exec key"): in double quotes, with backslashes before
 * what a shell would take for its own; the value of a key then doubles backslashes, and % introduces a field code.
 */
function quoted(argument: string): string {
  if (/^[A-Za-z0-9_./-]+$/.test(argument)) return argument;
  const inQuotes = argument.replace(/["`$\\]/g, "\\$&");
  return `"${inQuotes.replaceAll("\\", "\\\\").replaceAll("%", "%%")}"`;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
