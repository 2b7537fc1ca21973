/** SOAP as UPnP uses it (UPnP Device Architecture 1.1, section 3): actions and what is answered to them. Pure. */
import { child, descendants, escapeXml, isNamed, parseXml, textOf } from "./xml.ts";

/** The text of a request, and the headers that belong to it. */
export function encodeAction(serviceType: string, action: string, args: readonly (readonly [string, string])[]) {
  const inner = args.map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`).join("");
  const body =
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action} xmlns:u="${escapeXml(serviceType)}">${inner}</u:${action}>` +
    "</s:Body></s:Envelope>\r\n";
  return {
    body,
    headers: { "Content-Type": 'text/xml; charset="utf-8"', SOAPAction: `"${serviceType}#${action}"` },
  };
}

export type SoapAnswer =
  | { kind: "result"; values: ReadonlyMap<string, string> }
  /** UPnPError: codes of UPnP IGD:1 and IGD:2 WANIPConnection, section 2.4. */
  | { kind: "error"; code: number; description: string }
  | { kind: "not-soap" };

/** @param action that was called (UPnP Device Architecture 1.1, section 3.2.2); an answer to another one is `not-soap` */
export function decodeAnswer(action: string, text: string): SoapAnswer {
  const root = parseXml(text);
  if (root === undefined || !isNamed(root, "Envelope")) return { kind: "not-soap" };
  const body = child(root, "Body");
  const answer = body && child(body, `${action}Response`);
  if (answer !== undefined) {
    return { kind: "result", values: new Map(answer.children.map(({ name, text: value }) => [name, value.trim()])) };
  }
  for (const element of descendants(root)) {
    if (!isNamed(element, "UPnPError")) continue;
    const code = Number(textOf(element, "errorCode"));
    if (!Number.isInteger(code)) break;
    return { kind: "error", code, description: (textOf(element, "errorDescription") ?? "").slice(0, 200) };
  }
  return { kind: "not-soap" };
}

/** Error codes that lead to something else than giving up. */
export const UPNP_ERROR = {
  // WANIPv6FirewallControl:1, section 2.5. Its 702 to 709 mean other things elsewhere.
  pinholeSpaceExhausted: 701,
  firewallDisabled: 702,
  inboundPinholeNotAllowed: 703,
  noSuchPinhole: 704,
  invalidAction: 401,
  invalidArgs: 402,
  actionFailed: 501,
  optionalActionNotImplemented: 602,
  notAuthorised: 606,
  noSuchEntry: 714,
  wildcardExternalPort: 716,
  conflict: 718,
  samePortValuesRequired: 724,
  onlyPermanentLeases: 725,
  remoteHostOnlyWildcard: 726,
  noPortMapsAvailable: 728,
  conflictWithOtherMechanisms: 729,
} as const;
