/** What a test asks of the running shell, one JSON document per line over a Unix socket. */
import type { MessageBoxOptions } from "electron";
import type { ShownItem } from "./menu.ts";

/** Where the shell listens; the test hands it in. */
export const CONTROL_VARIABLE = "HIGGS_SHELL_CONTROL";

export interface ShellState {
  readonly pid: number;
  readonly sandboxed: boolean;
  readonly tray: { icon: string; tooltip: string; menu: readonly ShownItem[] } | null;
  readonly windows: readonly {
    visible: boolean;
    minimized: boolean;
    url: string;
    menuBarHidden: boolean;
    preferences: Readonly<Record<string, unknown>>;
  }[];
  readonly appMenu: readonly ShownItem[];
  readonly questions: readonly MessageBoxOptions[];
  readonly errors: readonly { title: string; content: string }[];
  readonly notifications: readonly { title: string; body: string }[];
  readonly awake: readonly string[];
}

/** What a test can do, with what it hands in and gets back. */
export interface ShellCommands {
  state: { input: undefined; output: ShellState };
  /** The tray: a click on the icon, or on an item of its menu. */
  clickTray: { input: undefined; output: undefined };
  chooseInTray: { input: string; output: undefined };
  chooseInAppMenu: { input: string; output: undefined };
  /** The cross of the window. */
  closeWindow: { input: undefined; output: undefined };
  minimizeWindow: { input: undefined; output: undefined };
  /** Presses a button of a question. */
  press: { input: string; output: undefined };
  clickNotification: { input: number; output: undefined };
  /** Power events; a computer that sleeps says nothing between them. */
  power: { input: { event: "resume" | "shutdown" } | { onBattery: boolean }; output: undefined };
  /** Kills the page's renderer. */
  crashPage: { input: undefined; output: undefined };
  /** Throws where nobody catches it. */
  crashNode: { input: undefined; output: undefined };
  /** JavaScript in the page's own world; what it gives is awaited. */
  evaluate: { input: string; output: unknown };
  waitForText: { input: string; output: undefined };
  clickRole: { input: { role: "button" | "switch" | "link"; name?: string }; output: undefined };
  screenshot: { input: string; output: undefined };
  /** Sends a message to the app as if a page of that origin, or a frame in ours, had. */
  sendAs: { input: { origin: string; isMainFrame: boolean; message: unknown }; output: undefined };
  /** What the page is permitted when it asks from that address. */
  permission: { input: { permission: string; url: string }; output: { request: boolean; check: boolean } };
}

export type ShellCommand = keyof ShellCommands;

export interface ShellRequest {
  readonly id: number;
  readonly command: ShellCommand;
  readonly input: unknown;
}

export type ShellAnswer =
  | { readonly id: number; readonly ok: true; readonly output: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };
