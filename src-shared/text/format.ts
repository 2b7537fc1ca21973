/** Numbers and times as people read them. Sizes are binary (IEC 80000-13), as WireGuard's own tools print them. */

const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1536` → `1.5 KiB`; three significant digits at most below 100. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  // 1023.96 KiB would read "1024 KiB".
  if (unit > 0 && value >= 1023.5 && unit < SIZE_UNITS.length - 1) {
    value = 1;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${SIZE_UNITS[unit]}`;
}

const STEPS = [
  { seconds: 86_400, one: "day", many: "days" },
  { seconds: 3_600, one: "hour", many: "hours" },
  { seconds: 60, one: "minute", many: "minutes" },
  { seconds: 1, one: "second", many: "seconds" },
] as const;

/** A duration in its largest whole unit: `2 hours`. Less than a second, or a clock set back, is `a moment`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  for (const step of STEPS) {
    const count = Math.floor(seconds / step.seconds);
    if (count >= 1) return `${count} ${count === 1 ? step.one : step.many}`;
  }
  return "a moment";
}

/** Time since `iso` (RFC 3339), seen from `nowMs`: `2 hours ago`, `just now`. */
export function formatAgo(iso: string, nowMs: number): string {
  const ageMs = nowMs - Date.parse(iso);
  return ageMs < 1000 ? "just now" : `${formatDuration(ageMs)} ago`;
}

/** An error message as a sentence: capital letter first, a full stop last. */
export function asSentence(message: string): string {
  const text = message.trim();
  if (text === "") return "";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
