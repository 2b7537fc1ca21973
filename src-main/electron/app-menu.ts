/** The menu of the window (macOS: of the app): where there is no tray it is the one way to quit. */
import type { MenuItemConstructorOptions } from "electron";
import type { Translate } from "../../src-shared/text/translate.ts";

/** Copying, pasting and zooming go by the roles' own shortcuts, which are there only while a menu has them. */
export function appMenu(t: Translate, platform: string, quit: () => void): MenuItemConstructorOptions[] {
  const leave: MenuItemConstructorOptions = { label: t("tray.quit"), accelerator: "CommandOrControl+Q", click: quit };
  const own: MenuItemConstructorOptions[] =
    platform === "darwin"
      ? [
          { role: "about" },
          { type: "separator" },
          { role: "hide" },
          { role: "hideOthers" },
          { type: "separator" },
          leave,
        ]
      : [leave];
  return [
    { label: t("common.app"), submenu: own },
    { role: "editMenu" },
    {
      role: "viewMenu",
      submenu: [{ role: "resetZoom" }, { role: "zoomIn" }, { role: "zoomOut" }, { role: "togglefullscreen" }],
    },
    { role: "windowMenu" },
  ];
}
