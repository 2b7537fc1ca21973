/** A few choices below each other, each with an explanation; exactly one is taken. */
import { useId } from "react";
import { classNames } from "./class-names.ts";
import "./radio-rows.css";

export interface RadioRowsProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  readonly onChange: (value: T) => void;
  readonly disabled?: boolean;
  /** Shows what was asked for and is not confirmed yet. */
  readonly predicted?: boolean;
}

export function RadioRows<T extends string>({
  label,
  value,
  options,
  onChange,
  disabled = false,
  predicted = false,
}: RadioRowsProps<T>) {
  const id = useId();
  return (
    <fieldset className={classNames("radio-rows", predicted && "predicted")} disabled={disabled}>
      <legend className="hidden">{label}</legend>
      {options.map((option) => (
        <div key={option.value} className="radio-row">
          <input
            type="radio"
            id={`${id}-${option.value}`}
            name={id}
            checked={option.value === value}
            aria-describedby={option.hint === undefined ? undefined : `${id}-${option.value}-hint`}
            onChange={() => onChange(option.value)}
          />
          <div>
            <label htmlFor={`${id}-${option.value}`}>{option.label}</label>
            {option.hint !== undefined && (
              <div className="field-hint" id={`${id}-${option.value}-hint`}>
                {option.hint}
              </div>
            )}
          </div>
        </div>
      ))}
    </fieldset>
  );
}
