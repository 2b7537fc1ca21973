/** Why can a guest not reach an address? One packet, followed through every rule. */
import { type FormEvent, useState } from "react";
import type { FirewallTrace, FirewallTraceStep } from "../../../src-shared/model/firewall-trace.ts";
import { Badge } from "../../components/badge.tsx";
import { Banner, ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { FixText } from "../../components/error-text.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { SearchIcon } from "../../components/icons.tsx";
import { Records } from "../../components/records.tsx";
import type { Tone } from "../../components/tone.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useExplain } from "../../i18n/use-explain.ts";
import { useConnected, usePanel } from "../../store/hooks.ts";
import { useRequest } from "../../store/use-request.ts";
import { parseTrace, type TraceDraft, type TraceField } from "./trace-form.ts";
import { type TraceAnswer, traceAnswer } from "./trace-view.ts";

const VERDICT_TONES: Readonly<Record<TraceAnswer, Tone>> = {
  passes: "good",
  notHere: "attention",
  noneHere: "info",
  blocked: "bad",
  unclear: "attention",
};

const EFFECT_TONES: Readonly<Record<FirewallTraceStep["effect"], Tone>> = {
  passes: "good",
  drops: "bad",
  rejects: "bad",
  translates: "info",
  unclear: "unknown",
};

/** HTTPS: what guests most often mean. */
const EMPTY: TraceDraft = { client: "", to: "", port: "443", protocol: "tcp" };

export function TraceCard() {
  const { t } = useI18n();
  const clients = usePanel((state) => state.clients?.value) ?? [];
  const trace = useRequest("diagnose.trace");
  return (
    <Card title={t("health.trace.title")} hint={t("health.trace.lead")}>
      <div className="stack">
        {clients.length === 0 ? (
          <p className="field-hint">{t("health.trace.noClients")}</p>
        ) : (
          <TraceForm clients={clients} trace={trace} />
        )}
        {trace.error !== undefined && <ErrorNote error={trace.error} />}
        {trace.value !== undefined && trace.error === undefined && <TraceResult trace={trace.value} />}
      </div>
    </Card>
  );
}

interface TraceFormProps {
  readonly clients: readonly { readonly id: string; readonly name: string }[];
  readonly trace: ReturnType<typeof useRequest<"diagnose.trace">>;
}

function TraceForm({ clients, trace }: TraceFormProps) {
  const { t } = useI18n();
  const connected = useConnected();
  const [draft, setDraft] = useState(EMPTY);
  const [wrong, setWrong] = useState<ReadonlySet<TraceField>>(new Set());
  const client = clients.some(({ id }) => id === draft.client) ? draft.client : (clients[0]?.id ?? "");
  function submit(event: FormEvent) {
    event.preventDefault();
    const parsed = parseTrace({ ...draft, client });
    setWrong(parsed.ok ? new Set() : parsed.wrong);
    if (parsed.ok) void trace.run(parsed.query);
  }
  return (
    <form className="trace-form" onSubmit={submit} noValidate>
      <SelectField
        label={t("health.trace.client")}
        error={wrong.has("client") ? t("health.trace.clientMissing") : undefined}
        value={client}
        options={clients.map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(chosen) => setDraft({ ...draft, client: chosen })}
      />
      <TextField
        label={t("health.trace.to")}
        hint={t("health.trace.toHint")}
        error={wrong.has("to") ? t("health.trace.toInvalid") : undefined}
        value={draft.to}
        maxLength={64}
        onChange={(to) => setDraft({ ...draft, to })}
      />
      <TextField
        label={t("health.trace.port")}
        error={wrong.has("port") ? t("health.trace.portInvalid") : undefined}
        value={draft.port}
        inputMode="numeric"
        maxLength={5}
        onChange={(port) => setDraft({ ...draft, port })}
      />
      <SelectField
        label={t("health.trace.protocol")}
        value={draft.protocol}
        options={[
          { value: "tcp", label: "TCP" },
          { value: "udp", label: "UDP" },
        ]}
        onChange={(protocol) => setDraft({ ...draft, protocol })}
      />
      <Button type="submit" icon={SearchIcon} busy={trace.busy} disabled={!connected}>
        {trace.busy ? t("health.trace.running") : t("health.trace.run")}
      </Button>
    </form>
  );
}

function TraceResult({ trace }: { trace: FirewallTrace }) {
  const { reason, fix, steps, probe } = trace;
  const { t } = useI18n();
  const answer = traceAnswer(trace);
  const { text } = useExplain();
  return (
    <>
      <div role="status">
        <Banner tone={VERDICT_TONES[answer]} title={t(`health.trace.verdict.${answer}`)}>
          <p>{text(reason)}</p>
          {probe !== undefined && (
            <p>
              {t("health.trace.probe")} {t(`health.trace.probeOutcome.${probe.outcome}`)}. {text(probe.detail)}
            </p>
          )}
        </Banner>
      </div>
      {fix !== undefined && (
        <div className="check-fix">
          <strong>{t("health.trace.fix")}</strong>
          <FixText text={text(fix)} />
        </div>
      )}
      <h3>{t("health.trace.steps")}</h3>
      {steps.length === 0 ? <p className="field-hint">{t("health.trace.noSteps")}</p> : <TraceSteps steps={steps} />}
    </>
  );
}

function TraceSteps({ steps }: { steps: readonly FirewallTraceStep[] }) {
  const { t } = useI18n();
  const numbered = steps.map((step, at) => ({ ...step, at }));
  return (
    <Records
      label={t("health.trace.steps")}
      rows={numbered}
      rowKey={({ at }) => String(at)}
      columns={[
        { key: "place", header: t("health.trace.place"), cell: ({ place }) => place },
        { key: "rule", header: t("health.trace.rule"), cell: ({ rule }) => <code className="rule">{rule}</code> },
        { key: "owner", header: t("health.trace.owner"), cell: ({ owner }) => <Owner owner={owner} /> },
        {
          key: "effect",
          header: t("health.trace.effect"),
          cell: ({ effect }) => <Badge tone={EFFECT_TONES[effect]}>{t(`health.trace.effects.${effect}`)}</Badge>,
        },
      ]}
    />
  );
}

/** Proper names stay as they are; what is a word is translated. */
function Owner({ owner }: { owner: string }) {
  const { t } = useI18n();
  switch (owner) {
    case "another program":
      return t("health.trace.ownerOther");
    case "policy":
      return t("health.trace.ownerPolicy");
    case "kernel":
      return t("health.trace.ownerKernel");
    default:
      return owner;
  }
}
