/** What guests cannot reach: the home network, apart from the owner's exceptions, and the ports of spam. */
import { type FormEvent, useState } from "react";
import type { Settings } from "../../../src-shared/model/settings.ts";
import type { HiggsError } from "../../../src-shared/result.ts";
import { Badge } from "../../components/badge.tsx";
import { ErrorNote } from "../../components/banner.tsx";
import { Button, IconButton } from "../../components/button.tsx";
import { Card, Disclosure } from "../../components/card.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { LockIcon, PlusIcon, TrashIcon } from "../../components/icons.tsx";
import { RadioRows } from "../../components/radio-rows.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { useActions, useConnected, useSetting } from "../../store/hooks.ts";
import {
  destinationText,
  type Exception,
  type ExceptionDraft,
  type ExceptionProblem,
  isSame,
  MAX_EXCEPTIONS,
  parseException,
} from "./exception-form.ts";

const PRESETS: readonly Settings["blockedPorts"][] = ["standard", "strict", "none"];

export function GuestsCard() {
  const { t } = useI18n();
  const { setSettings } = useActions();
  const connected = useConnected();
  const ports = useSetting("blockedPorts");
  const exceptions = useSetting("allowedDestinations");
  const [error, setError] = useState<HiggsError>();
  async function change(changes: Partial<Settings>): Promise<boolean> {
    const answer = await setSettings(changes);
    setError(answer.ok ? undefined : answer.error);
    return answer.ok;
  }
  return (
    <Card title={t("privacy.guests.title")}>
      <div className="stack">
        {error !== undefined && <ErrorNote error={error} />}
        <div className="part part-first">
          <div className="row">
            <h3>{t("privacy.guests.home")}</h3>
            {exceptions.value.length === 0 ? (
              <Badge tone="good" icon={LockIcon}>
                {t("privacy.guests.homeState")}
              </Badge>
            ) : (
              <Badge tone="info" icon={LockIcon}>
                {t("privacy.guests.homeStateExcept", { count: exceptions.value.length })}
              </Badge>
            )}
          </div>
          <p className="field-hint">{t("privacy.guests.homeDetail")}</p>
          <Exceptions
            exceptions={exceptions.value}
            waiting={exceptions.predicted}
            onChange={(allowedDestinations) => change({ allowedDestinations })}
          />
        </div>
        <div className="part">
          <h3>{t("privacy.guests.ports")}</h3>
          <p className="field-hint part-lead">{t("privacy.guests.portsHint")}</p>
          <RadioRows
            label={t("privacy.guests.ports")}
            value={ports.value}
            predicted={ports.predicted}
            disabled={!connected}
            options={PRESETS.map((value) => ({
              value,
              label: t(`privacy.guests.preset.${value}`),
              hint: t(`privacy.guests.presetHint.${value}`),
            }))}
            onChange={(blockedPorts) => void change({ blockedPorts })}
          />
        </div>
      </div>
    </Card>
  );
}

interface ExceptionsProps {
  readonly exceptions: readonly Exception[];
  readonly waiting: boolean;
  /** Resolves whether the node took it. */
  readonly onChange: (exceptions: Exception[]) => Promise<boolean>;
}

function Exceptions({ exceptions, waiting, onChange }: ExceptionsProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const connected = useConnected();
  return (
    <div className="exceptions">
      <h4>{t("privacy.guests.exceptions")}</h4>
      {exceptions.length === 0 ? (
        <p className="field-hint">{t("privacy.guests.noExceptions")}</p>
      ) : (
        <ul className={waiting ? "exception-list predicted" : "exception-list"}>
          {exceptions.map((exception) => {
            const name = exceptionText(exception, i18n);
            return (
              <li key={name}>
                <span>{name}</span>
                <IconButton
                  icon={TrashIcon}
                  danger
                  label={t("privacy.guests.removeNamed", { name })}
                  disabled={!connected || waiting}
                  onClick={() => void onChange(exceptions.filter((other) => !isSame(other, exception)))}
                />
              </li>
            );
          })}
        </ul>
      )}
      <Disclosure summary={t("privacy.guests.addTitle")}>
        <AddException
          present={exceptions}
          waiting={waiting}
          onAdd={(exception) => onChange([...exceptions, exception])}
        />
      </Disclosure>
    </div>
  );
}

function exceptionText({ destination, protocol, port }: Exception, { t }: I18n): string {
  const name = protocol?.toUpperCase() ?? "";
  const what =
    protocol === undefined
      ? t("privacy.guests.anyPort")
      : port === undefined
        ? t("privacy.guests.exceptionProtocol", { protocol: name })
        : t("privacy.guests.exceptionPort", { protocol: name, port });
  return `${destinationText(destination)} – ${what}`;
}

const EMPTY: ExceptionDraft = { destination: "", protocol: "any", port: "" };

interface AddExceptionProps {
  readonly present: readonly Exception[];
  readonly waiting: boolean;
  readonly onAdd: (exception: Exception) => Promise<boolean>;
}

function AddException({ present, waiting, onAdd }: AddExceptionProps) {
  const { t } = useI18n();
  const connected = useConnected();
  const [draft, setDraft] = useState(EMPTY);
  const [problem, setProblem] = useState<ExceptionProblem>();
  function edit(changes: Partial<ExceptionDraft>) {
    setDraft({ ...draft, ...changes });
    setProblem(undefined);
  }
  async function add(event: FormEvent) {
    event.preventDefault();
    const parsed = parseException(draft, present);
    setProblem(parsed.ok ? undefined : parsed.problem);
    if (parsed.ok && (await onAdd(parsed.value))) setDraft(EMPTY);
  }
  const errorOf = (field: ExceptionProblem["field"]) =>
    problem?.field === field ? t(`privacy.guests.${problem.key}`, { max: MAX_EXCEPTIONS }) : undefined;
  return (
    <form className="exception-form" onSubmit={(event) => void add(event)} noValidate>
      <TextField
        label={t("privacy.guests.addAddress")}
        hint={t("privacy.guests.addAddressHint")}
        error={errorOf("destination")}
        value={draft.destination}
        maxLength={64}
        onChange={(destination) => edit({ destination })}
      />
      <SelectField
        label={t("privacy.guests.addProtocol")}
        error={errorOf("protocol")}
        value={draft.protocol}
        options={[
          { value: "any", label: t("privacy.guests.anyProtocol") },
          { value: "tcp", label: "TCP" },
          { value: "udp", label: "UDP" },
        ]}
        onChange={(protocol) => edit({ protocol })}
      />
      <TextField
        label={t("privacy.guests.addPort")}
        hint={t("privacy.guests.addPortHint")}
        error={errorOf("port")}
        value={draft.port}
        inputMode="numeric"
        maxLength={5}
        onChange={(port) => edit({ port })}
      />
      <Button type="submit" icon={PlusIcon} busy={waiting} disabled={!connected}>
        {waiting ? t("privacy.guests.adding") : t("privacy.guests.add")}
      </Button>
    </form>
  );
}
