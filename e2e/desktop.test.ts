import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CallInput, CallName } from "../src-shared/ipc/contract.ts";
import { ARTIFACTS } from "./hosts/browser.ts";
import { ShellHost, type ShellOptions } from "./hosts/shell/shell-host.ts";
import {
  type Guest,
  Higgsnode,
  Lab,
  NetworkSnapshot,
  pollUntil,
  requireLab,
  WAN,
  WEB_NAME,
  WIREGUARD_PORT,
  within,
} from "./lab/index.ts";

/** Draining and restoring takes a second or two; a loaded machine gets more. */
const END_TIMEOUT_MS = 40_000;

/** Whichever of its screens it shows. */
const OUR_PAGE = /^higgs:\/\/panel\/(#|$)/;

class Desktop {
  readonly lab: Lab;
  readonly shell: ShellHost;
  readonly dataFolder: string;

  private constructor(lab: Lab, shell: ShellHost, dataFolder: string) {
    this.lab = lab;
    this.shell = shell;
    this.dataFolder = dataFolder;
  }

  static async start(lab: Lab, options: Omit<ShellOptions, "dataFolder">): Promise<Desktop> {
    const host = lab.host("node");
    const dataFolder = join(host.folder, "data");
    const shell = await ShellHost.start(host, { ...options, dataFolder });
    await shell.until("the window", ({ windows }) => windows[0]?.visible === true);
    return new Desktop(lab, shell, dataFolder);
  }

  /** A call of the contract as the page makes it, through bridge, preload script and gate. */
  async call<N extends CallName>(name: N, input: CallInput<N>): Promise<unknown> {
    const expression = `higgs.call(${JSON.stringify(name)}, ${JSON.stringify(input)})`;
    const result = (await this.shell.do("evaluate", expression)) as { ok: boolean; value: unknown; error?: unknown };
    if (!result.ok) throw new Error(`${name}: ${JSON.stringify(result.error)}`);
    return result.value;
  }

  async set(changes: Record<string, unknown>): Promise<void> {
    await this.call("settings.set", { changes });
  }

  async phase(): Promise<string> {
    const { value } = (await this.call("node.state", {})) as { value: { node: { phase: string } } };
    return value.node.phase;
  }

  async trayItem(label: string) {
    const { tray } = await this.shell.do("state");
    return tray?.menu.find((item) => item.label === label);
  }

  untilIcon(icon: string) {
    return this.shell.until(`the icon ${icon}`, ({ tray }) => tray?.icon === icon);
  }

  log(): string {
    const file = join(this.dataFolder, "logs", "higgsnode.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }
}

const LAB = { router: { mapping: "none", portForward51820: true } } as const;
const REACHABLE = { publicEndpoint: `${WAN.customer.ipv4}:${WIREGUARD_PORT}` };

describe.skipIf(!requireLab())("the desktop app where the desktop shows a tray", () => {
  let lab: Lab;
  let desktop: Desktop;
  let shell: ShellHost;
  let before: NetworkSnapshot;

  beforeAll(async () => {
    lab = await Lab.create(LAB);
    before = await NetworkSnapshot.take(lab.host("node"));
    desktop = await Desktop.start(lab, { tray: true });
    shell = desktop.shell;
  });
  afterAll(async () => {
    await shell?.stop();
    await lab?.dispose();
  });

  it("opens a sandboxed window on its own page, and an icon that says off", async () => {
    const { windows, tray, sandboxed } = await shell.do("state");
    expect(sandboxed).toBe(true);
    expect(windows).toHaveLength(1);
    expect(windows[0]).toMatchObject({
      url: expect.stringMatching(OUR_PAGE),
      menuBarHidden: true,
      preferences: { contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false },
    });
    expect(tray).toMatchObject({ icon: "tray-off.png", tooltip: "HiggsNode: Not sharing" });
    // A first run is led through the welcome first.
    await desktop.set({ welcomed: true });
    await shell.do("evaluate", 'location.hash = "#/overview"');
    await shell.do("waitForText", "Not sharing");
    await shell.do("screenshot", join(ARTIFACTS, "desktop-off.png"));
  });

  it("gives the page two functions, and nothing of Node or Electron", async () => {
    const seen = "[typeof require, typeof process, typeof module, typeof toMain, typeof shellFromMain].join()";
    expect(await shell.do("evaluate", seen)).toBe("undefined,undefined,undefined,undefined,undefined");
    expect(await shell.do("evaluate", "Object.keys(higgs).join()")).toBe("call,subscribe");
    expect(await shell.do("evaluate", "Object.isFrozen(higgs)")).toBe(true);
  });

  it("answers calls of the contract, and no others", async () => {
    expect(await desktop.call("host.facts", {})).toEqual({
      kind: "desktop",
      canStartAtLogin: true,
      canKeepAwake: true,
    });
    expect(await shell.do("evaluate", 'higgs.call("node.explode", {})')).toMatchObject({
      ok: false,
      error: { code: "unknown-call" },
    });
    expect(await shell.do("evaluate", 'higgs.call("clients.add", { name: "<script>" })')).toMatchObject({
      ok: false,
      error: { code: "bad-input" },
    });
  });

  it("goes on telling the page of changes after the page has gone to another of its screens", async () => {
    await shell.do("evaluate", 'location.hash = "#/settings"');
    const heard =
      'new Promise((resolve) => { higgs.subscribe((name, payload) => { if (name === "settings.changed" && payload.value.theme === "dark") resolve("heard"); }).then(() => higgs.call("settings.set", { changes: { theme: "dark" } })); })';
    await shell.do("evaluate", 'location.hash = "#/overview"');
    expect(await shell.do("evaluate", heard)).toBe("heard");
    await desktop.set({ theme: "system" });
  });

  it("shares from the tray's menu; icon, menu and window follow", async () => {
    await desktop.set(REACHABLE);
    await shell.do("chooseInTray", "Share this connection");
    await desktop.untilIcon("tray-sharing.png");
    expect(await desktop.trayItem("Share this connection")).toMatchObject({ type: "checkbox", checked: true });
    expect(await desktop.trayItem("Nobody connected")).toMatchObject({ enabled: false });
    await shell.do("waitForText", "Sharing. Nobody connected");
  });

  it("tells of a new client the first time it connects, and opens the window from there", async () => {
    const added = (await desktop.call("clients.add", { name: "Anna's phone" })) as { name: string };
    expect((await shell.do("state")).notifications).toEqual([]);
    const { config } = (await desktop.call("clients.config", { name: added.name })) as { config: string };
    const guest: Guest = await lab.addGuest();
    await guest.up(config);
    await guest.waitForHandshake();
    expect((await guest.fetch(`http://${WEB_NAME}/`)).status).toBe(200);
    const { notifications } = await shell.until("a notification", (state) => state.notifications.length > 0);
    expect(notifications).toEqual([{ title: "New client: Anna's phone", body: "Connected for the first time." }]);
    await shell.until("the guest in the menu", ({ tray }) => hasItem(tray, "1 person connected"));
    await shell.do("closeWindow");
    await shell.do("clickNotification", 0);
    expect((await shell.do("state")).windows[0]?.visible).toBe(true);
  });

  it("keeps the computer awake while a guest is connected, on mains power only", async () => {
    await shell.until("the computer to be kept awake", ({ awake }) => awake.length === 1);
    await shell.do("power", { onBattery: true });
    expect((await shell.do("state")).awake).toEqual([]);
    await shell.do("power", { onBattery: false });
    expect((await shell.do("state")).awake).toEqual(["prevent-app-suspension"]);
    await desktop.set({ keepAwake: false });
    await shell.until("the computer to be let go", ({ awake }) => awake.length === 0);
  });

  it("looks at everything again after the computer has slept", async () => {
    await shell.do("power", { event: "resume" });
    await pollUntil("the node to be well", async () => (await desktop.phase()) === "running", { timeoutMs: 20_000 });
  });

  it("hides when it is closed and shares on; the icon, the menu and a second start bring it back", async () => {
    const shown = async () => (await shell.do("state")).windows.map(({ visible }) => visible);
    await shell.do("closeWindow");
    expect(await shown()).toEqual([false]);
    expect(await desktop.phase()).toBe("running");
    await shell.do("clickTray");
    expect(await shown()).toEqual([true]);
    await shell.do("closeWindow");
    await shell.do("chooseInTray", "Open the panel");
    expect(await shown()).toEqual([true]);
    await shell.do("closeWindow");
    const second = await lab.host("node").exec(ShellHost.command({ dataFolder: desktop.dataFolder }));
    expect(second.code).toBe(0);
    await shell.until("the window", ({ windows }) => windows[0]?.visible === true);
    await shell.do("minimizeWindow");
    await shell.do("clickTray");
    expect((await shell.do("state")).windows).toMatchObject([{ visible: true, minimized: false }]);
  });

  it("pauses logging from the tray's menu, and goes on with it", async () => {
    await shell.do("chooseInTray", "Pause logging");
    await shell.until(
      "the tick",
      ({ tray }) => tray?.menu.some(({ label, checked }) => label === "Pause logging" && checked) === true,
    );
    await shell.do("chooseInTray", "Pause logging");
    await shell.until(
      "no tick",
      ({ tray }) => tray?.menu.some(({ label, checked }) => label === "Pause logging" && !checked) === true,
    );
  });

  it("speaks Russian in the tray and the menu as soon as it is chosen", async () => {
    await desktop.set({ language: "ru" });
    await shell.until("Russian", ({ tray }) => hasItem(tray, "Открыть панель"));
    expect((await shell.do("state")).appMenu[0]?.submenu?.[0]?.label).toBe("Выйти");
    await desktop.set({ language: "en" });
    await shell.until("English", ({ tray }) => hasItem(tray, "Open the panel"));
  });

  it("starts with the session where the owner asks for it", async () => {
    const file = join(lab.host("node").folder, "home/.config/autostart/net.higgsnode.app.desktop");
    await desktop.set({ startAtLogin: true });
    await pollUntil("the autostart file", () => existsSync(file), { timeoutMs: 10_000 });
    expect(readFileSync(file, "utf8")).toMatch(/^Exec=.* --hidden$/m);
    await desktop.set({ startAtLogin: false });
    await pollUntil("no autostart file", () => !existsSync(file), { timeoutMs: 10_000 });
  });

  describe("attacked by its own page", () => {
    it.each([
      ["a link elsewhere", `location.href = "http://${WEB_NAME}/"`],
      ["a local file", 'location.href = "file:///etc/passwd"'],
      [
        "a form",
        `(() => { const form = document.createElement("form"); form.action = "http://${WEB_NAME}/"; document.body.append(form); form.submit(); })()`,
      ],
    ])("stays where it is: %s", async (_, attack) => {
      await shell.do("evaluate", `${attack}; undefined`).catch(() => {});
      expect(await shell.do("evaluate", "location.pathname")).toBe("/");
      const { windows } = await shell.do("state");
      expect(windows).toMatchObject([{ url: expect.stringMatching(OUR_PAGE) }]);
    });

    it("opens no window", async () => {
      await shell.do("evaluate", `window.open("http://${WEB_NAME}/"); undefined`);
      await pollUntil("the refusal in the log", () => desktop.log().includes(`window http://${WEB_NAME}/`), {
        timeoutMs: 10_000,
      });
      expect((await shell.do("state")).windows).toHaveLength(1);
    });

    it("loads nothing from elsewhere and runs nothing written into it", async () => {
      const fetched = `fetch("http://${WEB_NAME}/").then(() => "fetched", () => "refused")`;
      expect(await shell.do("evaluate", fetched)).toBe("refused");
      const framed = `new Promise((resolve) => { const frame = document.createElement("iframe"); frame.onload = () => resolve(frame.contentDocument === null ? "refused" : frame.contentDocument.body.innerText); frame.src = "http://${WEB_NAME}/"; document.body.append(frame); })`;
      expect(["refused", ""]).toContain(await shell.do("evaluate", framed));
      const inline = `new Promise((resolve) => { const script = document.createElement("script"); script.textContent = "window.ran = true"; document.body.append(script); setTimeout(() => resolve(window.ran === true), 0); })`;
      expect(await shell.do("evaluate", inline)).toBe(false);
      const compiled = `(() => { const script = document.createElement("button"); script.setAttribute("onclick", "window.ran = true"); script.click(); return window.ran === true; })()`;
      expect(await shell.do("evaluate", compiled)).toBe(false);
    });

    it("is permitted to copy, and nothing else; other pages not even that", async () => {
      const ours = "higgs://panel/";
      const all = { request: true, check: true };
      const none = { request: false, check: false };
      expect(await shell.do("permission", { permission: "clipboard-sanitized-write", url: ours })).toEqual(all);
      for (const permission of ["media", "geolocation", "notifications", "clipboard-read", "openExternal", "usb"]) {
        expect(await shell.do("permission", { permission, url: ours })).toEqual(none);
      }
      const elsewhere = { permission: "clipboard-sanitized-write", url: "http://evil.test/" };
      expect(await shell.do("permission", elsewhere)).toEqual(none);
    });

    it.each([
      ["another page", { origin: "https://evil.test", isMainFrame: true }],
      ["a frame in ours", { origin: "higgs://panel", isMainFrame: false }],
      ["another host of our scheme", { origin: "higgs://evil", isMainFrame: true }],
    ])("is not listened to when it is %s", async (_, from) => {
      const refusals = () => desktop.log().split('"refused"').length;
      const earlier = refusals();
      await shell.do("sendAs", { ...from, message: JSON.stringify({ id: 1, call: "node.off" }) });
      await pollUntil("the refusal in the log", () => refusals() > earlier, { timeoutMs: 10_000 });
      expect(await desktop.phase()).toBe("running");
    });
  });

  it("loads a crashed page again three times, then gives the window up and shares on", async () => {
    for (let crash = 0; crash < 3; crash++) {
      await shell.do("crashPage");
      await shell.do("waitForText", "Sharing.");
    }
    await shell.do("crashPage");
    const { windows, errors } = await shell.until("no window", (state) => state.windows.length === 0);
    expect(windows).toEqual([]);
    expect(errors[0]?.title).toBe("The window keeps failing");
    await shell.do("clickTray");
    await shell.do("waitForText", "Sharing.");
    expect(await desktop.phase()).toBe("running");
  });

  it("quits from the tray: drained, the network as it was, no process left", async () => {
    await shell.do("chooseInTray", "Quit").catch(() => {});
    expect(await within("the end", shell.program.ended, END_TIMEOUT_MS)).toEqual({ code: 0, signal: null });
    await pollUntil("the helper to end", () => lab.host("node").processes().length === 0, { timeoutMs: 10_000 });
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(lab.host("node")))).toEqual([]);
  });
});

describe.skipIf(!requireLab())("the desktop app where nothing shows a tray", () => {
  let lab: Lab;
  let desktop: Desktop;
  let before: NetworkSnapshot;

  beforeAll(async () => {
    lab = await Lab.create(LAB);
    before = await NetworkSnapshot.take(lab.host("node"));
    desktop = await Desktop.start(lab, { tray: false, env: { LANGUAGE: "ru:en" } });
  });
  afterAll(async () => {
    await desktop?.shell.stop();
    await lab?.dispose();
  });

  it("has no icon, opens its window by itself, and Quit in its menu, in the system's language", async () => {
    const { tray, windows, appMenu } = await desktop.shell.do("state");
    expect(tray).toBeNull();
    expect(windows).toMatchObject([{ visible: true, menuBarHidden: false }]);
    expect(appMenu[0]?.submenu?.map(({ label }) => label)).toEqual(["Выйти"]);
  });

  it("asks before it quits, and stays when it is told to", async () => {
    await desktop.shell.do("closeWindow");
    await desktop.shell.do("closeWindow");
    const { questions } = await desktop.shell.until("a question", (state) => state.questions.length > 0);
    expect(questions).toHaveLength(1);
    expect(questions[0]).toMatchObject({ message: "Выйти из HiggsNode?", cancelId: 1 });
    await desktop.shell.do("press", "Не выходить");
    expect((await desktop.shell.do("state")).windows).toHaveLength(1);
  });

  it("is not started beside a node that uses the same data directory", async () => {
    const { shell, dataFolder } = desktop;
    const node = new Higgsnode(lab.host("node"), dataFolder);
    const refused = await node.run(["start", "--no-panel"]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("running with this data directory");
    expect((await shell.do("state")).windows).toHaveLength(1);
  });

  it("restores the network when the node in it crashes", async () => {
    await desktop.set(REACHABLE);
    await desktop.call("node.on", {});
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(lab.host("node")))).not.toEqual([]);
    await desktop.shell.do("crashNode");
    expect(await within("the end", desktop.shell.program.ended, END_TIMEOUT_MS)).toMatchObject({ signal: null });
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(lab.host("node")))).toEqual([]);
    expect(desktop.log()).toContain("a crash that a test asked for");
  });

  it.each<[string, (app: Desktop) => unknown]>([
    ["when the owner says so", (app) => closeAndConfirm(app.shell)],
    ["when the computer is shut down", (app) => app.shell.do("power", { event: "shutdown" }).catch(() => {})],
    ["when it is sent SIGTERM, as at the end of a session", (app) => app.shell.program.kill("SIGTERM")],
  ])("quits %s, and the network is as it was", async (_, quit) => {
    // The node that crashed shared; this one does again.
    const again = await Desktop.start(lab, { tray: false });
    await pollUntil("sharing", async () => (await again.phase()) === "running", { timeoutMs: 20_000 });
    await quit(again);
    expect(await within("the end", again.shell.program.ended, END_TIMEOUT_MS)).toEqual({ code: 0, signal: null });
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(lab.host("node")))).toEqual([]);
    await again.shell.stop();
  });
});

async function closeAndConfirm(shell: ShellHost): Promise<void> {
  await shell.do("closeWindow");
  await shell.until("a question", (state) => state.questions.length > 0);
  await shell.do("press", "Quit").catch(() => {});
}

function hasItem(tray: { menu: readonly { label: string }[] } | null, label: string): boolean {
  return tray?.menu.some((item) => item.label === label) === true;
}
