/** The first minutes: permission, a test whether guests get in, and a first client. */
import { useEffect, useRef, useState } from "react";
import { goTo, hrefOf } from "../../app/route.ts";
import { Banner } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card, Screen } from "../../components/card.tsx";
import { classNames } from "../../components/class-names.ts";
import { CheckIcon, LockIcon } from "../../components/icons.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useActions, useConnected, usePanel } from "../../store/hooks.ts";
import { AddClientForm } from "../clients/add-client.tsx";
import "./welcome.css";
import { doneSteps, reachOf, STEPS, type Step } from "./welcome-view.ts";

export function WelcomeScreen() {
  const { t } = useI18n();
  const { setSettings, showProblem } = useActions();
  const node = usePanel((state) => state.node?.value);
  const clients = usePanel((state) => state.clients?.value.length ?? 0);
  const done = doneSteps(node, clients);
  const [step, setStep] = useState<Step>("permission");
  const at = STEPS.indexOf(step);
  const next = useRef<HTMLButtonElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const shown = useRef(step);
  // Another step is read from its beginning.
  useEffect(() => {
    if (shown.current !== step) content.current?.focus();
    shown.current = step;
  }, [step]);
  // The button that was pressed is gone once its step is done: the keyboard goes on with the next one.
  const isDone = done.has(step);
  useEffect(() => {
    if (isDone && document.activeElement === document.body) next.current?.focus();
  }, [isDone]);

  // What nobody outside could try is not done, and no reason to stay.
  const mayGoOn = isDone || (step === "reach" && reachOf(node).outcome === "unproven");

  async function leave() {
    const saved = await setSettings({ welcomed: true });
    if (!saved.ok) showProblem(saved.error);
    goTo("overview");
  }
  const before = STEPS[at - 1];
  const after = STEPS[at + 1];
  return (
    <Screen title={t("welcome.title")} lead={t("welcome.lead")}>
      <ol className="steps">
        {STEPS.map((each, number) => (
          <li key={each}>
            <button
              type="button"
              className={classNames("step", done.has(each) && "step-done")}
              aria-current={each === step ? "step" : undefined}
              onClick={() => setStep(each)}
            >
              <span className="step-number">{done.has(each) ? <CheckIcon /> : number + 1}</span>
              <span>{t(`welcome.steps.${each}`)}</span>
              {done.has(each) && <span className="hidden">, {t("welcome.done")}</span>}
            </button>
          </li>
        ))}
      </ol>
      <div ref={content} tabIndex={-1} className="step-content">
        {step === "permission" && <PermissionStep />}
        {step === "reach" && <ReachStep />}
        {step === "client" && <ClientStep />}
      </div>
      <div className="actions">
        <Button variant="quiet" className="push-left" onClick={() => void leave()}>
          {t("welcome.skip")}
        </Button>
        {before !== undefined && <Button onClick={() => setStep(before)}>{t("common.action.back")}</Button>}
        {after !== undefined ? (
          <Button ref={next} variant={mayGoOn ? "primary" : "secondary"} onClick={() => setStep(after)}>
            {t("common.action.continue")}
          </Button>
        ) : (
          <Button ref={next} variant={mayGoOn ? "primary" : "secondary"} onClick={() => void leave()}>
            {t("welcome.finish")}
          </Button>
        )}
      </div>
    </Screen>
  );
}

function PermissionStep() {
  const { t } = useI18n();
  const { explain } = useExplain();
  const { share } = useActions();
  const connected = useConnected();
  const node = usePanel((state) => state.node?.value.node);
  const asked = usePanel((state) => state.predictions.share !== undefined);
  const working = asked || node?.phase === "starting";
  const on = node !== undefined && PERMITTED_PHASES.has(node.phase);
  return (
    <Card title={t("welcome.permission.title")}>
      <div className="stack">
        <p>{t("welcome.permission.text")}</p>
        <p className="welcome-private">
          <LockIcon />
          <span>{t("welcome.permission.private")}</span>
        </p>
        <div role="status">
          {on && <Banner tone="good">{t("welcome.permission.on")}</Banner>}
          {node?.phase === "starting" && <p className="soft">{t(`headline.step.${node.step}`)}</p>}
        </div>
        {node?.phase === "failed" && (
          <Banner tone="attention" title={t("welcome.permission.failed")} urgent>
            {explain(node.error)}
          </Banner>
        )}
        {!on && (
          <div>
            <Button variant="primary" busy={working} disabled={!connected} onClick={() => void share(true)}>
              {working ? t("welcome.permission.working") : t("welcome.permission.action")}
            </Button>
          </div>
        )}
      </div>
    </Card>
  );
}

/** Phases in which the owner's permission was given. */
const PERMITTED_PHASES: ReadonlySet<string> = new Set(["running", "degraded", "recovering"]);

function ReachStep() {
  const { t } = useI18n();
  const { explain } = useExplain();
  const node = usePanel((state) => state.node?.value);
  const { outcome, tone } = reachOf(node);
  const why = node?.reachability.state === "unreachable" ? explain(node.reachability.reason) : undefined;
  return (
    <Card title={t("welcome.reach.title")}>
      <div className="stack">
        <p>{t("welcome.reach.text")}</p>
        <div role="status">
          {outcome === "off" || outcome === "waiting" ? (
            <Banner tone={tone}>{t(`welcome.reach.${outcome}`)}</Banner>
          ) : (
            <Banner tone={tone} title={t(`welcome.reach.${outcome}`)}>
              <p>{t(`welcome.reach.${outcome}Detail`)}</p>
              {why !== undefined && <p className="small">{why}</p>}
            </Banner>
          )}
        </div>
        {(outcome === "none" || outcome === "relay") && <a href={hrefOf("network")}>{t("welcome.reach.more")}</a>}
      </div>
    </Card>
  );
}

function ClientStep() {
  const { t } = useI18n();
  const clients = usePanel((state) => state.clients?.value.length ?? 0);
  const off = usePanel((state) => reachOf(state.node?.value).outcome === "off");
  return (
    <Card title={t("welcome.client.title")}>
      <div className="stack">
        <p>{t("welcome.client.text")}</p>
        {off && <Banner tone="info">{t("welcome.client.off")}</Banner>}
        {clients > 0 && (
          <Banner tone="good" title={t("welcome.client.added", { count: clients })}>
            {t("welcome.client.another")}
          </Banner>
        )}
        {!off && <AddClientForm onAdded={() => {}} />}
      </div>
    </Card>
  );
}
