/**
 * The desktop host: one instance, a tray, a window, and the same gate and control socket as the headless host.
 *
 *   lock ─▶ ready ─▶ page ─▶ node ─▶ control socket ─▶ gate ─▶ tray ─▶ window ─▶ … quit ─▶ drain ─▶ exit
 *
 * Where there is a tray, closing the window leaves the node at work. Quit, a signal, the end of the session and a crash
 * of the node all drain it and restore the network first.
 */
import { homedir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { app, type BrowserWindow, dialog, Menu, powerMonitor, powerSaveBlocker, session } from "electron";
import { systemClock } from "../../src-shared/clock.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src-shared/model/settings.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { CLOSE_DEADLINE_MS, STOP_SIGNALS } from "../headless/headless-host.ts";
import { type PreparedNode, prepareNode } from "../headless/prepare-node.ts";
import { loadStaticFiles } from "../headless/static-files.ts";
import { connectControl } from "../ipc/control-client.ts";
import { alreadyRunning, openControlSocket } from "../ipc/control-socket.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { defaultDataDir } from "../storage/data-dir.ts";
import { appMenu } from "./app-menu.ts";
import { CrashBudget } from "./crash-budget.ts";
import { KeepAwake } from "./keep-awake.ts";
import { followNode } from "./node-view.ts";
import { Notifier } from "./notifier.ts";
import { registerPageScheme, servePage } from "./page.ts";
import { Shutdown } from "./shutdown.ts";
import { HIDDEN_FLAG, loginStart } from "./start-at-login.ts";
import { createTray } from "./tray.ts";
import type { TrayAction, TrayFacts } from "./tray-view.ts";
import { waitForTray } from "./wait-for-tray.ts";
import { createWindow, denyPermissions, denyRemoteContent, lockNavigation } from "./window.ts";
import { openWindowGate } from "./window-gate.ts";
import { WindowKeeper } from "./window-keeper.ts";
import { type Words, wordsFor } from "./words.ts";

/** A page that crashes more often is not helped by loading it again. */
const CRASHES_FORGIVEN = 3;
const CRASHES_WITHIN_MS = 60_000;

const distDir = path.resolve(import.meta.dirname, "..");
const iconsDir = path.join(import.meta.dirname, "icons");
const helperPath = path.join(app.isPackaged ? process.resourcesPath : distDir, "helper.mjs");

const args = parseArgs({
  args: process.argv.slice(1),
  // Chromium has switches of its own on the same line.
  strict: false,
  options: { "data-dir": { type: "string" }, hidden: { type: "boolean" } },
}).values;
const dataDir =
  typeof args["data-dir"] === "string" ? path.resolve(args["data-dir"]) : defaultDataDir(process.env, process.platform);
const isHidden = args.hidden === true || (process.platform === "darwin" && app.getLoginItemSettings().wasOpenedAtLogin);

const shutdown = new Shutdown(systemClock);
let settings: Settings = DEFAULT_SETTINGS;
let keeper: WindowKeeper | undefined;
let report = (where: string, thrown: unknown) => void process.stderr.write(`${where}: ${String(thrown)}\n`);

// The window's own profile, and with it the lock of the one instance, belong to the data directory.
app.setPath("userData", path.join(dataDir, "desktop"));

if (app.requestSingleInstanceLock()) {
  // Windows shows notifications of programs that say who they are.
  if (process.platform === "win32") app.setAppUserModelId("net.higgsnode.app");
  app.enableSandbox();
  registerPageScheme();
  lockNavigation((what, url) => report("refused", `${what} ${url}`));
  app.on("second-instance", (_event, argv) => {
    if (!argv.includes(HIDDEN_FLAG)) keeper?.open();
  });
  app.on("activate", () => keeper?.open());
  // The node works on without a window; the tray, or a second start, brings it back.
  app.on("window-all-closed", () => {});
  app.on("before-quit", (event) => {
    event.preventDefault();
    void leave(0);
  });
  for (const signal of STOP_SIGNALS) process.on(signal, () => app.quit());
  for (const kind of ["uncaughtException", "unhandledRejection"]) {
    // What is left of the node cannot be trusted, but what it changed must not stay.
    process.on(kind, (thrown: unknown) => {
      report(kind, thrown);
      void leave(1);
    });
  }
  void app.whenReady().then(start).then(fail);
} else {
  app.quit();
}

/** Resolves with what stands in the way of a start. */
async function start(): Promise<HiggsError | undefined> {
  const files = await loadStaticFiles(path.join(distDir, "renderer"));
  if (!files.ok) return files.error;
  servePage(session.defaultSession, files.value);
  denyPermissions(session.defaultSession);
  denyRemoteContent(session.defaultSession);

  const other = await connectControl(dataDir);
  if (other.ok) {
    other.value.close();
    const running = alreadyRunning();
    return running.ok ? undefined : running.error;
  }
  const prepared = prepareNode({
    dataDir,
    helperPath,
    host: { kind: "desktop", canStartAtLogin: true, canKeepAwake: true },
    onNotice: (notice) =>
      void dialog.showMessageBox({ type: "warning", title: "HiggsNode", message: words().explain(notice) }),
  });
  if (!prepared.ok) return prepared.error;
  shutdown.add(() => prepared.value.close());
  const { onUnexpected, note } = prepared.value;
  report = (where, thrown) => {
    if (where === "refused") note("refused", { what: thrown });
    else onUnexpected(where, thrown);
  };
  const composed = await prepared.value.compose();
  if (!composed.ok) return composed.error;
  const api = composed.value;
  shutdown.add(() => api.close());
  const control = await openControlSocket({ dataDir, api, onUnexpected });
  if (!control.ok) return control.error;
  shutdown.add(() => control.value.close());
  const gate = openWindowGate({
    api,
    onUnexpected,
    onRefused: (what, url) => note("refused", { what, url }),
  });
  shutdown.add(() => gate.dispose());
  await show(api, prepared.value);
  return undefined;
}

/** Everything the owner sees. */
async function show(api: NodeApi, { onUnexpected, note }: PreparedNode): Promise<void> {
  const hasTray = await waitForTray({ platform: process.platform, env: process.env, clock: systemClock, isHidden });
  if (shutdown.begun) return;
  const windows = new WindowKeeper({
    create: () => createWindow({ menuBar: !hasTray, icon: path.join(iconsDir, "app/256x256.png") }),
    hasTray,
    mayQuit: askToQuit,
    quit: () => app.quit(),
    isQuitting: () => shutdown.begun,
    crashes: new CrashBudget(systemClock, CRASHES_FORGIVEN, CRASHES_WITHIN_MS),
    onCrash: (reason, given) => {
      note("the window's page ended", { reason, given });
      if (given === "up") dialog.showErrorBox(words().t("tray.crashed"), words().t("tray.crashedDetail"));
    },
  });
  keeper = windows;

  const tray = hasTray ? createTray(iconsDir, words().t, (action) => act(action, api, onUnexpected)) : undefined;
  if (tray !== undefined) shutdown.add(() => tray.dispose());
  const notifier = new Notifier({ words, onClick: () => windows.open() });
  shutdown.add(() => notifier.dispose());
  const keepAwake = new KeepAwake({ blocker: powerSaveBlocker, monitor: powerMonitor, clock: systemClock });
  shutdown.add(() => keepAwake.dispose());
  const login = loginStart({
    app,
    platform: process.platform,
    env: process.env,
    home: homedir(),
    execPath: process.execPath,
  });

  let facts: TrayFacts = {};
  const unfollow = followNode(api, {
    onState(state) {
      facts = { ...facts, state };
      tray?.show(facts, words().t);
      notifier.state(state);
      keepAwake.want(state.health.keepAwake);
    },
    onSettings(changed) {
      settings = changed;
      facts = { ...facts, settings };
      tray?.show(facts, words().t);
      Menu.setApplicationMenu(Menu.buildFromTemplate(appMenu(words().t, process.platform, () => app.quit())));
      try {
        login.set(settings.startAtLogin);
      } catch (thrown) {
        onUnexpected("start at login", thrown);
      }
    },
    onClients: (clients) => notifier.clients(clients),
  });
  shutdown.add(unfollow);
  powerMonitor.on("resume", () => api.woke());
  // The types leave the event out; with it Linux and macOS wait for us.
  powerMonitor.on("shutdown", (event?: { preventDefault(): void }) => {
    event?.preventDefault();
    app.quit();
  });
  if (!isHidden || !hasTray) windows.open();
}

function act(action: TrayAction, api: NodeApi, onUnexpected: (where: string, thrown: unknown) => void): void {
  const context = { signal: new AbortController().signal };
  // A refusal is a state of the node, which tray and window show; the log keeps the rest.
  const done = (asked: Promise<unknown>) => {
    asked.catch((thrown: unknown) => onUnexpected(action, thrown));
  };
  switch (action) {
    case "turn-on":
      done(api.handlers["node.on"]({}, context));
      return;
    case "turn-off":
      done(api.handlers["node.off"]({}, context));
      return;
    case "pause-logging":
    case "resume-logging":
      done(api.handlers["settings.set"]({ changes: { loggingPaused: action === "pause-logging" } }, context));
      return;
    case "open":
      keeper?.open();
      return;
    case "quit":
      app.quit();
  }
}

function words(): Words {
  return wordsFor(settings.language, app.getPreferredSystemLanguages());
}

async function askToQuit(window: BrowserWindow): Promise<boolean> {
  const { t } = words();
  const { response } = await dialog.showMessageBox(window, {
    type: "question",
    title: "HiggsNode",
    message: t("tray.quitQuestion"),
    detail: t("tray.quitDetail"),
    buttons: [t("tray.quitNow"), t("tray.stay")],
    defaultId: 1,
    cancelId: 1,
  });
  return response === 0;
}

/** Drains, restores the network, exits. Past the deadline the helper restores by itself after its grace time. */
async function leave(code: number): Promise<void> {
  const outcome = await shutdown.drain(CLOSE_DEADLINE_MS, (thrown) => report("close", thrown));
  app.exit(outcome === "drained" ? code : 1);
}

/** The app cannot run: says why, and ends. */
async function fail(error: HiggsError | undefined): Promise<void> {
  if (error === undefined) return;
  dialog.showErrorBox("HiggsNode", words().explain(error));
  await leave(1);
}
