/**
 * The part of Electron's main-process API that src-main/electron uses, in Node, with pages in a real Chromium. A name
 * that is imported and missing here ends the program at once. What this proves, and what not: README.md beside it.
 */
import type * as Electron from "electron";
import { ShellApp } from "./app.ts";
import { Browser } from "./browser.ts";
import { ShellBrowserWindow } from "./browser-window.ts";
import { serveControl } from "./control-server.ts";
import { ShellDialog } from "./dialog.ts";
import { ipcMain } from "./ipc-main.ts";
import { ShellMenu } from "./menu.ts";
import { nativeImage } from "./native-image.ts";
import { ShellNotification } from "./notification.ts";
import { ShellPowerMonitor, ShellPowerSaveBlocker } from "./power.ts";
import { ShellSession } from "./session.ts";
import { ShellTray } from "./tray.ts";

const shellSession = new ShellSession();
const browser = new Browser(shellSession);
const shellApp = new ShellApp(() => browser.close());
const shellDialog = new ShellDialog();
const monitor = new ShellPowerMonitor();
const blocker = new ShellPowerSaveBlocker();
ShellBrowserWindow.use({ app: shellApp, browser, ipcMain });
await serveControl({ app: shellApp, dialog: shellDialog, session: shellSession, monitor, blocker });

export const app = shellApp;
export const BrowserWindow = ShellBrowserWindow;
export const dialog: Pick<Electron.Dialog, "showErrorBox" | "showMessageBox"> = shellDialog;
export const Menu = ShellMenu;
export const Notification = ShellNotification;
export const powerMonitor = monitor;
export const powerSaveBlocker: Electron.PowerSaveBlocker = blocker;
export const protocol: Pick<Electron.Protocol, "registerSchemesAsPrivileged"> = shellSession;
export const session = { defaultSession: shellSession };
export const Tray = ShellTray;
export { ipcMain, nativeImage };
