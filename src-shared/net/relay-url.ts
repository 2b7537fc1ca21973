/** The address of a relay server, `wss://host[:port][/path]`: what owners write and programs dial. */
import { z } from "zod";
import { containsAddress, formatAddress, parseAddress, prefix } from "./address.ts";
import { hostSchema, portSchema } from "./endpoint.ts";

export interface RelayUrl {
  /** False for `ws://`, which anybody on the way can read and change; what it carries is WireGuard's ciphertext. */
  readonly secure: boolean;
  /** Host name in lower case, or an address in canonical form without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty, or begins with `/` and does not end with one: a relay behind a proxy may have a path. */
  readonly path: string;
}

const RELAY_URL =
  /^(wss?):\/\/(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9.-]{1,253}))(?::([0-9]{1,5}))?((?:\/[\w.~-]{1,64}){0,8})\/?$/i;
const MAX_RELAY_URL_CHARACTERS = 512;
const LOOPBACK = [prefix("127.0.0.0/8"), prefix("::1/128")];

/** Parses `wss://…` or `ws://…`; undefined for anything else, a query or a user name included. */
export function parseRelayUrl(text: string): RelayUrl | undefined {
  if (text.length > MAX_RELAY_URL_CHARACTERS) return undefined;
  const match = RELAY_URL.exec(text);
  if (match === null) return undefined;
  const [, scheme, bracketed, plain, portText, path = ""] = match;
  const secure = scheme?.toLowerCase() === "wss";
  if (bracketed !== undefined && parseAddress(bracketed)?.family !== 6) return undefined;
  const host = hostSchema.safeParse(bracketed ?? plain);
  const port = portSchema.safeParse(portText === undefined ? defaultPort(secure) : Number(portText));
  if (!host.success || !port.success) return undefined;
  return { secure, host: normaliseHost(host.data), port: port.data, path };
}

/** The one form in which two addresses of the same server are equal: no default port, no slash at the end. */
export function formatRelayUrl({ secure, host, port, path }: RelayUrl): string {
  const shown = parseAddress(host)?.family === 6 ? `[${host}]` : host;
  return `${secure ? "wss" : "ws"}://${shown}${port === defaultPort(secure) ? "" : `:${port}`}${path}`;
}

/** Whether plain `ws://` stays on this machine. */
export function isLoopbackHost(host: string): boolean {
  const address = parseAddress(host);
  if (address === undefined) return host === "localhost";
  return LOOPBACK.some((one) => containsAddress(one, address));
}

/** A host as it is compared: lower case, addresses in canonical form. */
export function normaliseHost(host: string): string {
  const address = parseAddress(host);
  return address === undefined ? host.toLowerCase() : formatAddress(address);
}

export const relayUrlSchema = z
  .string()
  .refine((text) => parseRelayUrl(text) !== undefined, "not a relay's address in the form wss://relay.example.org")
  .transform((text) => formatRelayUrl(parseRelayUrl(text) as RelayUrl));

function defaultPort(secure: boolean): number {
  return secure ? 443 : 80;
}
