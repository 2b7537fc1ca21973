/** Notifications: kept, so that a test can read and click them. */
import type { NotificationConstructorOptions } from "electron";
import { ShellEmitter } from "./emitter.ts";

export class ShellNotification extends ShellEmitter {
  static readonly shown: ShellNotification[] = [];
  readonly title: string;
  readonly body: string;

  constructor({ title = "", body = "" }: NotificationConstructorOptions = {}) {
    super();
    this.title = title;
    this.body = body;
  }

  static isSupported(): boolean {
    return true;
  }

  show(): void {
    ShellNotification.shown.push(this);
  }

  close(): void {
    this.emit("close", {});
  }
}
