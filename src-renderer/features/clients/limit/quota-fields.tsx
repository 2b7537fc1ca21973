/** How much data a client may use in a month. */
import type { Client } from "../../../../src-shared/model/client.ts";
import { SelectField, TextField } from "../../../components/field.tsx";
import { SwitchRow } from "../../../components/setting-row.tsx";
import { useI18n } from "../../../i18n/i18n.tsx";
import type { FormProps } from "./limit-dialog.tsx";

export function QuotaFields({
  form,
  mistakes,
  onChange,
  client,
  timeZone,
}: FormProps & { client: Client; timeZone: string }) {
  const { t, format } = useI18n();
  const error = (field: "amount" | "slowTo" | "resetDay") =>
    mistakes[field] && t(`clients.limit.error.${mistakes[field]}`);
  return (
    <div className="stack">
      <SwitchRow
        label={t("clients.limit.quota")}
        hint={t("clients.limit.quotaHint")}
        checked={form.hasQuota}
        onChange={(hasQuota) => onChange({ hasQuota })}
      />
      {form.hasQuota && (
        <>
          <div className="columns">
            <TextField
              label={t("clients.limit.amount")}
              unit={t("clients.limit.gigabyte")}
              inputMode="decimal"
              value={form.amount}
              error={error("amount")}
              onChange={(amount) => onChange({ amount })}
            />
            <TextField
              label={t("clients.limit.resetDay")}
              hint={t("clients.limit.resetDayHint", { zone: client.quota?.timeZone ?? timeZone })}
              inputMode="numeric"
              value={form.resetDay}
              error={error("resetDay")}
              onChange={(resetDay) => onChange({ resetDay })}
            />
          </div>
          <SelectField
            label={t("clients.limit.atEnd")}
            value={form.atEnd}
            options={[
              { value: "pause", label: t("clients.limit.pause") },
              { value: "slow", label: t("clients.limit.slow") },
            ]}
            onChange={(atEnd) => onChange({ atEnd })}
          />
          {form.atEnd === "slow" && (
            <TextField
              label={t("clients.limit.slowTo")}
              unit={t("clients.limit.mbit")}
              inputMode="decimal"
              value={form.slowTo}
              error={error("slowTo")}
              onChange={(slowTo) => onChange({ slowTo })}
            />
          )}
        </>
      )}
      {client.quota !== undefined && (
        <p className="soft small">
          {t("clients.limit.used", {
            since: format.date(client.quota.since),
            used: format.decimalBytes(client.quota.usedBytes),
          })}
        </p>
      )}
    </div>
  );
}
