import type { Locator, Page } from "playwright";
import type { HealthFactCode } from "../../src-shared/model/health.ts";
import type { Translate } from "../../src-shared/text/translate.ts";
import { cardOf } from "./card.ts";

export class HealthPage {
  readonly #page: Page;
  readonly #t: Translate;

  constructor(page: Page, t: Translate) {
    this.#page = page;
    this.#t = t;
  }

  /** The sentence that answers whether something is wrong. */
  get answer(): Locator {
    return this.#page.locator(".answer-sentence");
  }

  get recovery(): Locator {
    return cardOf(this.#page, this.#t("health.recovery.title"));
  }

  get facts(): Locator {
    return cardOf(this.#page, this.#t("health.facts.title"));
  }

  /** A fact's own row; a symptom's row lies within that of its cause. */
  fact(code: HealthFactCode): Locator {
    const name = this.#t(`health.facts.name.${code}`);
    const heading = this.#page.getByRole("heading", { name, exact: true });
    return this.facts.getByRole("listitem").filter({ has: heading }).last();
  }

  get diagnosis(): Locator {
    return cardOf(this.#page, this.#t("health.diagnose.title"));
  }

  get runDiagnosis(): Locator {
    return this.diagnosis.getByRole("button", { name: this.#t("health.diagnose.run") });
  }

  get runAgain(): Locator {
    return this.diagnosis.getByRole("button", { name: this.#t("health.diagnose.again") });
  }

  get cancelDiagnosis(): Locator {
    return this.diagnosis.getByRole("button", { name: this.#t("health.diagnose.cancel") });
  }

  get progress(): Locator {
    return this.diagnosis.getByRole("progressbar");
  }

  get selfTest(): Locator {
    return cardOf(this.#page, this.#t("health.selfTest.title"));
  }

  get trace(): Locator {
    return cardOf(this.#page, this.#t("health.trace.title"));
  }

  get report(): Locator {
    return cardOf(this.#page, this.#t("health.report.title"));
  }

  async makeReport(): Promise<void> {
    await this.report.getByRole("button", { name: this.#t("health.report.make") }).click();
  }

  get reportText(): Locator {
    return this.report.getByRole("textbox", { name: this.#t("health.report.previewLabel") });
  }

  get uptime(): Locator {
    return cardOf(this.#page, this.#t("health.uptime.title"));
  }

  get history(): Locator {
    return cardOf(this.#page, this.#t("health.history.title"));
  }
}
