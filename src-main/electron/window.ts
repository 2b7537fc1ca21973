/** The window: our page, sandboxed, that can neither leave nor open anything. */
import path from "node:path";
import { app, BrowserWindow, type Session } from "electron";
import { isOurAddress, PAGE_ORIGIN } from "./channel.ts";

/** Nothing a page could ask the system for is of use to ours, except to copy the endpoint. */
const PERMITTED = "clipboard-sanitized-write";

export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, answer) =>
    answer(permission === PERMITTED && isOurAddress(contents.getURL())),
  );
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === PERMITTED && isOurAddress(`${origin}/`),
  );
  session.setDevicePermissionHandler(() => false);
}

/** Beside the page's own policy: a request that leaves the app is ended before it is sent. */
export function denyRemoteContent(session: Session): void {
  session.webRequest.onBeforeRequest((details, answer) => {
    // The developer tools of a development build load their own pages.
    const isAllowed = isOurAddress(details.url) || (!app.isPackaged && details.url.startsWith("devtools:"));
    answer({ cancel: !isAllowed });
  });
}

/** For every page of the app, whoever opens it. `onRefused` is told what was tried. */
export function lockNavigation(onRefused: (what: string, url: string) => void): void {
  app.on("web-contents-created", (_event, contents) => {
    contents.setWindowOpenHandler(({ url }) => {
      onRefused("window", url);
      return { action: "deny" };
    });
    contents.on("will-attach-webview", (event) => {
      event.preventDefault();
      onRefused("webview", "");
    });
    // Frames too: a frame of somebody else's is refused where it would load.
    contents.on("will-frame-navigate", (event) => {
      if (isOurAddress(event.url)) return;
      event.preventDefault();
      onRefused("navigation", event.url);
    });
    contents.on("will-redirect", (event) => {
      if (isOurAddress(event.url)) return;
      event.preventDefault();
      onRefused("redirect", event.url);
    });
  });
}

/** @param menuBar shown where the window's menu is the only way to quit */
export function createWindow({ menuBar, icon }: { menuBar: boolean; icon: string }): BrowserWindow {
  const window = new BrowserWindow({
    width: 1024,
    height: 768,
    minWidth: 360,
    minHeight: 480,
    title: "HiggsNode",
    show: false,
    autoHideMenuBar: !menuBar,
    icon,
    webPreferences: {
      preload: path.join(import.meta.dirname, "preload.cjs"),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  });
  window.once("ready-to-show", () => window.show());
  void window.loadURL(`${PAGE_ORIGIN}/`);
  return window;
}
