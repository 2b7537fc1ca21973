/** A value by hand (Radix): arrow keys, Page Up and Down, Home and End. A field with the exact value stands beside it. */
import * as Radix from "radix-ui/slider";

export interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly disabled?: boolean;
  /** The value in words, for screen readers. */
  readonly valueText?: string;
  readonly onChange: (value: number) => void;
}

export function Slider({ label, value, min, max, step = 1, disabled = false, valueText, onChange }: SliderProps) {
  return (
    <Radix.Root
      className="slider"
      value={[value]}
      min={min}
      max={max}
      step={step}
      disabled={disabled}
      onValueChange={([next]) => next !== undefined && onChange(next)}
    >
      <Radix.Track className="slider-track">
        <Radix.Range className="slider-range" />
      </Radix.Track>
      <Radix.Thumb className="slider-thumb" aria-label={label} aria-valuetext={valueText} />
    </Radix.Root>
  );
}
