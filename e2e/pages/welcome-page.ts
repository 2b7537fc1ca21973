import type { Locator, Page } from "playwright";
import type { Translate } from "../../src-shared/text/translate.ts";

export type WelcomeStep = "permission" | "reach" | "client";

export class WelcomePage {
  readonly #page: Page;
  readonly #t: Translate;

  constructor(page: Page, t: Translate) {
    this.#page = page;
    this.#t = t;
  }

  get title(): Locator {
    return this.#page.getByRole("heading", { level: 1, name: this.#t("welcome.title") });
  }

  /** The step's button; its name says so when it is done. */
  step(step: WelcomeStep): Locator {
    return this.#page.getByRole("listitem").getByRole("button", { name: this.#t(`welcome.steps.${step}`) });
  }

  async isDone(step: WelcomeStep): Promise<boolean> {
    return (await this.step(step).innerText()).includes(this.#t("welcome.done"));
  }

  get share(): Locator {
    return this.#page.getByRole("button", { name: this.#t("welcome.permission.action") });
  }

  get next(): Locator {
    return this.#page.getByRole("button", { name: this.#t("common.action.continue"), exact: true });
  }

  get finish(): Locator {
    return this.#page.getByRole("button", { name: this.#t("welcome.finish"), exact: true });
  }

  get skip(): Locator {
    return this.#page.getByRole("button", { name: this.#t("welcome.skip"), exact: true });
  }

  get clientName(): Locator {
    return this.#page.getByRole("textbox", { name: this.#t("clients.add.name") });
  }

  get addClient(): Locator {
    return this.#page.getByRole("button", { name: this.#t("clients.add.submit"), exact: true });
  }
}
