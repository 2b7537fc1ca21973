/** IPv6 for guests: native, translated or off and why; and whether the router lets them in over it. */
import { exitOf, type Ipv6State, type NodeState } from "../../../src-shared/model/node-state.ts";
import type { Pinhole } from "../../../src-shared/model/pinhole.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { Badge } from "../../components/badge.tsx";
import { type FactItem, Facts } from "../../components/card.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import type { Tone } from "../../components/tone.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { Countdown } from "./countdown.tsx";
import { WayCard } from "./way-card.tsx";

const PINHOLE_TONES: Readonly<Record<Pinhole["state"], Tone>> = {
  off: "off",
  asking: "busy",
  open: "good",
  closed: "attention",
};

export function Ipv6Card({ state }: { state: NodeState }) {
  const { t } = useI18n();
  const exit = exitOf(state.node);
  return (
    <WayCard title={t("network.ipv6.title")} lead={t("network.ipv6.lead")} badge={<Ipv6Badge ipv6={exit?.ipv6} />}>
      {exit === undefined ? (
        <p className="why">{t("network.ipv6.idle")}</p>
      ) : (
        <Ipv6Detail ipv6={exit.ipv6} guests={exit.guestPrefixes.ipv6} />
      )}
      <PinholePart pinhole={state.pinhole} />
    </WayCard>
  );
}

function Ipv6Badge({ ipv6 }: { ipv6: Ipv6State | undefined }) {
  const { t } = useI18n();
  if (ipv6 === undefined) return <Badge tone="off">{t("network.ipv6.off")}</Badge>;
  switch (ipv6.state) {
    case "on":
      return (
        <Badge tone={ipv6.check?.outcome === "failed" ? "attention" : "good"}>
          {t(`network.ipv6.short.${ipv6.mode}`)}
        </Badge>
      );
    case "off":
      return <Badge tone="off">{t("network.ipv6.off")}</Badge>;
    case "failed":
      return <Badge tone="bad">{t("network.ipv6.failed")}</Badge>;
  }
}

function Ipv6Detail({ ipv6, guests }: { ipv6: Ipv6State; guests: string | null }) {
  const i18n = useI18n();
  const { t } = i18n;
  if (ipv6.state !== "on") {
    return (
      <div className="why">
        <ErrorText error={ipv6.state === "off" ? ipv6.reason : ipv6.error} />
      </div>
    );
  }
  return (
    <>
      <p className="why">{t(`network.ipv6.mode.${ipv6.mode}`)}.</p>
      <Facts items={factsOf(ipv6, guests, i18n)} />
      {ipv6.check?.outcome === "failed" && (
        <div className="why">
          <ErrorText error={ipv6.check.error} />
        </div>
      )}
    </>
  );
}

function factsOf(ipv6: Extract<Ipv6State, { state: "on" }>, guests: string | null, { t }: I18n): FactItem[] {
  const { prefix, check } = ipv6;
  return [
    ...(guests === null ? [] : [{ label: t("network.ipv6.guests"), value: <code>{guests}</code> }]),
    ...(prefix === undefined ? [] : [{ label: t("network.ipv6.prefix"), value: <code>{prefix}</code> }]),
    {
      label: t("network.ipv6.checked"),
      value: check === undefined ? t("network.ipv6.notChecked") : <RelativeTime at={check.at} />,
      ...(check?.outcome === "passed" ? { note: t("network.ipv6.passed") } : {}),
    },
  ];
}

function PinholePart({ pinhole }: { pinhole: Pinhole | undefined }) {
  const { t } = useI18n();
  return (
    <div className="part">
      <div className="card-head">
        <h3>{t("network.pinhole.title")}</h3>
        {pinhole !== undefined && (
          <Badge tone={PINHOLE_TONES[pinhole.state]}>{t(`network.pinhole.state.${pinhole.state}`)}</Badge>
        )}
      </div>
      {pinhole === undefined && <p className="why">{t("network.pinhole.absent")}</p>}
      {pinhole?.state === "off" && <p className="why">{t("network.pinhole.off")}</p>}
      {pinhole?.state === "open" && (
        <Facts
          items={[
            { label: t("network.pinhole.endpoint"), value: <code>{formatEndpoint(pinhole.endpoint)}</code> },
            {
              label: t("network.pinhole.lease"),
              value: <Countdown to={pinhole.leaseEndsAt} over={t("network.mapping.leaseOver")} />,
            },
          ]}
        />
      )}
      {pinhole?.state === "closed" && (
        <div className="why">
          <ErrorText error={pinhole.reason} />
        </div>
      )}
    </div>
  );
}
