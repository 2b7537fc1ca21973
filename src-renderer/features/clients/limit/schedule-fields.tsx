/** In which hours of the week a client's limits hold. */
import type { Client } from "../../../../src-shared/model/client.ts";
import { Button } from "../../../components/button.tsx";
import { SelectField } from "../../../components/field.tsx";
import { AttentionIcon } from "../../../components/icons.tsx";
import { SwitchRow } from "../../../components/setting-row.tsx";
import { useI18n } from "../../../i18n/i18n.tsx";
import type { FormProps } from "./limit-dialog.tsx";
import { EMPTY_WEEK, FULL_WEEK, isHourly, WORKING_WEEK } from "./schedule-cells.ts";
import { ScheduleGrid } from "./schedule-grid.tsx";

export function ScheduleFields({
  form,
  mistakes,
  onChange,
  client,
  timeZone,
}: FormProps & { client: Client; timeZone: string }) {
  const { t } = useI18n();
  const schedule = client.limit?.schedule;
  return (
    <div className="stack">
      <SwitchRow
        label={t("clients.limit.schedule")}
        hint={t("clients.limit.scheduleHint", { zone: schedule?.timeZone ?? timeZone })}
        checked={form.hasSchedule}
        onChange={(hasSchedule) => onChange({ hasSchedule })}
      />
      {form.hasSchedule && (
        <>
          <div className="row">
            <Button size="small" onClick={() => onChange({ week: FULL_WEEK })}>
              {t("clients.limit.all")}
            </Button>
            <Button size="small" onClick={() => onChange({ week: WORKING_WEEK })}>
              {t("clients.limit.workdays")}
            </Button>
            <Button size="small" onClick={() => onChange({ week: EMPTY_WEEK })}>
              {t("clients.limit.clearGrid")}
            </Button>
          </div>
          <p className="field-hint">{t("clients.limit.gridHint")}</p>
          <ScheduleGrid week={form.week} onChange={(week) => onChange({ week })} />
          {mistakes.week !== undefined && (
            <div className="field-error" role="alert">
              <AttentionIcon />
              <span>{t(`clients.limit.error.${mistakes.week}`)}</span>
            </div>
          )}
          {schedule !== undefined && !isHourly(schedule) && <p className="field-hint">{t("clients.limit.fine")}</p>}
          <SelectField
            label={t("clients.limit.outside")}
            value={form.outside}
            options={[
              { value: "unlimited", label: t("clients.limit.outsideUnlimited") },
              { value: "pause", label: t("clients.limit.outsidePause") },
            ]}
            onChange={(outside) => onChange({ outside })}
          />
        </>
      )}
    </div>
  );
}
