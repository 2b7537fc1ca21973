import type { Locator, Page } from "playwright";
import type { Translate } from "../../src-shared/text/translate.ts";
import { cardOf } from "./card.ts";

export type PrivacySwitch = "logMetadata" | "logDNS" | "logTraffic" | "anonymizeIPs";

export class PrivacyPage {
  readonly #page: Page;
  readonly #t: Translate;

  constructor(page: Page, t: Translate) {
    this.#page = page;
    this.#t = t;
  }

  /** The sentence that answers what is kept. */
  get answer(): Locator {
    return this.#page.locator(".answer-sentence");
  }

  switch(key: PrivacySwitch): Locator {
    return this.#page.getByRole("switch", { name: this.#t(`privacy.record.${key}`) });
  }

  get retention(): Locator {
    return this.#page.getByRole("textbox", { name: this.#t("privacy.record.maxLogRetention") });
  }

  async saveRetention(): Promise<void> {
    await this.#page.getByRole("button", { name: this.#t("privacy.record.save"), exact: true }).click();
  }

  get pause(): Locator {
    return this.#page.getByRole("button", { name: this.#t("privacy.pause.pause") });
  }

  get resume(): Locator {
    return this.#page.getByRole("button", { name: this.#t("privacy.pause.resume") });
  }

  get stored(): Locator {
    return cardOf(this.#page, this.#t("privacy.stored.title"));
  }

  get log(): Locator {
    return cardOf(this.#page, this.#t("privacy.log.title"));
  }

  get search(): Locator {
    return this.log.getByRole("searchbox");
  }

  async chooseKind(kind: "connections" | "dns" | "traffic"): Promise<void> {
    await this.log.getByRole("combobox", { name: this.#t("privacy.log.kind") }).selectOption(kind);
  }

  get guests(): Locator {
    return cardOf(this.#page, this.#t("privacy.guests.title"));
  }

  preset(preset: "none" | "standard" | "strict"): Locator {
    return this.guests.getByRole("radio", { name: this.#t(`privacy.guests.preset.${preset}`) });
  }

  get dialog(): Locator {
    return this.#page.getByRole("dialog");
  }

  /** Deletes everything; what is left on screen is the proof. */
  async purge(): Promise<void> {
    await this.#page.getByRole("button", { name: this.#t("privacy.purge.button") }).click();
    await this.dialog.getByRole("button", { name: this.#t("privacy.purge.confirm") }).click();
    await this.dialog.getByText(this.#t("privacy.purge.before"), { exact: true }).waitFor();
  }
}
