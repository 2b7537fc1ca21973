/** Relative times grow by themselves. */
import { useEffect, useState } from "react";

/** The texts change by the second at first; a page that redraws more often gains nothing. */
const TICK_MS = 1_000;

export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
