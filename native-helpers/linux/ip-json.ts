/** Links, addresses and routes as ip(8) reports them with `-json`. */
import { z } from "zod";
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import { isGlobalUnicast } from "../../src-shared/net/global-unicast.ts";
import type { ObservedLink, ObservedRoute } from "../../src-shared/network-observation.ts";
import type { Run } from "./run.ts";

const linkSchema = z.object({
  ifname: z.string(),
  flags: z.array(z.string()).default([]),
  mtu: z.number().int().default(0),
  linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
  addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.number().int().optional() })).default([]),
});

const routeSchema = z.object({
  dst: z.string(),
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  dev: z.string().optional(),
  metric: z.number().int().default(0),
  type: z.string().optional(),
  nexthops: z.array(z.object({ gateway: z.string().optional(), dev: z.string().optional() })).optional(),
});

export type IpLink = ObservedLink;

export async function readLinks(run: Run): Promise<IpLink[]> {
  return links(await run("ip", ["-json", "-details", "address", "show"]));
}

export async function readLink(run: Run, name: string): Promise<IpLink | undefined> {
  return links(await run("ip", ["-json", "-details", "address", "show", "dev", name]))[0];
}

function links({ code, stdout }: { code: number | null; stdout: string }): IpLink[] {
  if (code !== 0) return [];
  // ip prints an empty object for a link it leaves out.
  const parsed = z.array(z.union([linkSchema, z.object({})])).safeParse(parseJson(stdout));
  if (!parsed.success) return [];
  return parsed.data.flatMap((link) => {
    if (!("ifname" in link)) return [];
    return {
      name: link.ifname,
      up: link.flags.includes("UP"),
      kind: link.linkinfo?.info_kind ?? null,
      mtu: link.mtu,
      addresses: link.addr_info.flatMap(({ local, prefixlen }) =>
        local === undefined || prefixlen === undefined ? [] : `${local}/${prefixlen}`,
      ),
    };
  });
}

/** Unicast routes of the main table, both families; a multipath route counts once per next hop. */
export async function readRoutes(run: Run): Promise<ObservedRoute[]> {
  const routes: ObservedRoute[] = [];
  for (const family of [4, 6] as const) {
    const ran = await run("ip", ["-json", `-${family}`, "route", "show", "table", "main"]);
    const parsed = z.array(routeSchema).safeParse(ran.code === 0 ? parseJson(ran.stdout) : []);
    for (const route of parsed.success ? parsed.data : []) {
      if (route.type !== undefined && route.type !== "unicast") continue;
      for (const hop of route.nexthops ?? [{ gateway: route.gateway ?? route.via?.host, dev: route.dev }]) {
        routes.push({
          family,
          destination: destinationOf(route.dst),
          gateway: hop.gateway ?? null,
          interfaceName: hop.dev ?? null,
          metric: route.metric,
          onLink: hop.gateway === undefined,
        });
      }
    }
  }
  return routes;
}

/**
 * Prefixes a DHCPv6 client was delegated: it bars what is not assigned to a link, so that nothing of it goes back to the
 * provider in circles (RFC 7084, section 4.3, WPD-5).
 */
export async function readHeldPrefixes(run: Run): Promise<string[]> {
  const ran = await run("ip", ["-json", "-6", "route", "show", "table", "main"]);
  const parsed = z.array(routeSchema).safeParse(ran.code === 0 ? parseJson(ran.stdout) : []);
  const barred = parsed.success ? parsed.data.filter(({ type }) => type === "unreachable" || type === "blackhole") : [];
  return barred.flatMap(({ dst }) => {
    const prefix = parsePrefix(dst);
    return prefix !== undefined && isGlobalUnicast(prefix) ? [formatPrefix(prefix)] : [];
  });
}

/** ip prints a host route without its length. */
function destinationOf(text: string): string {
  if (text === "default" || text.includes("/")) return text;
  const address = parseAddress(text);
  if (address === undefined) return text;
  return `${formatAddress(address)}/${address.family === 4 ? 32 : 128}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text === "" ? "[]" : text);
  } catch {
    return undefined;
  }
}
