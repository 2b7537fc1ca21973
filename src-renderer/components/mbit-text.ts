/** Speeds as owners write them: in Mbit/s, with a comma or a point, empty for no limit. Pure. */
import { formatRate, parseRate, rateBits } from "../../src-shared/model/limit.ts";

const MBIT = 1e6;

/** A rate as tc writes it, null for none, undefined for a mistake. */
export function rateOf(text: string): string | null | undefined {
  const written = text.trim().replace(",", ".");
  if (written === "") return null;
  const parsed = parseRate(`${written}mbit`);
  return parsed.ok ? formatRate(parsed.value) : undefined;
}

export function mbitText(rate: string | null | undefined): string {
  return rate === undefined || rate === null ? "" : String(rateBits(rate) / MBIT);
}
