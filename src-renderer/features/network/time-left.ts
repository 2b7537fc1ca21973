/** `1:59:30`, `59:30`: hours are left out where there are none. Undefined where no time is left. */
export function timeLeft(ms: number): string | undefined {
  const seconds = Math.ceil(ms / 1000);
  if (!(seconds > 0)) return undefined;
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
