/** A guest who was given a configuration: what the owner sees of them. */
import { z } from "zod";
import { addressSchema } from "../net/address.ts";
import { wireguardKeySchema } from "../net/wireguard-key.ts";
import { shownLimitSchema, shownQuotaSchema } from "./limit.ts";

/**
 * 1 to 48 characters: letters, digits, space, `.`, `_`, `-`, `'`, beginning with a letter or digit.
 * Names are compared without regard to case, in Unicode normal form C.
 */
export const clientNameSchema = z
  .string()
  .max(256, "a name has at most 48 characters")
  .transform((name) => name.normalize("NFC"))
  .refine((name) => [...name].length <= 48, "a name has at most 48 characters")
  .refine(
    (name) => /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._'-]*$/u.test(name) && !name.endsWith(" "),
    "a name begins with a letter or digit and has only letters, digits, spaces and . _ - '",
  );

/** The form in which two names are compared. */
export function clientNameKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

export const timestampSchema = z.iso.datetime();

export const clientSchema = z.object({
  id: z.string(),
  name: z.string(),
  publicKey: wireguardKeySchema,
  /** One per family the node serves, without prefix length. */
  addresses: z.array(addressSchema),
  createdAt: timestampSchema,
  paused: z.boolean(),
  /** A handshake within the last three minutes (WireGuard's REJECT_AFTER_TIME). */
  connected: z.boolean(),
  /** Bytes since the client was added; rx = received from the client. */
  usage: z.object({ rxBytes: z.number().int().nonnegative(), txBytes: z.number().int().nonnegative() }),
  lastHandshakeAt: timestampSchema.optional(),
  /** Over the last two seconds or so, while connected. */
  rate: z.object({ rxBytesPerSecond: z.number().nonnegative(), txBytesPerSecond: z.number().nonnegative() }).optional(),
  /** How the client's packets come in, while connected. */
  way: z.enum(["direct", "relay"]).optional(),
  limit: shownLimitSchema.optional(),
  quota: shownQuotaSchema.optional(),
});

export type Client = z.infer<typeof clientSchema>;

/** WireGuard gives a session up after REJECT_AFTER_TIME = 180 s (WireGuard paper, section 6.2). */
export const CONNECTED_WITHIN_MS = 180_000;

export const clientConfigSchema = z.object({
  client: clientSchema,
  /** Text for `wg-quick up`, its only secret the client's private key. */
  config: z.string(),
  /** When the private key is forgotten; absent where the owner asked to keep it. */
  shownUntil: timestampSchema.optional(),
});

export type ClientConfig = z.infer<typeof clientConfigSchema>;
