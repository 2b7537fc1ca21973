/** Whether somebody out there has tried it: the only proof. */
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import type { Reachability } from "../../../src-shared/model/reachability.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { Badge } from "../../components/badge.tsx";
import { type FactItem, Facts } from "../../components/card.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { RelativeTime } from "../../components/relative-time.tsx";
import type { Tone } from "../../components/tone.tsx";
import { type I18n, useI18n } from "../../i18n/i18n.tsx";
import { WayCard } from "./way-card.tsx";

const TONES: Readonly<Record<Reachability["state"], Tone>> = {
  unknown: "unknown",
  checking: "busy",
  reachable: "good",
  unreachable: "bad",
};

export interface ProofCardProps {
  readonly state: NodeState;
  /** The reason stands above already. */
  readonly told: boolean;
}

export function ProofCard({ state: { reachability }, told }: ProofCardProps) {
  const i18n = useI18n();
  const { t } = i18n;
  return (
    <WayCard
      title={t("network.proof.title")}
      lead={t("network.proof.lead")}
      badge={<Badge tone={TONES[reachability.state]}>{t(`network.proof.${reachability.state}`)}</Badge>}
    >
      <Facts items={factsOf(reachability, i18n)} />
      {!told && (reachability.state === "unknown" || reachability.state === "unreachable") && (
        <div className="why">
          <ErrorText error={reachability.reason} />
        </div>
      )}
    </WayCard>
  );
}

function factsOf(reachability: Reachability, { t, format }: I18n): FactItem[] {
  switch (reachability.state) {
    case "unknown":
      return [];
    case "checking":
      return [{ label: t("network.proof.since"), value: <RelativeTime at={reachability.since} /> }];
    case "reachable":
      return [
        { label: t("network.proof.endpoint"), value: <code>{formatEndpoint(reachability.endpoint)}</code> },
        {
          label: t("network.proof.time"),
          value: t("network.proof.ms", { ms: format.number(Math.round(reachability.ms)) }),
        },
        { label: t("network.proof.last"), value: <RelativeTime at={reachability.provenAt} /> },
        { label: t("network.proof.since"), value: <RelativeTime at={reachability.since} /> },
      ];
    case "unreachable":
      return [
        { label: t("network.proof.endpoint"), value: <code>{formatEndpoint(reachability.endpoint)}</code> },
        { label: t("network.proof.last"), value: <RelativeTime at={reachability.checkedAt} /> },
        { label: t("network.proof.since"), value: <RelativeTime at={reachability.since} /> },
      ];
  }
}
