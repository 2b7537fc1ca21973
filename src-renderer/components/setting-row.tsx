/** One switch of a list of settings: label and explanation at the left, the switch at the right. */
import { type ReactNode, useId } from "react";
import { useI18n } from "../i18n/i18n.tsx";
import { AttentionIcon } from "./icons.tsx";
import { Switch } from "./switch.tsx";

export interface SwitchRowProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
  readonly predicted?: boolean;
}

export function SwitchRow({ label, hint, error, checked, onChange, disabled, predicted = false }: SwitchRowProps) {
  const { t } = useI18n();
  const id = useId();
  return (
    <div className="setting-row">
      <div className="setting-words">
        <label className="setting-label" id={`${id}-label`} htmlFor={id}>
          {label}
        </label>
        <div className="field-hint" id={`${id}-hint`}>
          {hint}
          {predicted && <span className="waiting-note"> {t("common.state.waiting")}</span>}
        </div>
        {error !== undefined && (
          <div className="field-error" role="alert">
            <AttentionIcon />
            <span>{error}</span>
          </div>
        )}
      </div>
      <Switch
        id={id}
        labelledBy={`${id}-label`}
        describedBy={`${id}-hint`}
        checked={checked}
        onChange={onChange}
        predicted={predicted}
        disabled={disabled === true}
      />
    </div>
  );
}
