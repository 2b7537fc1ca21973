import type { Locator, Page } from "playwright";
import type { Translate } from "../../src-shared/text/translate.ts";
import { cardOf } from "./card.ts";

export type HopName = "internet" | "provider" | "carrier" | "second-router" | "home-router" | "computer";

export class NetworkPage {
  readonly #page: Page;
  readonly #t: Translate;

  constructor(page: Page, t: Translate) {
    this.#page = page;
    this.#t = t;
  }

  /** The sentence that answers how guests come in. */
  get answer(): Locator {
    return this.#page.locator(".answer-sentence");
  }

  get chain(): Locator {
    return cardOf(this.#page, this.#t("network.chain.title"));
  }

  /** The hops by their names, from the internet inwards. */
  hops(): Promise<string[]> {
    return this.chain.getByRole("list").first().getByRole("heading").allTextContents();
  }

  hop(name: HopName): Locator {
    const heading = this.#page.getByRole("heading", { name: this.#t(`network.chain.${name}`), exact: true });
    return this.chain.getByRole("listitem").filter({ has: heading });
  }

  get advice(): Locator {
    return cardOf(this.#page, this.#t("network.fixes"));
  }

  get proof(): Locator {
    return cardOf(this.#page, this.#t("network.proof.title"));
  }

  get mapping(): Locator {
    return cardOf(this.#page, this.#t("network.mapping.title"));
  }

  get ipv6(): Locator {
    return cardOf(this.#page, this.#t("network.ipv6.title"));
  }

  get relay(): Locator {
    return cardOf(this.#page, this.#t("network.relay.title"));
  }
}
