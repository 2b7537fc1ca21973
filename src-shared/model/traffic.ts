/** How much passes through the node; rx = received from guests, tx = sent to guests, both counted in the tunnel. */
import { z } from "zod";
import { timestampSchema } from "./client.ts";

export const trafficRangeSchema = z.enum(["5min", "1h", "24h"]);

/** Means over the time since the point before. */
export const trafficPointSchema = z.object({
  at: timestampSchema,
  rxBytesPerSecond: z.number().nonnegative(),
  txBytesPerSecond: z.number().nonnegative(),
});

/** Oldest first; a gap in which the node did not share has no points. */
export const trafficHistorySchema = z.object({
  range: trafficRangeSchema,
  stepSeconds: z.int().positive(),
  points: z.array(trafficPointSchema),
});

const sumSchema = z.object({ rxBytes: z.int().nonnegative(), txBytes: z.int().nonnegative() });

/** Sums of all guests, removed ones included, over the day and the month of the machine's time zone. */
export const trafficTotalsSchema = z.object({ today: sumSchema, month: sumSchema });

export type TrafficRange = z.infer<typeof trafficRangeSchema>;
export type TrafficPoint = z.infer<typeof trafficPointSchema>;
export type TrafficHistory = z.infer<typeof trafficHistorySchema>;
export type TrafficTotals = z.infer<typeof trafficTotalsSchema>;
