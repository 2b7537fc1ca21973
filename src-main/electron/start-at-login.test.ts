import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "electron";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { autostartEntry, loginStart } from "./start-at-login.ts";

class FakeApp {
  isPackaged = true;
  openAtLogin = false;
  readonly calls: unknown[] = [];
  getAppPath() {
    return "/src/higgsnode";
  }
  getLoginItemSettings() {
    return { openAtLogin: this.openAtLogin };
  }
  setLoginItemSettings(settings: { openAtLogin: boolean }) {
    this.calls.push(settings);
    this.openAtLogin = settings.openAtLogin;
  }
}

describe("starting with the session", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "higgsnode-login-"));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  function login(platform: string, more: { app?: FakeApp; env?: Record<string, string> } = {}) {
    const app = (more.app ?? new FakeApp()) as unknown as App;
    return loginStart({ app, platform, env: more.env ?? {}, home, execPath: "/opt/HiggsNode/higgsnode-desktop" });
  }
  const entry = () => join(home, ".config/autostart/net.higgsnode.app.desktop");

  it("is a file on Linux, which is there or not", () => {
    const start = login("linux");
    start.set(true);
    const text = readFileSync(entry(), "utf8");
    expect(text).toContain("\nExec=/opt/HiggsNode/higgsnode-desktop --hidden\n");
    expect(text).toContain("\nTryExec=/opt/HiggsNode/higgsnode-desktop\n");
    start.set(false);
    start.set(false);
    expect(existsSync(entry())).toBe(false);
  });

  it("does not write a file anew that is right", () => {
    const start = login("linux");
    start.set(true);
    const { mtimeNs } = statSync(entry(), { bigint: true });
    start.set(true);
    expect(statSync(entry(), { bigint: true }).mtimeNs).toBe(mtimeNs);
  });

  it("names the AppImage and not the place it is mounted at, and goes where the desktop looks", () => {
    const config = join(home, "elsewhere");
    login("linux", { env: { APPIMAGE: "/home/anna/HiggsNode.AppImage", XDG_CONFIG_HOME: config } }).set(true);
    const text = readFileSync(join(config, "autostart/net.higgsnode.app.desktop"), "utf8");
    expect(text).toContain("Exec=/home/anna/HiggsNode.AppImage --hidden");
  });

  it.each(["darwin", "win32"])("is the system's own list on %s, told only of a change", (platform) => {
    const app = new FakeApp();
    const start = login(platform, { app });
    start.set(true);
    start.set(true);
    start.set(false);
    const common = { path: "/opt/HiggsNode/higgsnode-desktop", args: ["--hidden"] };
    expect(app.calls).toEqual([
      { openAtLogin: true, ...common },
      { openAtLogin: false, ...common },
    ]);
    expect(existsSync(entry())).toBe(false);
  });

  it("names the folder of the app where the runtime is not its own", () => {
    const app = Object.assign(new FakeApp(), { isPackaged: false });
    login("linux", { app }).set(true);
    expect(readFileSync(entry(), "utf8")).toContain("Exec=/opt/HiggsNode/higgsnode-desktop /src/higgsnode --hidden");
  });

  it.each([
    [["/home/a b/node"], 'Exec="/home/a b/node"'],
    [["/x", "50%"], 'Exec=/x "50%%"'],
    [["/x", 'a"b'], 'Exec=/x "a\\\\"b"'],
    [["/x", "$HOME`id`"], 'Exec=/x "\\\\$HOME\\\\`id\\\\`"'],
  ])("quotes %j as desktops read it", (command, line) => {
    expect(autostartEntry(command).split("\n")).toContain(line);
  });
});
