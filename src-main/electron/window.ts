/** The window: our page, sandboxed, that can neither leave nor open anything. */
import path from "node:path";
import { app, BrowserWindow, type Session } from "electron";
import { PAGE_ORIGIN } from "./channel.ts";

/** Nothing a page could ask the system for is of use to ours, except to copy the endpoint. */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(permission === "clipboard-sanitized-write"),
  );
  session.setPermissionCheckHandler((_contents, permission) => permission === "clipboard-sanitized-write");
}

/** For every page of the app, whoever opens it. */
export function lockNavigation(): void {
  app.on("web-contents-created", (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
    contents.on("will-attach-webview", (event) => event.preventDefault());
    contents.on("will-navigate", (event) => {
      if (!event.url.startsWith(`${PAGE_ORIGIN}/`)) event.preventDefault();
    });
  });
}

export function createWindow(): BrowserWindow {
  const window = new BrowserWindow({
    width: 1000,
    height: 820,
    minWidth: 420,
    minHeight: 480,
    title: "HiggsNode",
    show: false,
    autoHideMenuBar: true,
    webPreferences: {
      preload: path.join(import.meta.dirname, "preload.cjs"),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  void window.loadURL(`${PAGE_ORIGIN}/`);
  return window;
}
