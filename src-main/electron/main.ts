/**
 * The desktop host: one instance, a tray, a window, and the same gate and control socket as the
 * headless host. Closing the window leaves the node at work; Quit drains it and restores the network.
 */
import path from "node:path";
import { app, type BrowserWindow, dialog, session } from "electron";
import { nodeStateSchema } from "../../src-shared/model/node-state.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { explain } from "../../src-shared/text/headline.ts";
import { CLOSE_DEADLINE_MS, STOP_SIGNALS } from "../headless/headless-host.ts";
import { type PreparedNode, prepareNode } from "../headless/prepare-node.ts";
import { loadStaticFiles } from "../headless/static-files.ts";
import { openControlSocket } from "../ipc/control-socket.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { defaultDataDir } from "../storage/data-dir.ts";
import { registerPageScheme, servePage } from "./page.ts";
import { createTray, type TrayIcon } from "./tray.ts";
import type { TrayAction } from "./tray-view.ts";
import { createWindow, denyPermissions, lockNavigation } from "./window.ts";
import { openWindowGate } from "./window-gate.ts";

const distDir = path.resolve(import.meta.dirname, "..");
const helperPath = path.join(app.isPackaged ? process.resourcesPath : distDir, "helper.mjs");

let window: BrowserWindow | undefined;
const closers: (() => Promise<void> | void)[] = [];

if (app.requestSingleInstanceLock()) {
  registerPageScheme();
  lockNavigation();
  app.on("second-instance", openWindow);
  app.on("activate", openWindow);
  // The node works on without a window; the tray, or a second start, brings it back.
  app.on("window-all-closed", () => {});
  app.on("before-quit", onBeforeQuit);
  for (const signal of STOP_SIGNALS) process.on(signal, () => app.quit());
  void app.whenReady().then(start);
} else {
  app.quit();
}

async function start(): Promise<void> {
  const files = await loadStaticFiles(path.join(distDir, "renderer"));
  if (!files.ok) return leave(files.error);
  servePage(session.defaultSession, files.value);
  denyPermissions(session.defaultSession);

  const dataDir = defaultDataDir(process.env, process.platform);
  const prepared = prepareNode({
    dataDir,
    helperPath,
    onNotice: (notice) => void dialog.showMessageBox({ type: "warning", title: "HiggsNode", message: explain(notice) }),
  });
  if (!prepared.ok) return leave(prepared.error);
  closers.unshift(() => prepared.value.close());
  const composed = await prepared.value.compose();
  if (!composed.ok) return leave(composed.error);
  const api = composed.value;
  closers.unshift(() => api.close());

  const { onUnexpected } = prepared.value;
  const control = await openControlSocket({ dataDir, api, onUnexpected });
  if (!control.ok) return leave(control.error);
  closers.unshift(() => control.value.close());
  const gate = openWindowGate(api, onUnexpected);
  closers.unshift(() => gate.dispose());

  const tray = createTray((action) => act(action, api, prepared.value));
  closers.unshift(() => tray.dispose());
  closers.unshift(follow(api, tray));
  openWindow();
}

/** Keeps the tray at the node's state; the returned function stops that. */
function follow(api: NodeApi, tray: TrayIcon): () => void {
  const take = (name: string, payload: unknown) => {
    if (name !== "node.stateChanged" || typeof payload !== "object" || payload === null) return;
    const state = nodeStateSchema.safeParse("value" in payload ? payload.value : undefined);
    if (state.success) tray.show(state.data);
  };
  for (const event of api.current()) take(event.name, event.payload);
  return api.onEvent(take);
}

function act(action: TrayAction, api: NodeApi, { onUnexpected }: PreparedNode): void {
  const context = { signal: new AbortController().signal };
  switch (action) {
    case "turn-on":
    case "turn-off":
      // A refusal is a state of the node, which tray and window show; the log keeps the rest.
      api.handlers[action === "turn-on" ? "node.on" : "node.off"]({}, context).catch((thrown: unknown) =>
        onUnexpected(action, thrown),
      );
      return;
    case "open":
      openWindow();
      return;
    case "quit":
      app.quit();
  }
}

function openWindow(): void {
  if (window === undefined || window.isDestroyed()) {
    window = createWindow();
    return;
  }
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

let isDraining = false;

function onBeforeQuit(event: { preventDefault(): void }): void {
  event.preventDefault();
  if (isDraining) return;
  isDraining = true;
  void drain().then(
    () => app.exit(0),
    () => app.exit(1),
  );
}

async function drain(): Promise<void> {
  const deadline = setTimeout(() => app.exit(1), CLOSE_DEADLINE_MS);
  try {
    for (const close of closers) await close();
  } finally {
    clearTimeout(deadline);
  }
}

/** The app cannot run: says why, and ends. */
function leave(error: HiggsError): void {
  dialog.showErrorBox("HiggsNode", explain(error));
  app.quit();
}
