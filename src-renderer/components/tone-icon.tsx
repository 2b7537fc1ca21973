/** The state as a shape, so that colour is never the only signal. */
import type { Tone } from "../../src-shared/text/headline.ts";

const SHAPES: Readonly<Record<Tone, string>> = {
  off: "M12 3v8M6.3 6.8a8 8 0 1 0 11.4 0",
  busy: "M12 3a9 9 0 1 1-9 9",
  good: "M4.5 12.5l5 5 10-11",
  attention: "M12 5v8M12 18.5v.01",
};

export function ToneIcon({ tone }: { tone: Tone }) {
  return (
    <span className={`tone tone-${tone}`} aria-hidden="true">
      <svg viewBox="0 0 24 24">
        <title>{tone}</title>
        <path d={SHAPES[tone]} />
      </svg>
    </span>
  );
}
