/** The tray's icon. */
import path from "node:path";
import { ShellEmitter } from "./emitter.ts";
import { ShellMenu } from "./menu.ts";
import type { ShellImage } from "./native-image.ts";

export class ShellTray extends ShellEmitter {
  /** The one there is, as long as it is there. */
  static current: ShellTray | undefined;
  menu = new ShellMenu([]);
  tooltip = "";
  icon = "";
  #destroyed = false;

  constructor(image: ShellImage) {
    super();
    this.setImage(image);
    ShellTray.current = this;
  }

  setImage(image: ShellImage): void {
    if (image.isEmpty()) throw new Error(`${image.file} is no image`);
    this.icon = path.basename(image.file);
  }

  setToolTip(tooltip: string): void {
    this.tooltip = tooltip;
  }

  setContextMenu(menu: ShellMenu): void {
    this.menu = menu;
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  destroy(): void {
    this.#destroyed = true;
    if (ShellTray.current === this) ShellTray.current = undefined;
  }
}
