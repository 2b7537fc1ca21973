/** The panel as somebody uses it who sees and hears it: by roles and names, in the language that is set. */
import type { Locator, Page } from "playwright";
import type { Language } from "../../src-shared/text/language.ts";
import { createTranslator, type Translate } from "../../src-shared/text/translate.ts";
import { ClientsPage } from "./clients-page.ts";
import { HealthPage } from "./health-page.ts";
import { NetworkPage } from "./network-page.ts";
import { OverviewPage } from "./overview-page.ts";
import { PrivacyPage } from "./privacy-page.ts";
import { SettingsPage } from "./settings-page.ts";
import { WelcomePage } from "./welcome-page.ts";

export const SCREENS = ["overview", "clients", "network", "privacy", "health", "settings"] as const;
export type ScreenName = (typeof SCREENS)[number];

export class Panel {
  readonly page: Page;
  readonly t: Translate;
  readonly overview: OverviewPage;
  readonly clients: ClientsPage;
  readonly network: NetworkPage;
  readonly privacy: PrivacyPage;
  readonly health: HealthPage;
  readonly settings: SettingsPage;
  readonly welcome: WelcomePage;

  constructor(page: Page, language: Language = "en") {
    this.page = page;
    const t = createTranslator(language);
    this.t = t;
    this.overview = new OverviewPage(page, t);
    this.clients = new ClientsPage(page, t);
    this.network = new NetworkPage(page, t);
    this.privacy = new PrivacyPage(page, t);
    this.health = new HealthPage(page, t);
    this.settings = new SettingsPage(page, t);
    this.welcome = new WelcomePage(page, t);
  }

  get navigation(): Locator {
    return this.page.getByRole("navigation", { name: this.t("common.menu") });
  }

  link(screen: ScreenName): Locator {
    return this.navigation.getByRole("link", { name: this.t(`common.nav.${screen}`), exact: true });
  }

  /** Goes to a screen as an owner does, and waits until it is there. */
  async goTo(screen: ScreenName): Promise<void> {
    await this.link(screen).click();
    await this.screen(screen).waitFor();
  }

  /** The heading by which a screen is known; the overview's is the node's headline. */
  screen(screen: ScreenName): Locator {
    if (screen === "overview") return this.overview.headline;
    return this.page.getByRole("heading", { level: 1, name: this.t(`${screen}.title`), exact: true });
  }

  /** What is told above every screen: the lost connection, the last call that failed. */
  get alerts(): Locator {
    return this.page.getByRole("alert");
  }

  /** The short text that is shown for a moment. */
  notice(text: string): Locator {
    return this.page.getByRole("status").getByText(text, { exact: true });
  }

  get dialog(): Locator {
    return this.page.getByRole("dialog");
  }
}
