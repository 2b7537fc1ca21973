import type { Locator, Page } from "playwright";
import type { Translate } from "../../src-shared/text/translate.ts";
import { cardOf } from "./card.ts";

export class OverviewPage {
  readonly #page: Page;
  readonly #t: Translate;

  constructor(page: Page, t: Translate) {
    this.#page = page;
    this.#t = t;
  }

  /** The one sentence that says how the node is doing. */
  get headline(): Locator {
    return this.#page.getByRole("status").getByRole("heading", { level: 1 });
  }

  /** The headline with what stands below it. */
  get answer(): Locator {
    return this.#page.getByRole("status").filter({ has: this.#page.getByRole("heading", { level: 1 }) });
  }

  get shareSwitch(): Locator {
    return this.#page.getByRole("switch", { name: this.#t("common.share.label") });
  }

  get endpoint(): Locator {
    return cardOf(this.#page, this.#t("overview.endpoint.title"));
  }

  get way(): Locator {
    return cardOf(this.#page, this.#t("overview.way.title"));
  }

  get traffic(): Locator {
    return cardOf(this.#page, this.#t("overview.chart.title"));
  }

  /** The chart; its name says in words what it shows. */
  get chart(): Locator {
    return this.traffic.getByRole("img");
  }

  get totals(): Locator {
    return cardOf(this.#page, this.#t("overview.totals.title"));
  }

  get retry(): Locator {
    return this.#page.getByRole("button", { name: this.#t("overview.retry") });
  }

  get toHealth(): Locator {
    return this.#page.getByRole("link", { name: this.#t("overview.toHealth") });
  }

  async chooseRange(range: "5min" | "1h" | "24h"): Promise<void> {
    await this.traffic.getByRole("radio", { name: this.#t(`overview.chart.ranges.${range}`), exact: true }).check();
  }
}
