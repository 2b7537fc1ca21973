/** The icon in the system's tray. */
import { Menu, type MenuItemConstructorOptions, type NativeImage, nativeImage, Tray } from "electron";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import { en } from "../../src-shared/text/en.ts";
import type { Tone } from "../../src-shared/text/headline.ts";
import { drawTrayIcon, INKS, MONOCHROME } from "./tray-icon.ts";
import { type TrayAction, type TrayEntry, trayView } from "./tray-view.ts";

/** 16 points at a scale factor of 2: sharp on every display. */
const ICON_PIXELS = 32;

export interface TrayIcon {
  show(state: NodeState): void;
  /** Idempotent. */
  dispose(): void;
}

export function createTray(onAction: (action: TrayAction) => void): TrayIcon {
  const tray = new Tray(iconOf("busy"));
  let shown = "";

  function show(state: NodeState | undefined): void {
    const view = trayView(state, en);
    // Some desktops close an open menu when it is set again.
    const fingerprint = JSON.stringify(view);
    if (fingerprint === shown || tray.isDestroyed()) return;
    shown = fingerprint;
    tray.setImage(iconOf(view.icon));
    tray.setToolTip(view.tooltip);
    tray.setContextMenu(Menu.buildFromTemplate(view.menu.map((entry) => itemOf(entry, onAction))));
  }

  show(undefined);
  tray.on("click", () => onAction("open"));
  return {
    show,
    dispose: () => {
      if (!tray.isDestroyed()) tray.destroy();
    },
  };
}

function iconOf(tone: Tone): NativeImage {
  const isMac = process.platform === "darwin";
  const bitmap = drawTrayIcon(tone, ICON_PIXELS, isMac ? MONOCHROME : INKS[tone]);
  const image = nativeImage.createFromBitmap(Buffer.from(bitmap), {
    width: ICON_PIXELS,
    height: ICON_PIXELS,
    scaleFactor: 2,
  });
  image.setTemplateImage(isMac);
  return image;
}

function itemOf(entry: TrayEntry, onAction: (action: TrayAction) => void): MenuItemConstructorOptions {
  switch (entry.kind) {
    case "separator":
      return { type: "separator" };
    case "words":
      return { label: entry.text, enabled: false };
    case "switch":
      return {
        type: "checkbox",
        label: entry.text,
        checked: entry.on,
        enabled: entry.enabled,
        click: () => onAction(entry.action),
      };
    case "button":
      return { label: entry.text, click: () => onAction(entry.action) };
  }
}
