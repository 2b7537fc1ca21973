/** The shell's side of `control.ts`. */
import { createServer } from "node:net";
import type { WebContents } from "electron";
import type { Page } from "playwright";
import { LineSplitter } from "../../../src-shared/line-splitter.ts";
import type { ShellApp } from "./app.ts";
import { ShellBrowserWindow } from "./browser-window.ts";
import {
  CONTROL_VARIABLE,
  type ShellAnswer,
  type ShellCommand,
  type ShellCommands,
  type ShellRequest,
  type ShellState,
} from "./control.ts";
import type { ShellDialog } from "./dialog.ts";
import { ShellMenu } from "./menu.ts";
import { ShellNotification } from "./notification.ts";
import type { ShellPowerMonitor, ShellPowerSaveBlocker } from "./power.ts";
import type { ShellSession } from "./session.ts";
import { ShellTray } from "./tray.ts";
import { originOf } from "./web-contents.ts";

const MAX_REQUEST_CHARACTERS = 1024 * 1024;

export interface Shell {
  readonly app: ShellApp;
  readonly dialog: ShellDialog;
  readonly session: ShellSession;
  readonly monitor: ShellPowerMonitor;
  readonly blocker: ShellPowerSaveBlocker;
}

/** What is only done gives nothing that anybody reads. */
type Answer<Output> = Output extends undefined ? unknown : Output | Promise<Output>;

type Handlers = { [C in ShellCommand]: (input: ShellCommands[C]["input"]) => Answer<ShellCommands[C]["output"]> };

/** Listens where the environment says; does nothing where it says nothing. */
export function serveControl(shell: Shell): Promise<void> {
  const place = process.env[CONTROL_VARIABLE];
  if (place === undefined) return Promise.resolve();
  const handlers = handlersOf(shell);
  const server = createServer((socket) => {
    const lines = new LineSplitter(MAX_REQUEST_CHARACTERS);
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: string) => {
      for (const line of lines.push(chunk)) {
        void answer(handlers, JSON.parse(line) as ShellRequest).then((told) => {
          if (socket.writable) socket.write(`${JSON.stringify(told)}\n`);
        });
      }
    });
  });
  // The app alone decides how long the process lives.
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, resolve);
  });
}

async function answer(handlers: Handlers, { id, command, input }: ShellRequest): Promise<ShellAnswer> {
  try {
    const handler = handlers[command] as (input: unknown) => unknown;
    return { id, ok: true, output: await handler(input) };
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function handlersOf({ app, dialog, session, monitor, blocker }: Shell): Handlers {
  const state = (): ShellState => ({
    pid: process.pid,
    sandboxed: app.sandboxed,
    tray:
      ShellTray.current === undefined
        ? null
        : { icon: ShellTray.current.icon, tooltip: ShellTray.current.tooltip, menu: ShellTray.current.menu.items },
    windows: ShellBrowserWindow.all.map((window) => ({
      visible: window.isVisible(),
      minimized: window.isMinimized(),
      url: window.webContents.getURL(),
      menuBarHidden: window.options.autoHideMenuBar ?? false,
      preferences: { ...window.options.webPreferences },
    })),
    appMenu: ShellMenu.getApplicationMenu()?.items ?? [],
    questions: dialog.open,
    errors: dialog.errors,
    notifications: ShellNotification.shown.map(({ title, body }) => ({ title, body })),
    awake: blocker.kinds,
  });
  return {
    state,
    clickTray: () => void there(ShellTray.current, "a tray").emit("click", {}),
    chooseInTray: (label) => there(ShellTray.current, "a tray").menu.choose(label),
    chooseInAppMenu: (label) => there(ShellMenu.getApplicationMenu() ?? undefined, "a menu").choose(label),
    closeWindow: () => theWindow().close(),
    minimizeWindow: () => theWindow().minimize(),
    press: (button) => dialog.press(button),
    clickNotification: (index) => void there(ShellNotification.shown[index], `notification ${index}`).emit("click", {}),
    power: (input) => {
      if ("event" in input) monitor.ask(input.event);
      else {
        monitor.onBattery = input.onBattery;
        monitor.emit(input.onBattery ? "on-battery" : "on-ac");
      }
    },
    crashPage: async () => {
      const page = await thePage();
      const crashed = new Promise<void>((resolve) => page.once("crash", () => resolve()));
      page.goto("chrome://crash").catch(() => {});
      await crashed;
    },
    crashNode: () => {
      setImmediate(() => {
        throw new Error("a crash that a test asked for");
      });
    },
    evaluate: async (expression) => (await thePage()).evaluate(expression),
    waitForText: async (text) => (await thePage()).getByText(text).first().waitFor(),
    clickRole: async ({ role, name }) =>
      (await thePage())
        .getByRole(role, name === undefined ? {} : { name })
        .first()
        .click(),
    screenshot: async (file) => void (await (await thePage()).screenshot({ path: file })),
    sendAs: ({ origin, isMainFrame, message }) =>
      theWindow().webContents.receiveAs({ origin, isMain: isMainFrame }, "higgs", [message]),
    permission: async ({ permission, url }) => {
      const contents = { getURL: () => url } as WebContents;
      const request = await new Promise<boolean>((resolve) => {
        if (session.permissionRequest === null) resolve(true);
        else session.permissionRequest(contents, permission as never, resolve, {} as never);
      });
      const check = session.permissionCheck?.(contents, permission as never, originOf(url), {} as never) ?? true;
      return { request, check };
    },
  };
}

function theWindow(): ShellBrowserWindow {
  return there(ShellBrowserWindow.all[0], "a window");
}

function thePage(): Promise<Page> {
  return theWindow().webContents.page();
}

function there<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}
