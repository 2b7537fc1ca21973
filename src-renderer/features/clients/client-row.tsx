/** One client: who, whether there, how fast, how much, since when, and what can be done. */
import type { Client } from "../../../src-shared/model/client.ts";
import { Badge } from "../../components/badge.tsx";
import { IconButton } from "../../components/button.tsx";
import {
  ArrowDownIcon,
  ArrowUpIcon,
  LimitIcon,
  PauseIcon,
  PlayIcon,
  QrIcon,
  RelayIcon,
  TrashIcon,
} from "../../components/icons.tsx";
import { UsageBar } from "../../components/progress.tsx";
import { useNow } from "../../components/use-now.ts";
import { useI18n } from "../../i18n/i18n.tsx";
import { useConnected, usePanel, usePredicted } from "../../store/hooks.ts";
import { limitLine, STATE_TONES, stateOf, usageOf } from "./client-view.ts";

export type RowAction = "show" | "limits" | "pause" | "resume" | "remove";

export interface ClientRowProps {
  readonly client: Client;
  readonly onAction: (action: RowAction, client: Client) => void;
}

export function ClientRow({ client: told, onAction }: ClientRowProps) {
  const { t, format } = useI18n();
  const paused = usePredicted(`client.${told.id}.paused`, told.paused);
  const client = paused.value === told.paused ? told : { ...told, paused: paused.value };
  const state = stateOf(client);
  const limits = limitLine(client, t, format);
  return (
    <>
      <th scope="row" className="cell-name">
        <span className="client-name">{client.name}</span>
        <span className="soft small">{limits ?? client.addresses[0]}</span>
      </th>
      <td className={paused.predicted ? "cell-state predicted" : "cell-state"}>
        <Badge tone={STATE_TONES[state]} {...(state === "paused" ? { icon: PauseIcon } : {})}>
          {t(`clients.state.${state}`)}
        </Badge>
        {state === "connected" && client.way !== undefined ? (
          <span className="soft small client-way">
            {client.way === "relay" && <RelayIcon />}
            {t(`clients.way.${client.way}`)}
          </span>
        ) : (
          <LastSeen client={client} />
        )}
      </td>
      <td className="cell-rate number">
        <Rate client={client} />
      </td>
      <td className="cell-usage">
        <Usage client={client} />
      </td>
      <td className="cell-actions">
        <Actions client={client} onAction={onAction} />
      </td>
    </>
  );
}

function Rate({ client: { rate } }: { client: Client }) {
  const { t, format } = useI18n();
  if (rate === undefined) return null;
  const down = format.rate(rate.txBytesPerSecond);
  const up = format.rate(rate.rxBytesPerSecond);
  return (
    <>
      <span className="rate" title={t("clients.rateDown", { rate: down })}>
        <ArrowDownIcon /> {down}
      </span>
      <span className="rate" title={t("clients.rateUp", { rate: up })}>
        <ArrowUpIcon /> {up}
      </span>
    </>
  );
}

function Usage({ client }: { client: Client }) {
  const { t, format } = useI18n();
  const usage = usageOf(client, t, format);
  if (usage.of === null) return <span className="soft small number">{usage.text}</span>;
  const label = t("clients.usageLabel", { name: client.name });
  return <UsageBar label={label} used={usage.used} of={usage.of} text={usage.text} />;
}

function LastSeen({ client: { lastHandshakeAt } }: { client: Client }) {
  const { t, format } = useI18n();
  const nowMs = useNow();
  if (lastHandshakeAt === undefined) return <span className="soft small">{t("clients.seenNever")}</span>;
  return (
    <time className="soft small" dateTime={lastHandshakeAt} title={format.dateTime(lastHandshakeAt)}>
      {format.ago(lastHandshakeAt, nowMs)}
    </time>
  );
}

function Actions({ client, onAction }: Pick<ClientRowProps, "client" | "onAction">) {
  const { t } = useI18n();
  const connected = useConnected();
  const pending = usePanel((state) => state.pending.has(client.id));
  const state = { disabled: !connected, busy: pending };
  const { name } = client;
  return (
    <>
      <IconButton
        icon={LimitIcon}
        label={t("clients.action.limitsNamed", { name })}
        {...state}
        onClick={() => onAction("limits", client)}
      />
      <IconButton
        icon={QrIcon}
        label={t("clients.action.showNamed", { name })}
        {...state}
        onClick={() => onAction("show", client)}
      />
      {client.paused ? (
        <IconButton
          icon={PlayIcon}
          label={t("clients.action.resumeNamed", { name })}
          {...state}
          onClick={() => onAction("resume", client)}
        />
      ) : (
        <IconButton
          icon={PauseIcon}
          label={t("clients.action.pauseNamed", { name })}
          {...state}
          onClick={() => onAction("pause", client)}
        />
      )}
      <IconButton
        icon={TrashIcon}
        danger
        label={t("clients.action.removeNamed", { name })}
        {...state}
        onClick={() => onAction("remove", client)}
      />
    </>
  );
}
