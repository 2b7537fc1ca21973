/** SSDP, by which UPnP devices are found (UPnP Device Architecture 1.1, section 1): searches, answers, announcements. Pure. */
import { Buffer } from "node:buffer";

export const SSDP_GROUP = "239.255.255.250";
/** The link-local scope (UPnP Device Architecture 1.1, annex A.3): a router in front of the home is on the link. */
export const SSDP_GROUP_IPV6 = "ff02::c";
export const SSDP_PORT = 1900;

/** Answers have some 400 octets; what is much longer is none. */
export const MAX_SSDP_BYTES = 4096;
const MAX_HEADERS = 64;

export const IGD_V1 = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
export const IGD_V2 = "urn:schemas-upnp-org:device:InternetGatewayDevice:2";
export const FIREWALL_CONTROL_V1 = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1";

/**
 * A search for `target`. @param maxWaitSeconds over how long devices spread their answers (MX); left out to one device,
 * which then answers at once (section 1.3.2)
 */
export function encodeSearch(target: string, host: string, maxWaitSeconds?: number): Buffer {
  const lines = ["M-SEARCH * HTTP/1.1", `HOST: ${host}`, 'MAN: "ssdp:discover"', `ST: ${target}`];
  if (maxWaitSeconds !== undefined) lines.push(`MX: ${maxWaitSeconds}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

export interface SsdpFacts {
  /** Where the description is; as sent, not yet believed. */
  location: string | undefined;
  /** ST of an answer, NT of an announcement. */
  target: string;
  usn: string;
  /** Grows with each restart of the device; undefined before version 1.1 of the architecture. */
  bootId: string | undefined;
}

export type SsdpMessage =
  | { kind: "answer"; facts: SsdpFacts }
  | { kind: "alive" | "byebye" | "update"; facts: SsdpFacts };

/** An answer to a search, or an announcement; undefined for anything else. */
export function decodeSsdp(message: Uint8Array): SsdpMessage | undefined {
  if (message.length > MAX_SSDP_BYTES) return undefined;
  const text = Buffer.from(message.buffer, message.byteOffset, message.length).toString("latin1");
  const [start = "", ...lines] = text.split(/\r?\n/, MAX_HEADERS);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const facts = (target: string): SsdpFacts => ({
    location: headers.get("location"),
    target,
    usn: headers.get("usn") ?? "",
    bootId: headers.get("bootid.upnp.org"),
  });
  if (/^HTTP\/1\.[01] 200\b/i.test(start)) {
    const target = headers.get("st");
    return target === undefined ? undefined : { kind: "answer", facts: facts(target) };
  }
  if (!/^NOTIFY \* HTTP\/1\.[01]$/i.test(start.trimEnd())) return undefined;
  const target = headers.get("nt");
  const kind = KINDS.get(headers.get("nts")?.toLowerCase() ?? "");
  return target === undefined || kind === undefined ? undefined : { kind, facts: facts(target) };
}

const KINDS: ReadonlyMap<string, "alive" | "byebye" | "update"> = new Map([
  ["ssdp:alive", "alive"],
  ["ssdp:byebye", "byebye"],
  ["ssdp:update", "update"],
]);
