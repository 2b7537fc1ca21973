/** Where the kernel would send a packet: ip-route(8), `ip route get`. */
import { z } from "zod";
import type { RouteLookup } from "../../src-shared/helper/diagnostics.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import type { RouteQuestion } from "../diagnostics.ts";
import type { Run } from "./run.ts";

const answerSchema = z
  .array(
    z.object({
      type: z.string().optional(),
      dev: z.string().optional(),
      gateway: z.string().optional(),
      via: z.object({ host: z.string() }).optional(),
    }),
  )
  .min(1);

export async function lookUpRoute(run: Run, { to, from, interfaceName }: RouteQuestion): Promise<RouteLookup> {
  const family = parseAddress(to)?.family === 6 ? "-6" : "-4";
  const args = ["-json", family, "route", "get", to];
  if (from !== undefined) args.push("from", from);
  if (interfaceName !== undefined) args.push("iif", interfaceName);
  const ran = await run("ip", args);
  if (ran.code !== 0) return { state: "none", reason: reasonOf(ran.stderr) };
  const parsed = answerSchema.safeParse(parseJson(ran.stdout));
  const route = parsed.success ? parsed.data[0] : undefined;
  if (route === undefined) return { state: "none", reason: "ip(8) printed nothing that could be read." };
  const kind = route.type ?? "unicast";
  if (kind !== "unicast" && kind !== "local") return { state: "none", reason: `the route says ${kind}` };
  return {
    state: "found",
    kind,
    interfaceName: route.dev ?? null,
    gateway: route.gateway ?? route.via?.host ?? null,
  };
}

/** `RTNETLINK answers: Network is unreachable`; the kernel's EXDEV is what reverse path filtering says. */
function reasonOf(complaint: string): string {
  const said = /RTNETLINK answers: (.+)/.exec(complaint)?.[1]?.trim() ?? complaint.trim().split("\n")[0] ?? "";
  if (/cross-device link/i.test(said)) return "reverse path filtering (rp_filter) refuses the source address";
  return said === "" ? "no route" : said;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
