/** On or off, at once. Beside it stands its label; see `SettingRow`. */
import * as Radix from "radix-ui/switch";
import { classNames } from "./class-names.ts";

export interface SwitchProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  /** The name, unless `labelledBy` names an element that has it. */
  readonly label?: string;
  readonly labelledBy?: string;
  readonly describedBy?: string;
  readonly id?: string;
  readonly disabled?: boolean;
  /** Shows what was asked for and is not confirmed yet. */
  readonly predicted?: boolean;
  readonly large?: boolean;
}

export function Switch({
  checked,
  onChange,
  label,
  labelledBy,
  describedBy,
  id,
  disabled = false,
  predicted = false,
  large = false,
}: SwitchProps) {
  return (
    <Radix.Root
      className={classNames("switch", large && "switch-large", predicted && "predicted")}
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      aria-busy={predicted || undefined}
      id={id}
    >
      <Radix.Thumb className="switch-knob" />
    </Radix.Root>
  );
}
