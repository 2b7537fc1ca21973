/** The page: navigation, what concerns every screen, and the screen. */
import { lazy, Suspense, useEffect, useRef } from "react";
import { Banner } from "../components/banner.tsx";
import { Button } from "../components/button.tsx";
import { Spinner } from "../components/spinner.tsx";
import { I18nProvider, useI18n } from "../i18n/i18n.tsx";
import { useExplain } from "../i18n/use-explain.ts";
import { useActions, usePanel } from "../store/hooks.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Navigation } from "./navigation.tsx";
import { type Route, useRoute } from "./route.ts";
import { SCREENS } from "./screens.tsx";
import { useFirstRun } from "./use-first-run.ts";
import { useTheme } from "./use-theme.ts";

const ConfigDialog = lazy(() => import("../features/clients/config-dialog.tsx"));

export function App() {
  return (
    <I18nProvider>
      <Shell />
    </I18nProvider>
  );
}

function Shell() {
  const { t } = useI18n();
  const route = useRoute();
  const lost = usePanel((state) => state.connection === "lost");
  const main = useScreenChange(route);
  useTheme();
  useFirstRun();
  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        {t("common.skip")}
      </button>
      <Navigation />
      <main ref={main} id="main" tabIndex={-1} className={lost ? "stale" : undefined}>
        <Notices />
        <ErrorBoundary key={route} fallback={<Crashed />}>
          <Suspense fallback={<Spinner label={t("common.state.loading")} />}>
            <CurrentScreen route={route} />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Config />
      <Notice />
    </div>
  );
}

/** A configuration that is to be shown, whichever screen asked for it. */
function Config() {
  const config = usePanel((state) => state.config);
  return config === undefined ? null : (
    <Suspense fallback={null}>
      <ConfigDialog config={config} />
    </Suspense>
  );
}

function CurrentScreen({ route }: { route: Route }) {
  const Screen = SCREENS[route];
  return <Screen />;
}

/** Another screen begins at its top, with its name in the title, and with focus in it. */
function useScreenChange(route: Route) {
  const { t } = useI18n();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(route);
  useEffect(() => {
    document.title = `${t(`common.nav.${route}`)} · ${t("common.app")}`;
    if (shown.current === route) return;
    shown.current = route;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [route, t]);
  return main;
}

/** What concerns every screen: the connection, and the last call that failed. */
function Notices() {
  const { t } = useI18n();
  const { explain } = useExplain();
  const actions = useActions();
  const lost = usePanel((state) => state.connection === "lost");
  const problem = usePanel((state) => state.problem);
  return (
    <>
      {lost && (
        <Banner tone="attention" title={t("common.connection.lost")} urgent>
          {t("common.connection.lostDetail")}
        </Banner>
      )}
      {problem !== undefined && (
        <Banner
          tone="attention"
          title={t("common.problem")}
          urgent
          action={<Button onClick={() => actions.dismissProblem()}>{t("common.action.dismiss")}</Button>}
        >
          {explain(problem)}
        </Banner>
      )}
    </>
  );
}

/** The live region: a short text, shown for a moment and said by screen readers. */
function Notice() {
  const notice = usePanel((state) => state.notice);
  return (
    <div className="notice-place" role="status">
      {notice !== undefined && (
        <div key={notice.at} className="notice">
          {notice.text}
        </div>
      )}
    </div>
  );
}

function Crashed() {
  const { t } = useI18n();
  return (
    <Banner
      tone="bad"
      title={t("common.crashed")}
      urgent
      action={<Button onClick={() => window.location.reload()}>{t("common.reload")}</Button>}
    >
      {t("common.crashedDetail")}
    </Banner>
  );
}
