/** `host:port` as WireGuard writes it: IPv6 addresses in square brackets. */
import { z } from "zod";
import { addressSchema, parseAddress } from "./address.ts";

export const portSchema = z.int().min(1).max(65535);

/** Host name after RFC 1123: labels of letters, digits and hyphens, 253 characters at most. */
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

export const hostSchema = z.union([
  addressSchema,
  z
    .string()
    .regex(HOST_NAME, "not a host name")
    .refine((host) => !/^[0-9.]+$/.test(host), "not an IP address"),
]);

export const endpointSchema = z.strictObject({ host: hostSchema, port: portSchema });

export type Endpoint = z.infer<typeof endpointSchema>;

export function formatEndpoint({ host, port }: Endpoint): string {
  return parseAddress(host)?.family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Parses `host:port`, `1.2.3.4:port` or `[v6]:port`; undefined when it is none of these. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]{2,45})\]|([^:[\]]{1,253})):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const bracketed = match[1];
  if (bracketed !== undefined && parseAddress(bracketed)?.family !== 6) return undefined;
  const parsed = endpointSchema.safeParse({ host: bracketed ?? match[2], port: Number(match[3]) });
  return parsed.success ? parsed.data : undefined;
}
