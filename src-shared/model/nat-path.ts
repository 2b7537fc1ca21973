/**
 * What stands between this computer and the internet, hop by hop, as far as it is known, and what that means for
 * whoever wants to be reached.
 */
import { z } from "zod";
import { addressSchema } from "../net/address.ts";
import { higgsErrorSchema } from "../result.ts";

export const natHopSchema = z.object({
  kind: z.enum(["home-router", "second-router", "carrier"]),
  /** On the side of this computer; null where it is not known. */
  address: addressSchema.nullable(),
  /** On the side of the internet, as the hop itself or somebody behind it tells; null where it is not known. */
  externalAddress: addressSchema.nullable(),
  /**
   * How it is known: this computer's default route, what the router answers to a mapping protocol, a packet that was
   * let expire at the hop, or what a server in the internet sees.
   */
  learntFrom: z.array(z.enum(["default-route", "pcp", "nat-pmp", "upnp", "expired-packet", "outside"])).min(1),
});

export const natAdviceCodeSchema = z.enum([
  "bridge-mode",
  "forward-on-second-router",
  "forward-on-router",
  "ask-for-public-address",
  "use-ipv6",
  "check-firewall",
  "relay-meanwhile",
  "set-up-relay",
]);

/** One thing the owner can do, in words. */
export const natAdviceSchema = z.object({ code: natAdviceCodeSchema, text: z.string() });

export const natVerdictSchema = z.enum([
  /** This computer has the address the internet sees. */
  "no-nat",
  /** One router, whose address is the one the internet sees, or may be. */
  "one-nat",
  /** A second router at home stands in front of the first. */
  "double-nat",
  /** The provider shares one address among several customers (RFC 6598). */
  "carrier-nat",
  /** The router has no public address, and it is not known who stands in front of it. */
  "another-nat",
  /** The router names an address that the internet does not see. */
  "false-address",
]);

export const natPathSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("unknown"), reason: higgsErrorSchema }),
  z.object({
    state: z.literal("known"),
    verdict: natVerdictSchema,
    /** From this computer outwards. */
    hops: z.array(natHopSchema),
    /** The address the internet sees; null as long as nobody out there was asked. */
    publicAddress: addressSchema.nullable(),
    /** What is wrong with it; null where nothing is. */
    reason: higgsErrorSchema.nullable(),
    advice: z.array(natAdviceSchema),
  }),
]);

export type NatHop = z.infer<typeof natHopSchema>;
export type NatAdviceCode = z.infer<typeof natAdviceCodeSchema>;
export type NatAdvice = z.infer<typeof natAdviceSchema>;
export type NatVerdict = z.infer<typeof natVerdictSchema>;
export type NatPath = z.infer<typeof natPathSchema>;
