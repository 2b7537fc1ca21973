/** Menus: what is in them, and what a click on an item does. */
import type { MenuItemConstructorOptions } from "electron";

export interface ShownItem {
  readonly label: string;
  readonly type: string;
  readonly checked: boolean;
  readonly enabled: boolean;
  readonly submenu?: readonly ShownItem[];
}

export class ShellMenu {
  static #application: ShellMenu | null = null;
  readonly #template: readonly MenuItemConstructorOptions[];

  constructor(template: readonly MenuItemConstructorOptions[]) {
    this.#template = template;
  }

  static buildFromTemplate(template: readonly MenuItemConstructorOptions[]): ShellMenu {
    return new ShellMenu(template);
  }

  static setApplicationMenu(menu: ShellMenu | null): void {
    ShellMenu.#application = menu;
  }

  static getApplicationMenu(): ShellMenu | null {
    return ShellMenu.#application;
  }

  get items(): ShownItem[] {
    return shown(this.#template);
  }

  /** Does what a person does who chooses the item of that name; a disabled one cannot be chosen. */
  choose(label: string): void {
    const item = find(this.#template, label);
    if (item === undefined) throw new Error(`the menu has no ${label}`);
    if (item.enabled === false) throw new Error(`${label} is disabled`);
    const click = item.click as unknown as (() => void) | undefined;
    if (click === undefined) throw new Error(`${label} does nothing`);
    click();
  }
}

function shown(template: readonly MenuItemConstructorOptions[]): ShownItem[] {
  return template.map((item) => ({
    label: item.label ?? item.role ?? "",
    type: item.type ?? (Array.isArray(item.submenu) ? "submenu" : "normal"),
    checked: item.checked ?? false,
    enabled: item.enabled ?? true,
    ...(Array.isArray(item.submenu) ? { submenu: shown(item.submenu) } : {}),
  }));
}

function find(template: readonly MenuItemConstructorOptions[], label: string): MenuItemConstructorOptions | undefined {
  for (const item of template) {
    if (item.label === label && item.click !== undefined) return item;
    const inside = Array.isArray(item.submenu) ? find(item.submenu, label) : undefined;
    if (inside !== undefined) return inside;
  }
  return template.find((item) => item.label === label);
}
