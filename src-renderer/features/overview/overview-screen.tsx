/** Is my node working, and what is it doing? */
import { type ExitState, exitOf, type NodeState } from "../../../src-shared/model/node-state.ts";
import { hrefOf } from "../../app/route.ts";
import { Badge } from "../../components/badge.tsx";
import { Banner } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card, Disclosure, Facts } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { RelayIcon } from "../../components/icons.tsx";
import { ToneSign } from "../../components/tone.tsx";
import { useNow } from "../../components/use-now.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useActions, usePanel } from "../../store/hooks.ts";
import "./overview.css";
import { detailsOf, endpointOf, type Hero, heroOf, type Words, wayOf } from "./overview-view.ts";
import { ShareSwitch } from "./share-switch.tsx";
import { TotalsCard } from "./totals-card.tsx";
import { TrafficCard } from "./traffic-card.tsx";

export function OverviewScreen() {
  const words = useWords();
  const connection = usePanel((state) => state.connection);
  const node = usePanel((state) => state.node?.value);
  const asked = usePanel((state) => state.predictions.share?.value as boolean | undefined);
  const hero = heroOf({ connection, node, asked }, words);
  const exit = node === undefined ? undefined : exitOf(node.node);
  return (
    <div className="screen">
      <FirstSteps />
      <HeroCard hero={hero} />
      {node !== undefined && exit !== undefined && (
        <div className="columns">
          <EndpointCard exit={exit} />
          <WayCard node={node} exit={exit} words={words} />
        </div>
      )}
      {node !== undefined && (
        <>
          <TrafficCard />
          <div className="columns">
            <TotalsCard />
            {exit !== undefined && <DetailsCard node={node} words={words} />}
          </div>
        </>
      )}
    </div>
  );
}

function useWords(): Words {
  const { t, format } = useI18n();
  const { explain } = useExplain();
  return { t, format, explain };
}

function HeroCard({ hero }: { hero: Hero }) {
  const { t } = useI18n();
  const { share } = useActions();
  return (
    <Card className="hero">
      <ToneSign tone={hero.tone} />
      <div className="hero-words" role="status">
        <h1>{hero.sentence}</h1>
        {hero.detail !== undefined && <p className="lead">{hero.detail}</p>}
        {hero.problems.length > 0 && (
          <ul className="hero-problems" aria-label={t("overview.problems")}>
            {hero.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        )}
      </div>
      <ShareSwitch toggle={hero.toggle} />
      {(hero.retry || hero.toHealth) && (
        <div className="hero-actions">
          {hero.retry && (
            <Button variant="primary" onClick={() => void share(true)} disabled={!hero.toggle.enabled}>
              {t("overview.retry")}
            </Button>
          )}
          {hero.toHealth && <a href={hrefOf("health")}>{t("overview.toHealth")}</a>}
        </div>
      )}
    </Card>
  );
}

function EndpointCard({ exit }: { exit: ExitState }) {
  const { t } = useI18n();
  const endpoint = endpointOf(exit, t);
  return (
    <Card title={t("overview.endpoint.title")}>
      <div className="endpoint">
        {endpoint.copyable ? <code>{endpoint.text}</code> : <span>{endpoint.text}</span>}
        {endpoint.copyable && <CopyButton text={endpoint.text} what={t("overview.endpoint.what")} />}
      </div>
      <p className="soft small">{endpoint.note}</p>
      {endpoint.ipv6 !== undefined && (
        <div className="endpoint endpoint-second">
          <span className="soft small">{t("overview.endpoint.over6")}</span>
          <code>{endpoint.ipv6}</code>
          <CopyButton text={endpoint.ipv6} what={t("overview.endpoint.what6")} />
        </div>
      )}
    </Card>
  );
}

function WayCard({ node, exit, words }: { node: NodeState; exit: ExitState; words: Words }) {
  const { t } = words;
  const view = wayOf(node, exit, words);
  return (
    <Card title={t("overview.way.title")}>
      <div className="stack-small">
        <div>
          <Badge tone={view.tone} {...(view.way === "relay" ? { icon: RelayIcon } : {})}>
            {view.label}
          </Badge>
        </div>
        <p>{view.detail}</p>
        {view.why !== undefined && <p className="soft small">{view.why}</p>}
        <a href={hrefOf("network")}>{t("overview.way.more")}</a>
      </div>
    </Card>
  );
}

function DetailsCard({ node, words }: { node: NodeState; words: Words }) {
  const { t } = words;
  const nowMs = useNow();
  const [since, clients, ...technical] = detailsOf(node, nowMs, words);
  const nobody = usePanel((state) => state.clients?.value.length === 0);
  return (
    <Card title={t("overview.details.title")}>
      <Facts items={[since, clients].filter((item) => item !== undefined)} />
      {nobody && (
        <p className="after-facts">
          <a href={hrefOf("clients")}>{t("overview.details.addClient")}</a>
        </p>
      )}
      <Disclosure summary={t("overview.details.more")}>
        <Facts items={technical} />
      </Disclosure>
    </Card>
  );
}

/** For an owner who has not gone through the welcome. */
function FirstSteps() {
  const { t } = useI18n();
  const welcomed = usePanel((state) => state.settings?.value.welcomed ?? true);
  // Somebody who shares with guests has found the way by themselves, such as on the command line.
  const begun = usePanel(({ clients, node }) => clients?.value.length !== 0 && node?.value.node.phase !== "stopped");
  if (welcomed || begun) return null;
  return (
    <Banner
      tone="info"
      title={t("overview.firstSteps")}
      action={
        <a className="button button-primary" href={hrefOf("welcome")}>
          {t("overview.firstStepsAction")}
        </a>
      }
    >
      {t("overview.firstStepsDetail")}
    </Banner>
  );
}
