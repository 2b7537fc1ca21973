import type { Locator, Page } from "playwright";
import type { Translate } from "../../src-shared/text/translate.ts";
import { cardOf } from "./card.ts";

export class SettingsPage {
  readonly #page: Page;
  readonly #t: Translate;

  constructor(page: Page, t: Translate) {
    this.#page = page;
    this.#t = t;
  }

  get language(): Locator {
    return this.#page.getByRole("combobox", { name: this.#t("settings.look.language") });
  }

  get theme(): Locator {
    return this.#page.getByRole("combobox", { name: this.#t("settings.look.theme") });
  }

  get startAtLogin(): Locator {
    return this.#page.getByRole("switch", { name: this.#t("settings.computer.startAtLogin") });
  }

  get portMapping(): Locator {
    return this.#page.getByRole("switch", { name: this.#t("settings.way.portMapping") });
  }

  get way(): Locator {
    return cardOf(this.#page, this.#t("settings.way.title"));
  }

  get listenPort(): Locator {
    return this.way.getByRole("textbox", { name: this.#t("settings.way.listenPort"), exact: true });
  }

  get publicEndpoint(): Locator {
    return this.way.getByRole("textbox", { name: this.#t("settings.way.publicEndpoint") });
  }

  get relay(): Locator {
    return cardOf(this.#page, this.#t("settings.relay.title"));
  }

  get relayServers(): Locator {
    return this.relay.getByRole("textbox", { name: this.#t("settings.relay.servers") });
  }

  get advanced(): Locator {
    return cardOf(this.#page, this.#t("settings.advanced.title"));
  }

  save(card: Locator): Locator {
    return card.getByRole("button", { name: this.#t("settings.save"), exact: true });
  }

  get restore(): Locator {
    return cardOf(this.#page, this.#t("settings.restore.title"));
  }

  /** Asks for it, and confirms. */
  async restoreNetwork(): Promise<void> {
    await this.restore.getByRole("button", { name: this.#t("settings.restore.button") }).click();
    const dialog = this.#page.getByRole("dialog");
    await dialog.getByRole("button", { name: this.#t("settings.restore.confirm"), exact: true }).click();
  }
}
