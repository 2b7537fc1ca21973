/** The port mapping: which protocol answered, what it opened, for how long, and asking again. */
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import { exitOf } from "../../../src-shared/model/node-state.ts";
import type { MappingProtocol, PortMappingState } from "../../../src-shared/model/port-mapping.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { Badge } from "../../components/badge.tsx";
import { ErrorNote } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { type FactItem, Facts } from "../../components/card.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { RefreshIcon } from "../../components/icons.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import type { Tone } from "../../components/tone.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { useActions, useConnected, useSetting } from "../../store/hooks.ts";
import type { Request } from "../../store/use-request.ts";
import { Countdown } from "./countdown.tsx";
import { WayCard } from "./way-card.tsx";
import { isPrivateMapping } from "./way-in-view.ts";

const TONES: Readonly<Record<PortMappingState["state"], Tone>> = {
  off: "off",
  probing: "busy",
  mapped: "good",
  unavailable: "attention",
};

/** Proper names, the same in every language. */
const PROTOCOLS: Readonly<Record<MappingProtocol, string>> = { pcp: "PCP", "nat-pmp": "NAT-PMP", upnp: "UPnP" };

export function MappingCard({ state, again }: { state: NodeState; again: Request<"ports.refresh"> }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { notify } = useActions();
  const connected = useConnected();
  const { portMapping } = state;
  const sharing = exitOf(state.node) !== undefined;
  const wanted = useSetting("portMapping").value === "auto";
  async function renew() {
    const answer = await again.run({});
    if (answer.ok) notify(t("network.mapping.renewDone"));
  }
  return (
    <WayCard
      title={t("network.mapping.title")}
      lead={t("network.mapping.lead")}
      badge={
        <Badge tone={isPrivateMapping(portMapping) ? "attention" : TONES[portMapping.state]}>
          {t(`network.mapping.state.${portMapping.state}`)}
        </Badge>
      }
    >
      {portMapping.state === "off" && (
        <p className="why">{wanted ? t("network.mapping.offSharing") : t("network.mapping.offSetting")}</p>
      )}
      {portMapping.state === "unavailable" && (
        <div className="why">
          <ErrorText error={portMapping.reason} />
        </div>
      )}
      <Facts items={factsOf(portMapping, i18n)} />
      {again.error !== undefined && <ErrorNote error={again.error} />}
      {sharing && wanted && (
        <div className="row">
          <Button size="small" icon={RefreshIcon} busy={again.busy} disabled={!connected} onClick={() => void renew()}>
            {again.busy
              ? t("network.mapping.renewing")
              : t(`network.mapping.${portMapping.state === "mapped" ? "renew" : "ask"}`)}
          </Button>
        </div>
      )}
    </WayCard>
  );
}

function factsOf(mapping: PortMappingState, { t }: I18n): FactItem[] {
  switch (mapping.state) {
    case "off":
      return [];
    case "probing":
      return [{ label: t("network.mapping.gateway"), value: <code>{mapping.gateway}</code> }];
    case "mapped":
      return [
        { label: t("network.mapping.protocol"), value: PROTOCOLS[mapping.protocol] },
        {
          label: t("network.mapping.external"),
          value: <code>{formatEndpoint(mapping.external)}</code>,
          ...(isPrivateMapping(mapping) ? { note: t("network.mapping.privateExternal") } : {}),
        },
        {
          label: t("network.mapping.internal"),
          value: t("network.mapping.internalPort", { port: mapping.internalPort }),
        },
        { label: t("network.mapping.gateway"), value: <code>{mapping.gateway}</code> },
        {
          label: t("network.mapping.lease"),
          value:
            mapping.leaseEndsAt === null ? (
              t("network.mapping.leaseForever")
            ) : (
              <Countdown to={mapping.leaseEndsAt} over={t("network.mapping.leaseOver")} />
            ),
        },
        { label: t("network.mapping.renewed"), value: <RelativeTime at={mapping.renewAt} future /> },
        ...(mapping.fallbacks.length === 0
          ? []
          : [
              {
                label: t("network.mapping.fallbacks"),
                value: mapping.fallbacks.map((protocol) => PROTOCOLS[protocol]).join(", "),
              },
            ]),
      ];
    case "unavailable":
      return mapping.nextProbeAt === null
        ? []
        : [{ label: t("network.mapping.next"), value: <RelativeTime at={mapping.nextProbeAt} future /> }];
  }
}
