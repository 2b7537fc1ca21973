/** The way from screen to screen: at the side where there is room, at the bottom of a phone. */
import type { ComponentType } from "react";
import {
  ClientsIcon,
  HealthIcon,
  type IconProps,
  NetworkIcon,
  OverviewIcon,
  PrivacyIcon,
  SettingsIcon,
} from "../components/icons.tsx";
import { useI18n } from "../i18n/i18n.tsx";
import { usePanel } from "../store/hooks.ts";
import { hrefOf, type Route, useRoute } from "./route.ts";

const ENTRIES: readonly { readonly route: Exclude<Route, "welcome">; readonly icon: ComponentType<IconProps> }[] = [
  { route: "overview", icon: OverviewIcon },
  { route: "clients", icon: ClientsIcon },
  { route: "network", icon: NetworkIcon },
  { route: "privacy", icon: PrivacyIcon },
  { route: "health", icon: HealthIcon },
  { route: "settings", icon: SettingsIcon },
];

export function Navigation() {
  const { t } = useI18n();
  const shown = useRoute();
  const version = usePanel((state) => state.node?.value.version);
  return (
    <nav className="navigation" aria-label={t("common.menu")}>
      <div className="brand">
        <img src="./icon.svg" alt="" width="28" height="28" />
        <span>{t("common.app")}</span>
      </div>
      <ul>
        {ENTRIES.map(({ route, icon: Icon }) => (
          <li key={route}>
            <a href={hrefOf(route)} className="nav-link" aria-current={route === shown ? "page" : undefined}>
              <Icon />
              <span>{t(`common.nav.${route}`)}</span>
            </a>
          </li>
        ))}
      </ul>
      {version !== undefined && <div className="nav-foot">{t("common.version", { version })}</div>}
    </nav>
  );
}
