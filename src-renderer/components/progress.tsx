/** How far something has come, and how much of something is used: the elements that HTML has for it. */
import { classNames } from "./class-names.ts";

export interface ProgressProps {
  readonly label: string;
  /** 0 to `max`; undefined while that is not known. */
  readonly value?: number;
  readonly max?: number;
}

export function Progress({ label, value, max = 1 }: ProgressProps) {
  return <progress className="progress" aria-label={label} max={max} {...(value === undefined ? {} : { value })} />;
}

export interface UsageBarProps {
  readonly label: string;
  readonly used: number;
  readonly of: number;
  /** The same in words. */
  readonly text: string;
}

/** From here on an owner is told that a quota goes to its end. */
const NEARLY_USED = 0.8;

export function UsageBar({ label, used, of, text }: UsageBarProps) {
  const fraction = of <= 0 ? 1 : Math.min(1, used / of);
  return (
    <span className="usage">
      <progress
        className={classNames(
          "progress",
          fraction >= 1 ? "progress-bad" : fraction >= NEARLY_USED && "progress-attention",
        )}
        aria-label={label}
        aria-valuetext={text}
        max={1}
        value={fraction}
      />
      <span className="usage-text">{text}</span>
    </span>
  );
}
