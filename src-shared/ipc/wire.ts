/**
 * How calls and events travel: as JSON documents, one per line on the control socket, one per message
 * on the panel's WebSocket and on Electron's IPC.
 *
 * A connection gets no event before it calls `subscribe`; the answer to that call carries nothing, the
 * current value of every revised state follows as an event of its own.
 */
import { z } from "zod";
import { higgsErrorSchema } from "../result.ts";

/** The longest call: settings with every list at its limit stay far below this. */
export const MAX_CALL_CHARACTERS = 64 * 1024;

/** Calls of one connection that may be under way at once. */
export const MAX_CALLS_IN_FLIGHT = 32;

export const SUBSCRIBE = "subscribe";

export const ipcRequestSchema = z.strictObject({
  id: z.int().nonnegative(),
  call: z.string().max(64),
  input: z.unknown().optional(),
});

export const ipcMessageSchema = z.union([
  z.object({ id: z.int(), ok: z.literal(true), output: z.unknown() }),
  z.object({ id: z.int().nullable(), ok: z.literal(false), error: higgsErrorSchema }),
  z.object({ event: z.string(), payload: z.unknown() }),
]);

export type IpcRequest = z.infer<typeof ipcRequestSchema>;
export type IpcMessage = z.infer<typeof ipcMessageSchema>;
