/** Messages from pages to the app. */
import { ShellEmitter } from "./emitter.ts";

export const ipcMain = new ShellEmitter();
