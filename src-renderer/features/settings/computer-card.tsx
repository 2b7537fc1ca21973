/** What the program around the node does for it, where it can. */
import type { CallOutput } from "../../../src-shared/ipc/contract.ts";
import { Card } from "../../components/card.tsx";
import { SwitchRow } from "../../components/setting-row.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useLoaded } from "../../store/use-request.ts";
import { abilityOf } from "./host-view.ts";
import { useSetNow } from "./use-set-now.ts";

export function ComputerCard() {
  const { t } = useI18n();
  const host = useLoaded("host.facts", {});
  const facts: CallOutput<"host.facts"> | undefined = host.value;
  // The system decides for a node without a window: said once, above both.
  const headless = facts?.kind === "headless" ? { hint: t("settings.computer.headless") } : {};
  return (
    <Card title={t("settings.computer.title")} {...headless}>
      <HostSwitch setting="startAtLogin" ability={abilityOf(facts, "canStartAtLogin", host.error !== undefined)} />
      <HostSwitch setting="keepAwake" ability={abilityOf(facts, "canKeepAwake", host.error !== undefined)} />
    </Card>
  );
}

interface HostSwitchProps {
  readonly setting: "startAtLogin" | "keepAwake";
  readonly ability: ReturnType<typeof abilityOf>;
}

function HostSwitch({ setting, ability }: HostSwitchProps) {
  const { t } = useI18n();
  const { value, predicted, disabled, error, set } = useSetNow(setting);
  const why = ability === "cannot" || ability === "unknown" ? t(`settings.computer.${ability}`) : undefined;
  return (
    <SwitchRow
      label={t(`settings.computer.${setting}`)}
      hint={
        why === undefined ? t(`settings.computer.${setting}Hint`) : `${t(`settings.computer.${setting}Hint`)} ${why}`
      }
      // What the host cannot do is not done, whatever the file of settings says.
      checked={value && ability !== "headless" && ability !== "cannot"}
      predicted={predicted}
      disabled={disabled || ability !== "can"}
      error={error}
      onChange={set}
    />
  );
}
