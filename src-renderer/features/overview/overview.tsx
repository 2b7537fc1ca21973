/** Is my node working, and what is it doing? */
import { useEffect, useState } from "react";
import { useActions, usePanel, useTexts } from "../../components/context.ts";
import { ToneIcon } from "../../components/tone-icon.tsx";
import { useNow } from "../../components/use-now.ts";
import { type OverviewView, overviewOf } from "./overview-view.ts";

export function Overview() {
  const texts = useTexts();
  const connection = usePanel((state) => state.connection);
  const node = usePanel((state) => state.node?.value);
  const switching = usePanel((state) => state.switching);
  const view = overviewOf({ connection, node, switching, nowMs: useNow() }, texts);
  return (
    <>
      {view.lost && node !== undefined && (
        <div className="banner" role="alert">
          <strong>{texts.connection.lost}</strong> {texts.connection.lostDetail}
        </div>
      )}
      <section className={`card hero${view.lost ? " stale" : ""}`} aria-label={texts.app}>
        <ToneIcon tone={view.headline.tone} />
        <div className="hero-words" role="status">
          <h1>{view.headline.sentence}</h1>
          {view.headline.detail !== undefined && <p className="hero-detail">{view.headline.detail}</p>}
        </div>
        <ShareSwitch toggle={view.toggle} />
      </section>
      {view.endpoint !== undefined && (
        <div className={`columns${view.lost ? " stale" : ""}`}>
          <EndpointCard endpoint={view.endpoint} />
          <FactsCard facts={view.facts} />
        </div>
      )}
    </>
  );
}

function ShareSwitch({ toggle }: { toggle: OverviewView["toggle"] }) {
  const texts = useTexts();
  const actions = useActions();
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      aria-checked={toggle.on}
      aria-label={texts.share.label}
      title={toggle.on ? texts.share.turnOff : texts.share.turnOn}
      disabled={!toggle.enabled}
      onClick={() => void actions.share(!toggle.on)}
    >
      <span className="switch-knob" />
    </button>
  );
}

function EndpointCard({ endpoint }: { endpoint: NonNullable<OverviewView["endpoint"]> }) {
  const texts = useTexts();
  return (
    <section className="card" aria-labelledby="endpoint-title">
      <h2 id="endpoint-title">{texts.endpoint.title}</h2>
      <div className="endpoint">
        <code>{endpoint.text}</code>
        {endpoint.copyable && <CopyButton text={endpoint.text} />}
      </div>
      <p className="note">{endpoint.note}</p>
    </section>
  );
}

/** Long enough to be read, short enough not to be taken for the button's name. */
const COPIED_SHOWN_MS = 2_000;

function CopyButton({ text }: { text: string }) {
  const texts = useTexts();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="quiet"
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      <span aria-live="polite">{copied ? texts.endpoint.copied : texts.endpoint.copy}</span>
    </button>
  );
}

function FactsCard({ facts }: { facts: OverviewView["facts"] }) {
  const texts = useTexts();
  return (
    <section className="card" aria-labelledby="facts-title">
      <h2 id="facts-title">{texts.facts.title}</h2>
      <dl className="facts">
        {facts.map((fact) => (
          <div key={fact.label}>
            <dt>{fact.label}</dt>
            <dd>
              {fact.value}
              {fact.note !== undefined && <small>{fact.note}</small>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
