import type { Locator, Page } from "playwright";
import type { Translate } from "../../src-shared/text/translate.ts";

export class ClientsPage {
  readonly #page: Page;
  readonly #t: Translate;

  constructor(page: Page, t: Translate) {
    this.#page = page;
    this.#t = t;
  }

  get list(): Locator {
    return this.#page.getByRole("table", { name: this.#t("clients.title") });
  }

  /** The row of a client, by its exact name. */
  row(name: string): Locator {
    return this.list.getByRole("row").filter({ has: this.#page.getByText(name, { exact: true }) });
  }

  /** Names of the rows that are drawn, from the top. */
  names(): Promise<string[]> {
    return this.list.locator("tbody .client-name").allTextContents();
  }

  get filter(): Locator {
    return this.#page.getByRole("searchbox", { name: this.#t("clients.filter") });
  }

  get sortBy(): Locator {
    return this.#page.getByRole("combobox", { name: this.#t("clients.sortBy") });
  }

  get addButton(): Locator {
    return this.#page.getByRole("button", { name: this.#t("clients.add.action"), exact: true });
  }

  get dialog(): Locator {
    return this.#page.getByRole("dialog");
  }

  get nameField(): Locator {
    return this.#page.getByRole("textbox", { name: this.#t("clients.add.name") });
  }

  button(action: "limits" | "show" | "pause" | "resume" | "remove", name: string): Locator {
    return this.#page.getByRole("button", { name: this.#t(`clients.action.${action}Named`, { name }), exact: true });
  }

  /** Adds a client; its configuration is shown then. */
  async add(name: string): Promise<void> {
    await this.addButton.click();
    await this.nameField.fill(name);
    await this.dialog.getByRole("button", { name: this.#t("clients.add.submit"), exact: true }).click();
    await this.configuration(name).waitFor();
  }

  configuration(name: string): Locator {
    return this.#page.getByRole("dialog", { name: this.#t("clients.config.title", { name }) });
  }

  qrCode(name: string): Locator {
    return this.#page.getByRole("img", { name: this.#t("clients.config.qr", { name }) });
  }

  /** The configuration that is shown, as text. */
  async shownConfiguration(name: string): Promise<string> {
    const dialog = this.configuration(name);
    const text = dialog.locator("pre");
    if (!(await text.isVisible())) await dialog.getByText(this.#t("clients.config.show")).click();
    return text.innerText();
  }

  async closeDialog(): Promise<void> {
    await this.#page.keyboard.press("Escape");
    await this.dialog.waitFor({ state: "detached" });
  }

  limits(name: string): Locator {
    return this.#page.getByRole("dialog", { name: this.#t("clients.limit.title", { name }) });
  }

  async chooseLimits(part: "speed" | "data" | "hours"): Promise<void> {
    await this.dialog.getByRole("tab", { name: this.#t(`clients.limit.${part}`) }).click();
  }

  speedField(direction: "down" | "up"): Locator {
    return this.dialog.getByRole("textbox", { name: this.#t(`clients.limit.${direction}`) });
  }

  speedSlider(direction: "down" | "up"): Locator {
    return this.dialog.getByRole("slider", { name: this.#t(`clients.limit.${direction}`) });
  }

  async saveLimits(): Promise<void> {
    await this.dialog.getByRole("button", { name: this.#t("clients.limit.save") }).click();
  }
}
