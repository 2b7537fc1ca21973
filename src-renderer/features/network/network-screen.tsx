/** How does the internet reach me? */
import type { NodeState } from "../../../src-shared/model/node-state.ts";
import { whyClosed } from "../../../src-shared/text/headline.ts";
import { Answer } from "../../components/answer.tsx";
import { Button } from "../../components/button.tsx";
import { Screen } from "../../components/card.tsx";
import { ErrorText } from "../../components/error-text.tsx";
import { RefreshIcon } from "../../components/icons.tsx";
import { Spinner } from "../../components/spinner.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useActions, useConnected, usePanel } from "../../store/hooks.ts";
import { type Request, useRequest } from "../../store/use-request.ts";
import { AdviceCard } from "./advice-card.tsx";
import { ChainCard } from "./chain-card.tsx";
import { Ipv6Card } from "./ipv6-card.tsx";
import { MappingCard } from "./mapping-card.tsx";
import { ProofCard } from "./proof-card.tsx";
import { RelayCard } from "./relay-card.tsx";
import { answerOf } from "./way-in-view.ts";
import "./network.css";

/** Answers that give the reason themselves: it is not said again below. */
const TELLS_WHY: ReadonlySet<string> = new Set(["off", "closed", "unproven", "unknown"]);

export function NetworkScreen() {
  const { t } = useI18n();
  const state = usePanel(({ node }) => node?.value);
  const again = useRequest("ports.refresh");
  return (
    <Screen title={t("network.title")} lead={t("network.intro")}>
      {state === undefined ? (
        <Spinner label={t("common.connection.connecting")} />
      ) : (
        <>
          <NetworkAnswer state={state} again={again} />
          <ChainCard state={state} />
          <AdviceCard state={state} />
          <div className="columns">
            <div className="stack ways">
              <ProofCard state={state} told={TELLS_WHY.has(answerOf(state).key)} />
              <Ipv6Card state={state} />
            </div>
            <div className="stack ways">
              <MappingCard state={state} again={again} />
              <RelayCard state={state} />
            </div>
          </div>
        </>
      )}
    </Screen>
  );
}

function NetworkAnswer({ state, again }: { state: NodeState; again: Request<"ports.refresh"> }) {
  const { t } = useI18n();
  const { notify } = useActions();
  const connected = useConnected();
  const { key, tone } = answerOf(state);
  async function tryAgain() {
    const answer = await again.run({});
    if (answer.ok) notify(t("network.mapping.renewDone"));
  }
  return (
    <Answer
      tone={tone}
      sentence={t(`network.answer.${key}`)}
      detail={<AnswerDetail state={state} answer={key} />}
      {...(key === "off" || key === "busy"
        ? {}
        : {
            action: (
              <Button icon={RefreshIcon} busy={again.busy} disabled={!connected} onClick={() => void tryAgain()}>
                {again.busy ? t("network.proof.trying") : t("network.proof.again")}
              </Button>
            ),
          })}
    />
  );
}

function AnswerDetail({ state, answer }: { state: NodeState; answer: ReturnType<typeof answerOf>["key"] }) {
  const { t } = useI18n();
  const { reachability, node } = state;
  switch (answer) {
    case "off":
      return node.phase === "failed" ? <ErrorText error={node.error} /> : <p>{t("network.answer.offDetail")}</p>;
    case "busy":
    case "checking":
      return null;
    case "direct":
      return <p>{t("network.answer.directDetail")}</p>;
    case "relayed":
      return <p>{t("network.answer.relayedDetail")}</p>;
    case "closed": {
      const why = whyClosed(state);
      return (
        <>
          {why !== undefined && <ErrorText error={why} />}
          <p>{t("network.answer.closedDetail")}</p>
        </>
      );
    }
    case "unproven":
    case "unknown":
      return reachability.state === "unknown" ? <ErrorText error={reachability.reason} /> : null;
  }
}
