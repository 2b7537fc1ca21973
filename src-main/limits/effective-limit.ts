/** What holds for a client at this moment: pure. */
import { type ClientLimit, type LimitState, minutesOf, rateBits, type Schedule } from "../../src-shared/model/limit.ts";
import { localTime } from "./local-time.ts";

export interface EffectiveLimit {
  state: LimitState;
  /** Bits per second; undefined where nothing holds the client back. */
  down: number | undefined;
  up: number | undefined;
}

/** @param usedBytes in the present month of the quota */
export function effectiveLimit(limit: ClientLimit, usedBytes: number, nowMs: number): EffectiveLimit {
  const { schedule, quota } = limit;
  const within = schedule === undefined || isWithin(schedule, nowMs);
  const cutOff = (state: LimitState) => ({ state, down: undefined, up: undefined });
  if (!within && schedule.outside === "pause") return cutOff("paused-by-schedule");
  const exhausted = quota !== undefined && usedBytes >= quota.bytes;
  if (exhausted && quota.action === "pause") return cutOff("paused-by-quota");
  const down = within ? bits(limit.down) : undefined;
  const up = within ? bits(limit.up) : undefined;
  if (exhausted && quota.action !== "pause") {
    const slow = rateBits(quota.action.slow);
    return { state: "slowed", down: Math.min(slow, down ?? slow), up: Math.min(slow, up ?? slow) };
  }
  return { state: down === undefined && up === undefined ? "unlimited" : "limited", down, up };
}

/** Whether a window is open: its first minute counts, its last does not. */
export function isWithin({ timeZone, windows }: Schedule, nowMs: number): boolean {
  const { weekDay, minutes } = localTime(nowMs, timeZone);
  return windows.some(
    ({ days, from, to }) =>
      days.includes(weekDay) && minutes >= (minutesOf(from) ?? 1440) && minutes < (minutesOf(to) ?? 0),
  );
}

function bits(rate: string | undefined): number | undefined {
  return rate === undefined ? undefined : rateBits(rate);
}
