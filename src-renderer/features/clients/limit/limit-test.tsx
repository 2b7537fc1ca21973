/** Whether a speed limit really holds, measured while the client uses its connection. */
import type { Client } from "../../../../src-shared/model/client.ts";
import { rateBits, type TestedDirection } from "../../../../src-shared/model/limit.ts";
import { ErrorNote } from "../../../components/banner.tsx";
import { Button } from "../../../components/button.tsx";
import { useI18n } from "../../../i18n/i18n.tsx";
import { useRequest } from "../../../store/use-request.ts";

/** Long enough for a mean that says something, short enough to wait for. */
const TEST_SECONDS = 4;

export function LimitTest({ client }: { client: Client }) {
  const { t, format } = useI18n();
  const { run, busy, error, value } = useRequest("limits.test");
  if (client.limit?.down === undefined && client.limit?.up === undefined) return null;
  function line(direction: "down" | "up", tested: TestedDirection) {
    return t("clients.limit.measured", {
      direction: t(`clients.limit.${direction}`),
      measured: format.bitRate(tested.measuredBitsPerSecond),
      limit: format.bitRate(rateBits(tested.limit)),
      verdict: t(`clients.limit.verdict.${tested.verdict}`),
    });
  }
  return (
    <div className="limit-test">
      <div className="row">
        <Button size="small" busy={busy} onClick={() => void run({ name: client.id, seconds: TEST_SECONDS })}>
          {busy ? t("clients.limit.testing", { seconds: TEST_SECONDS }) : t("clients.limit.test")}
        </Button>
        <span className="field-hint">{t("clients.limit.testHint")}</span>
      </div>
      {error !== undefined && <ErrorNote error={error} />}
      <div role="status">
        {value?.down != null && <p>{line("down", value.down)}</p>}
        {value?.up != null && <p>{line("up", value.up)}</p>}
      </div>
    </div>
  );
}
