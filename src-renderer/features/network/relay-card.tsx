/** The relay: which server, how far away, and what goes through it. */
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import type { RelayLinkState } from "../../../src-shared/model/relay-link.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { hrefOf } from "../../app/route.ts";
import { Badge } from "../../components/badge.tsx";
import { type FactItem, Facts } from "../../components/card.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import type { Tone } from "../../components/tone.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { useSetting } from "../../store/hooks.ts";
import { WayCard } from "./way-card.tsx";

const TONES: Readonly<Record<RelayLinkState["state"], Tone>> = {
  off: "off",
  connecting: "busy",
  connected: "good",
  waiting: "attention",
};

export function RelayCard({ state: { relay } }: { state: NodeState }) {
  const i18n = useI18n();
  const { t } = i18n;
  return (
    <WayCard
      title={t("network.relay.title")}
      lead={t("network.relay.lead")}
      badge={<Badge tone={TONES[relay.state]}>{t(`network.relay.state.${relay.state}`)}</Badge>}
    >
      {relay.state === "off" && <WhyOff />}
      {relay.state === "waiting" && (
        <div className="why">
          <ErrorText error={relay.error} />
        </div>
      )}
      <Facts items={factsOf(relay, i18n)} />
      <p>
        <a href={hrefOf("settings")}>{t("network.relay.toSettings")}</a>
      </p>
    </WayCard>
  );
}

function WhyOff() {
  const { t } = useI18n();
  const servers = useSetting("relayServers").value;
  const mode = useSetting("relayMode").value;
  const key = servers.length === 0 ? "offNone" : mode === "off" ? "offSetting" : "offSharing";
  return <p className="why">{t(`network.relay.${key}`)}</p>;
}

function factsOf(relay: RelayLinkState, { t, format }: I18n): FactItem[] {
  switch (relay.state) {
    case "off":
    case "connecting":
      return [];
    case "waiting":
      return [{ label: t("network.relay.retry"), value: <RelativeTime at={relay.retryAt} future /> }];
    case "connected":
      return [
        { label: t("network.relay.server"), value: <code>{relay.url}</code> },
        {
          label: t("network.relay.latency"),
          value:
            relay.rttMs === null
              ? t("network.relay.latencyUnknown")
              : t("network.proof.ms", { ms: format.number(Math.round(relay.rttMs)) }),
        },
        { label: t("network.relay.endpoint"), value: <code>{formatEndpoint(relay.publicEndpoint)}</code> },
        { label: t("network.relay.sessions"), value: format.number(relay.sessions) },
        { label: t("network.relay.received"), value: format.bytes(relay.rxBytes) },
        { label: t("network.relay.sent"), value: format.bytes(relay.txBytes) },
        ...(relay.dropped === 0 ? [] : [{ label: t("network.relay.dropped"), value: format.number(relay.dropped) }]),
        { label: t("network.relay.since"), value: <RelativeTime at={relay.since} /> },
      ];
  }
}
