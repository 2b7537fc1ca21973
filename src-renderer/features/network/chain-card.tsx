/** The chain as a picture: from the internet to this computer, hop by hop. */
import type { ComponentType } from "react";
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import { Badge } from "../../components/badge.tsx";
import { Card, Disclosure } from "../../components/card.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { ComputerIcon, type IconProps, NetworkIcon, ProviderIcon, RouterIcon } from "../../components/icons.tsx";
import type { Tone } from "../../components/tone.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { type ChainHop, chainOf, type HopState } from "./way-in-view.ts";

const ICONS: Readonly<Record<ChainHop["kind"], ComponentType<IconProps>>> = {
  internet: NetworkIcon,
  provider: ProviderIcon,
  carrier: ProviderIcon,
  "second-router": RouterIcon,
  "home-router": RouterIcon,
  computer: ComputerIcon,
};

const TONES: Readonly<Record<HopState, Tone>> = {
  good: "good",
  granted: "good",
  ready: "good",
  stops: "bad",
  suspect: "attention",
  unknown: "unknown",
  off: "off",
};

export function ChainCard({ state }: { state: NodeState }) {
  const { t } = useI18n();
  const hops = chainOf(state);
  const learnt = hops.filter(({ learntFrom }) => learntFrom.length > 0);
  return (
    <Card title={t("network.chain.title")} className="chain-card">
      <ol className="chain">
        {hops.map((hop) => (
          <Hop key={hop.kind} hop={hop} />
        ))}
      </ol>
      <Verdict state={state} />
      {learnt.length > 0 && (
        <Disclosure summary={t("network.chain.learnt")}>
          <ul className="learnt">
            {learnt.map((hop) => (
              <li key={hop.kind}>
                <strong>{t(`network.chain.${hop.kind}`)}</strong>:{" "}
                {hop.learntFrom.map((source) => t(`network.chain.learntFrom.${source}`)).join(", ")}
              </li>
            ))}
          </ul>
        </Disclosure>
      )}
    </Card>
  );
}

function Hop({ hop }: { hop: ChainHop }) {
  const { t } = useI18n();
  const Icon = ICONS[hop.kind];
  const tone = hop.state === null ? "off" : TONES[hop.state];
  return (
    <li className={`hop tone-${tone}`}>
      <span className="hop-icon">
        <Icon />
      </span>
      <div className="hop-words">
        <h3>{t(`network.chain.${hop.kind}`)}</h3>
        <HopAddresses hop={hop} />
        {hop.state !== null && <Badge tone={tone}>{t(`network.chain.state.${hop.state}`)}</Badge>}
      </div>
    </li>
  );
}

function HopAddresses({ hop }: { hop: ChainHop }) {
  const { t } = useI18n();
  const unknown = t("network.chain.addressUnknown");
  switch (hop.kind) {
    case "internet":
      return hop.outside === null ? null : (
        <p className="hop-address">
          {t("network.chain.internetSees")} <code>{hop.outside}</code>
        </p>
      );
    case "provider":
      return null;
    case "carrier":
      return (
        <p className="hop-address">
          {t("network.chain.shared")} {hop.outside !== null && <code>{hop.outside}</code>}
        </p>
      );
    case "second-router":
    case "home-router":
      return (
        <dl className="hop-address">
          <div>
            <dt>{t("network.chain.outside")}</dt> <dd>{hop.outside === null ? unknown : <code>{hop.outside}</code>}</dd>
          </div>
          <div>
            <dt>{t("network.chain.inside")}</dt> <dd>{hop.inside === null ? unknown : <code>{hop.inside}</code>}</dd>
          </div>
        </dl>
      );
    case "computer":
      return hop.port === null ? null : (
        <p className="hop-address">
          {hop.outside !== null && <code>{hop.outside} </code>}
          {t("network.chain.port")} <code>{hop.port}</code>
        </p>
      );
  }
}

/** The kind of chain in plain words. */
function Verdict({ state: { natPath } }: { state: NodeState }) {
  const { t } = useI18n();
  if (natPath.state === "unknown") {
    // Sharing is off: the screen's answer has said so.
    if (natPath.reason.code === "not-sharing") return null;
    return (
      <div className="verdict">
        <p>{t("network.chain.notSeen")}</p>
        <ErrorText error={natPath.reason} />
      </div>
    );
  }
  return (
    <div className="verdict">
      <h3>{t(`network.verdict.${natPath.verdict}.title`)}</h3>
      <p>{t(`network.verdict.${natPath.verdict}.body`)}</p>
    </div>
  );
}
