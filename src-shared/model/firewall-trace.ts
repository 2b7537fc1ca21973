/** Why a packet of a guest's gets through or not: the rules it meets, in order, and what a real one met. */
import { z } from "zod";
import { addressSchema } from "../net/address.ts";
import { portSchema } from "../net/endpoint.ts";

export const firewallTraceQuerySchema = z.strictObject({
  /** A client's name or id. */
  client: z.string().min(1).max(256),
  to: addressSchema,
  port: portSchema,
  protocol: z.enum(["tcp", "udp"]).default("tcp"),
});

export const firewallTraceStepSchema = z.object({
  /** Such as `filter FORWARD` or `route`. */
  place: z.string(),
  /** The rule as `iptables-save` prints it, or what was looked up. */
  rule: z.string(),
  /** Who owns it, such as `HiggsNode`, `ufw`, `Docker`, `firewalld`, `libvirt`, `policy` or `another program`. */
  owner: z.string(),
  effect: z.enum(["passes", "drops", "rejects", "translates", "unclear"]),
});

export const firewallTraceSchema = z.object({
  verdict: z.enum(["passes", "blocked", "unclear"]),
  /** One sentence: what decides, and what to do where something can be done. */
  reason: z.string(),
  fix: z.string().optional(),
  steps: z.array(firewallTraceStepSchema),
  /** What a real packet met; absent where none was sent. */
  probe: z.object({ outcome: z.enum(["answered", "refused", "silence", "not-sent"]), detail: z.string() }).optional(),
});

export type FirewallTraceQuery = z.infer<typeof firewallTraceQuerySchema>;
export type FirewallTraceStep = z.infer<typeof firewallTraceStepSchema>;
export type FirewallTrace = z.infer<typeof firewallTraceSchema>;
