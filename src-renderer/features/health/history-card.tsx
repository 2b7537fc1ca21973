/** What has gone wrong and what was done about it, newest first, page by page. */
import { useCallback, useEffect, useState } from "react";
import type { HealthEvent } from "../../../src-shared/model/health.ts";
import type { HiggsError } from "../../../src-shared/result.ts";
import { Badge } from "../../components/badge.tsx";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { CheckIcon } from "../../components/icons.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import { Spinner } from "../../components/spinner.tsx";
import type { Tone } from "../../components/tone.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useActions, useConnected, usePanel } from "../../store/hooks.ts";
import { type EventGroup, groupEvents, mergeEvents } from "./history-view.ts";
import { stepText } from "./recovery-card.tsx";

/** A page that is read at a glance. */
const PAGE_EVENTS = 10;

const TONES: Readonly<Record<HealthEvent["kind"], Tone>> = {
  unhealthy: "bad",
  healthy: "good",
  "recovery-step": "busy",
  recovered: "good",
  "recovery-failed": "attention",
  woke: "info",
  "clock-jumped": "info",
};

interface Held {
  readonly events: readonly HealthEvent[];
  readonly more: boolean;
  readonly busy: boolean;
  readonly error: HiggsError | undefined;
  readonly loaded: boolean;
}

const NOTHING: Held = { events: [], more: false, busy: false, error: undefined, loaded: false };

export function HistoryCard() {
  const { t } = useI18n();
  const { call } = useActions();
  const connected = useConnected();
  const fresh = usePanel((state) => state.healthEvents);
  const [held, setHeld] = useState(NOTHING);

  const load = useCallback(
    async (before: number | undefined) => {
      setHeld((now) => ({ ...now, busy: true, error: undefined }));
      const answer = await call("health.history", {
        limit: PAGE_EVENTS,
        ...(before === undefined ? {} : { before }),
      });
      setHeld((now) =>
        answer.ok
          ? {
              events: mergeEvents(now.events, answer.value.events),
              more: answer.value.more,
              busy: false,
              error: undefined,
              loaded: true,
            }
          : { ...now, busy: false, error: answer.error },
      );
    },
    [call],
  );
  useEffect(() => {
    if (connected) void load(undefined);
  }, [connected, load]);

  const events = mergeEvents(fresh, held.events);
  return (
    <Card title={t("health.history.title")}>
      <div className="stack">
        {held.error !== undefined && <ErrorNote error={held.error} onRetry={() => void load(undefined)} />}
        {!held.loaded && held.busy && <Spinner label={t("health.history.loading")} />}
        {held.loaded && events.length === 0 && <EmptyState icon={CheckIcon} title={t("health.history.empty")} />}
        {events.length > 0 && (
          <ol className="event-list">
            {groupEvents(events).map((group) => (
              <EventRow key={group.event.id} group={group} />
            ))}
          </ol>
        )}
        {held.more && (
          <div className="row">
            <Button busy={held.busy} disabled={!connected} onClick={() => void load(events.at(-1)?.id)}>
              {t("health.history.more")}
            </Button>
          </div>
        )}
      </div>
    </Card>
  );
}

function EventRow({ group }: { group: EventGroup }) {
  const { event, errorIsKnown } = group;
  const i18n = useI18n();
  const { t } = i18n;
  const { explain } = useExplain();
  return (
    <li className="event">
      <div className="event-head">
        <Badge tone={TONES[event.kind]}>{t(`health.history.kind.${event.kind}`)}</Badge>
        <strong>{event.fact === null ? t("health.history.machine") : t(`health.facts.name.${event.fact}`)}</strong>
        <span className="field-hint event-time">
          <RelativeTime at={event.at} />
        </span>
      </div>
      <p className="field-hint">{detailsOf(group, i18n).join(" · ")}</p>
      {event.error !== null && !errorIsKnown && <p className="event-error">{explain(event.error)}</p>}
    </li>
  );
}

function detailsOf({ event, attempts }: EventGroup, { t, format }: I18n): string[] {
  const { kind, step, attempt, durationMs } = event;
  if (attempts > 1) {
    return [...(step === null ? [] : [stepText(step, t)]), t("health.history.tried", { count: attempts })];
  }
  return [
    ...(step === null ? [] : [stepText(step, t)]),
    ...(attempt === null ? [] : [t("health.history.attempt", { attempt })]),
    ...(durationMs === null ? [] : [t(durationKey(kind), { duration: format.duration(durationMs) })]),
  ];
}

function durationKey(kind: HealthEvent["kind"]) {
  if (kind === "woke") return "health.history.asleep";
  return kind === "recovery-step" ? "health.history.took" : "health.history.lasted";
}
