/**
 * The part of the desired state that says how fast guests may be. Rates are bits per second of the IP packets inside
 * the tunnel, headers included; down is towards the guest.
 */
import { z } from "zod";
import { addressSchema, containsAddress, type Prefix, parseAddress } from "./net/address.ts";

/** Below this a single full packet takes longer than a second and a half. */
export const MIN_RATE_BITS_PER_SECOND = 8_000;
/** Faster than any uplink a home has; far inside what the kernel counts without overflow. */
export const MAX_RATE_BITS_PER_SECOND = 100_000_000_000;

/** Room for one full packet; no limit could let it through otherwise. */
const MIN_BURST_BYTES = 1_600;
/** More at once than this is no limit any more: a second at 128 Mbit/s. */
const MAX_BURST_BYTES = 16 * 1024 * 1024;

/**
 * Traffic classes are numbered with 16 bits (tc(8), "IDS"). 1 is the class that all others are in and the last one is
 * for guests without a class of their own, so clients have what lies between.
 */
const FIRST_CLASS_ID = 2;
const LAST_CLASS_ID = 0xfffe;

/** One limited client per peer at most (MAX_PEERS in network-spec.ts, which imports this file). */
const MAX_LIMITED_CLIENTS = 4096;

export const rateBitsSchema = z.int().min(MIN_RATE_BITS_PER_SECOND).max(MAX_RATE_BITS_PER_SECOND);
export const burstBytesSchema = z.int().min(MIN_BURST_BYTES).max(MAX_BURST_BYTES);
/** 10 goes first. */
export const prioritySchema = z.int().min(1).max(10);

const clientLimitSpecSchema = z.strictObject({
  /** The same for as long as the client exists, so that a change of one client touches only its own class. */
  classId: z.int().min(FIRST_CLASS_ID).max(LAST_CLASS_ID),
  /** The client's tunnel addresses, one per family at most. */
  addresses: z.array(addressSchema).min(1).max(2),
  downBitsPerSecond: rateBitsSchema.optional(),
  upBitsPerSecond: rateBitsSchema.optional(),
  /** What may pass at once after a pause; the helper takes what suits the rate where this is absent. */
  burstBytes: burstBytesSchema.optional(),
  priority: prioritySchema,
});

export const limitsSpecSchema = z.strictObject({
  /** What all guests together may use; without it only the clients' own limits hold, and priorities mean nothing. */
  total: z
    .strictObject({ downBitsPerSecond: rateBitsSchema.optional(), upBitsPerSecond: rateBitsSchema.optional() })
    .optional(),
  clients: z.array(clientLimitSpecSchema).max(MAX_LIMITED_CLIENTS),
});

export type LimitsSpec = z.infer<typeof limitsSpecSchema>;
export type ClientLimitSpec = z.infer<typeof clientLimitSpecSchema>;

/** The last 16 bits of an address: guests are found by them, so no two of a family may have them in common. */
export function hostBitsOf(value: bigint): number {
  return Number(value & 0xffffn);
}

/** What the shape alone cannot say; `path` is below `limits`. */
export function* limitsProblems(
  limits: LimitsSpec,
  guests: readonly Prefix[],
): Generator<{ path: (string | number)[]; message: string }> {
  const classIds = new Set<number>();
  const taken = new Set<string>();
  for (const [index, client] of limits.clients.entries()) {
    const path = ["clients", index];
    if (classIds.has(client.classId)) yield { path, message: `the class ${client.classId} twice` };
    classIds.add(client.classId);
    const families = new Set<number>();
    for (const text of client.addresses) {
      const address = parseAddress(text);
      // No address at all: the field's own schema has said so, but these checks still run.
      if (address === undefined) continue;
      if (families.has(address.family)) yield { path, message: "two addresses of one family" };
      families.add(address.family);
      if (!guests.some((guest) => containsAddress(guest, address))) {
        yield { path, message: `${text} is not in the guest network` };
      }
      const key = `${address.family}:${hostBitsOf(address.value)}`;
      if (taken.has(key)) yield { path, message: `${text} ends like the address of another client` };
      taken.add(key);
    }
  }
}
