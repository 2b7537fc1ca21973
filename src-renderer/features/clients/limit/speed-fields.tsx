/** How fast a client may be. */
import { SelectField } from "../../../components/field.tsx";
import { useI18n } from "../../../i18n/i18n.tsx";
import type { FormProps } from "./limit-dialog.tsx";
import { RateControl } from "./rate-control.tsx";

const PRIORITIES = ["", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"] as const;

export function SpeedFields({ form, mistakes, onChange }: FormProps) {
  const { t } = useI18n();
  const error = (field: "down" | "up") => mistakes[field] && t(`clients.limit.error.${mistakes[field]}`);
  function priorityText(value: string) {
    if (value === "") return t("clients.limit.priorityUsual");
    if (value === "1") return t("clients.limit.priorityLast", { value });
    return value === "10" ? t("clients.limit.priorityFirst", { value }) : value;
  }
  return (
    <div className="stack">
      <RateControl
        label={t("clients.limit.down")}
        value={form.down}
        error={error("down")}
        onChange={(down) => onChange({ down })}
      />
      <RateControl
        label={t("clients.limit.up")}
        value={form.up}
        error={error("up")}
        onChange={(up) => onChange({ up })}
      />
      <p className="field-hint">{t("clients.limit.rateHint")}</p>
      <SelectField
        label={t("clients.limit.priority")}
        hint={t("clients.limit.priorityHint")}
        value={PRIORITIES.find((value) => value === form.priority) ?? ""}
        options={PRIORITIES.map((value) => ({ value, label: priorityText(value) }))}
        onChange={(priority) => onChange({ priority })}
      />
    </div>
  );
}
