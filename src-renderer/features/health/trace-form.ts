/** What the owner writes into the form of the trace, as a query. Pure. */
import { type FirewallTraceQuery, firewallTraceQuerySchema } from "../../../src-shared/model/firewall-trace.ts";

export interface TraceDraft {
  readonly client: string;
  readonly to: string;
  readonly port: string;
  readonly protocol: "tcp" | "udp";
}

export type TraceField = "client" | "to" | "port";

export type ParsedTrace =
  | { readonly ok: true; readonly query: FirewallTraceQuery }
  | { readonly ok: false; readonly wrong: ReadonlySet<TraceField> };

/** The query, or the fields that do not hold what they should. */
export function parseTrace({ client, to, port, protocol }: TraceDraft): ParsedTrace {
  const parsed = firewallTraceQuerySchema.safeParse({
    client,
    to: to.trim().replace(/^\[(.*)\]$/, "$1"),
    port: /^[0-9]{1,5}$/.test(port.trim()) ? Number(port) : undefined,
    protocol,
  });
  if (parsed.success) return { ok: true, query: parsed.data };
  const fields = ["client", "to", "port"] as const;
  return {
    ok: false,
    wrong: new Set(fields.filter((field) => parsed.error.issues.some(({ path }) => path[0] === field))),
  };
}
