/** What the three port mapping protocols have in common. */
import { z } from "zod";
import { type MappingProtocol, mappingProtocolSchema } from "../../src-shared/model/port-mapping.ts";
import { addressSchema } from "../../src-shared/net/address.ts";
import { portSchema } from "../../src-shared/net/endpoint.ts";
import type { Result } from "../../src-shared/result.ts";

export const transportSchema = z.enum(["udp", "tcp"]);

export type Transport = z.infer<typeof transportSchema>;

/** The network that a router serves, as this machine is in it. */
export interface HomeNetwork {
  /** The router's address. */
  readonly gateway: string;
  /** This machine's own address there: where the router sends what it forwards. */
  readonly address: string;
  /** The prefix both are in; null where it is not known, and nobody but the gateway is then spoken to. */
  readonly lanPrefix: string | null;
}

export interface MappingRequest {
  readonly transport: Transport;
  readonly internalPort: number;
  /** What is asked for; the router may grant another. */
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
  /** Shown in the router's own list, where the protocol has a place for it. */
  readonly description: string;
}

/**
 * A mapping that a router has granted, or may have granted: everything that is needed to renew and to delete it, by
 * another run of the program too.
 */
export const mappingSchema = z.object({
  protocol: mappingProtocolSchema,
  gateway: addressSchema,
  /** This machine's own address. */
  address: addressSchema,
  /** The address the router knows this machine by, where that is another: behind a router in between. */
  clientAddress: addressSchema.optional(),
  transport: transportSchema,
  internalPort: portSchema,
  /** Null as long as the router has not told. */
  externalAddress: addressSchema.nullable(),
  externalPort: portSchema,
  /** As granted; 0 for a permanent one, which only a deletion ends. */
  lifetimeSeconds: z.int().nonnegative(),
  /** PCP: 12 random octets in hexadecimal, without which nobody can delete the mapping (RFC 6887, section 11.1). */
  nonce: z
    .string()
    .regex(/^[0-9a-f]{24}$/)
    .optional(),
  /** UPnP: where and to which service the router's control requests go. */
  control: z.object({ url: z.string().max(512), serviceType: z.string().max(128) }).optional(),
  /** An opening in the router's IPv6 firewall (UPnP) in place of a mapping; null as long as the router has not named it. */
  pinhole: z.object({ id: z.int().min(0).max(65_535).nullable() }).optional(),
});

export type Mapping = z.infer<typeof mappingSchema>;

/**
 * Speaks one protocol with one router. Every method takes an AbortSignal and fails with the code `aborted` soon after
 * it fires; every failure is a value whose code is one of `mapping-errors.ts`.
 */
export interface MappingClient {
  readonly protocol: MappingProtocol;
  /** Whether the router speaks it. Changes nothing at the router. */
  probe(signal: AbortSignal): Promise<Result<void>>;
  /**
   * Maps, or renews what is mapped. `onIntent` is told what will be asked for before anything is sent, so that it can be
   * written down.
   */
  map(
    request: MappingRequest,
    options: { signal: AbortSignal; former?: Mapping; onIntent?: (intent: Mapping) => void },
  ): Promise<Result<Mapping>>;
  /** Deletes; a mapping that is gone already is deleted. */
  unmap(mapping: Mapping, signal: AbortSignal): Promise<Result<void>>;
  /** Whether the router still has the mapping; `mapping-lost` where it is known to have forgotten it. */
  verify(mapping: Mapping, signal: AbortSignal): Promise<Result<void>>;
  externalAddress(signal: AbortSignal): Promise<Result<string>>;
}

/** @returns the address the router knows this machine by */
export function clientAddressOf({ clientAddress, address }: Pick<Mapping, "clientAddress" | "address">): string {
  return clientAddress ?? address;
}

/** One per mapping that is wanted. */
export function mappingKey({ transport, internalPort }: Pick<Mapping, "transport" | "internalPort">): string {
  return `${transport}:${internalPort}`;
}
