/** The switch that the whole program is about. */
import { Switch } from "../../components/switch.tsx";
import { useI18n } from "../../i18n/i18n.tsx";
import { useActions } from "../../store/hooks.ts";
import type { Hero } from "./overview-view.ts";

export function ShareSwitch({ toggle }: { toggle: Hero["toggle"] }) {
  const { t } = useI18n();
  const { share } = useActions();
  const words = toggle.predicted
    ? t(toggle.value ? "common.share.turningOn" : "common.share.turningOff")
    : t(toggle.value ? "common.share.on" : "common.share.off");
  return (
    <div className="share-switch">
      <Switch
        large
        label={t("common.share.label")}
        checked={toggle.value}
        predicted={toggle.predicted}
        disabled={!toggle.enabled}
        onChange={(on) => void share(on)}
      />
      <span aria-hidden="true">{words}</span>
    </div>
  );
}
