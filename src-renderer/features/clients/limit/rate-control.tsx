/** A speed by hand and exactly: a slider and a field that say the same. */
import { TextField } from "../../../components/field.tsx";
import { Slider } from "../../../components/slider.tsx";
import { useI18n } from "../../../i18n/i18n.tsx";
import { mbitOf } from "./limit-form.ts";
import { NO_LIMIT_STEP, RATE_STEPS_MBIT, stepOf, textOfStep } from "./rate-steps.ts";

export interface RateControlProps {
  readonly label: string;
  /** Mbit/s as written; empty for no limit. */
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}

export function RateControl({ label, value, error, onChange }: RateControlProps) {
  const { t, format } = useI18n();
  const step = stepOf(mbitOf(value));
  const mbit = RATE_STEPS_MBIT[step];
  return (
    <div className="rate-control">
      <TextField
        label={label}
        unit={t("clients.limit.mbit")}
        inputMode="decimal"
        placeholder={t("clients.limit.none")}
        value={value}
        error={error}
        onChange={onChange}
      />
      <Slider
        label={label}
        value={step}
        min={0}
        max={NO_LIMIT_STEP}
        valueText={mbit === undefined ? t("clients.limit.none") : format.bitRate(mbit * 1e6)}
        onChange={(next) => onChange(textOfStep(next))}
      />
    </div>
  );
}
