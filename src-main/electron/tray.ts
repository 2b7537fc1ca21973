/** The icon in the system's tray. */
import path from "node:path";
import { Menu, type MenuItemConstructorOptions, type NativeImage, nativeImage, Tray } from "electron";
import type { Translate } from "../../src-shared/text/translate.ts";
import { type TrayAction, type TrayEntry, type TrayFacts, type TrayIconName, trayView } from "./tray-view.ts";

export interface TrayIcon {
  show(facts: TrayFacts, t: Translate): void;
  /** Idempotent. */
  dispose(): void;
}

/** @param iconsDir holds the files that scripts/draw-icons.mjs draws */
export function createTray(iconsDir: string, t: Translate, onAction: (action: TrayAction) => void): TrayIcon {
  const images = new Map<TrayIconName, NativeImage>();
  let shown = "";

  function image(name: TrayIconName): NativeImage {
    const known = images.get(name) ?? loadIcon(iconsDir, name, process.platform);
    images.set(name, known);
    return known;
  }

  const tray = new Tray(image("starting"));

  function show(facts: TrayFacts, texts: Translate): void {
    const view = trayView(facts, texts);
    // Some desktops close an open menu when it is set again.
    const fingerprint = JSON.stringify(view);
    if (fingerprint === shown || tray.isDestroyed()) return;
    shown = fingerprint;
    tray.setImage(image(view.icon));
    tray.setToolTip(view.tooltip);
    tray.setContextMenu(Menu.buildFromTemplate(view.menu.map((entry) => itemOf(entry, onAction))));
  }

  show({}, t);
  tray.on("click", () => onAction("open"));
  return {
    show,
    dispose: () => {
      if (!tray.isDestroyed()) tray.destroy();
    },
  };
}

/**
 * A file beside it whose name ends in `@2x` is taken by itself on dense displays. macOS colours images whose name ends in
 * `Template`; Windows chooses the size from an ICO.
 */
function loadIcon(iconsDir: string, name: TrayIconName, platform: string): NativeImage {
  if (platform === "win32") return nativeImage.createFromPath(path.join(iconsDir, `tray-${name}.ico`));
  if (platform !== "darwin") return nativeImage.createFromPath(path.join(iconsDir, `tray-${name}.png`));
  const image = nativeImage.createFromPath(path.join(iconsDir, `tray-${name}Template.png`));
  image.setTemplateImage(true);
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
