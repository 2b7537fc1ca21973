/** The description of an Internet Gateway Device (UPnP Device Architecture 1.1, section 2): which services map ports or open the IPv6 firewall, and where. Pure. */
import { FIREWALL_CONTROL_V1 } from "./ssdp-message.ts";
import { descendants, isNamed, parseXml, textOf } from "./xml.ts";

/** The better ones first: version 2 can choose a free port itself. */
export const MAPPING_SERVICES: readonly string[] = [
  "urn:schemas-upnp-org:service:WANIPConnection:2",
  "urn:schemas-upnp-org:service:WANIPConnection:1",
  "urn:schemas-upnp-org:service:WANPPPConnection:1",
];

export const FIREWALL_SERVICES: readonly string[] = [FIREWALL_CONTROL_V1];

/** A router with several lines has one such service for each; more than these are not asked. */
const MAX_SERVICES = 4;

export interface IgdService {
  serviceType: string;
  /** Absolute, on the host of the description. */
  controlUrl: string;
}

export type IgdDescription =
  | { kind: "services"; services: IgdService[] }
  | { kind: "not-a-description" }
  /** A service's address is on another host than the description. */
  | { kind: "foreign-address" };

/**
 * @param location where the text came from, an absolute http URL
 * @param wanted service types, the better first
 */
export function readIgdDescription(
  text: string,
  location: string,
  wanted: readonly string[] = MAPPING_SERVICES,
): IgdDescription {
  const root = parseXml(text);
  if (root === undefined || !isNamed(root, "root")) return { kind: "not-a-description" };
  const base = textOf(root, "URLBase") || location;
  const services: IgdService[] = [];
  let foreign = false;
  for (const element of descendants(root)) {
    if (!isNamed(element, "service")) continue;
    const serviceType = textOf(element, "serviceType") ?? "";
    if (!wanted.includes(serviceType)) continue;
    const controlUrl = resolveOnHost(textOf(element, "controlURL") ?? "", base, location);
    if (controlUrl === undefined) foreign = true;
    else services.push({ serviceType, controlUrl });
  }
  if (services.length === 0 && foreign) return { kind: "foreign-address" };
  services.sort((a, b) => wanted.indexOf(a.serviceType) - wanted.indexOf(b.serviceType));
  return { kind: "services", services: services.slice(0, MAX_SERVICES) };
}

/** Undefined when the result is no http URL on the host of `location`. The port may differ. */
function resolveOnHost(relative: string, base: string, location: string): string | undefined {
  const url = URL.canParse(relative, base) ? new URL(relative, base) : undefined;
  const host = new URL(location).hostname;
  return url?.protocol === "http:" && url.hostname === host && relative !== "" ? url.href : undefined;
}
