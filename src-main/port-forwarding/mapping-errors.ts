/** Every way in which a router can fail to map a port, each with a code, a sentence and an advice. */
import { fail } from "../../src-shared/result.ts";

const SWITCH_IT_ON =
  "Switch on UPnP, NAT-PMP or PCP in your router's settings, or forward the port to this computer by hand.";
const BY_HAND = "Forward the port to this computer by hand in your router's settings, or restart the router.";

const ERRORS = {
  aborted: ["Port mapping was interrupted.", undefined],
  "no-gateway": ["This network has no router that could forward a port.", "Connect the computer to your router."],
  "router-silent": ["Your router does not answer requests to forward a port.", SWITCH_IT_ON],
  "router-refused": ["Your router offers no way to have a port forwarded.", SWITCH_IT_ON],
  "not-authorised": [
    "Your router refuses to forward ports for this computer.",
    "Allow it in your router's settings (UPnP or port mapping), or forward the port by hand.",
  ],
  "no-public-address": [
    "Your router has no public address of its own: another router or your provider stands in front of it.",
    "Put the router in front into bridge mode, or ask your provider for a public address. The relay can carry guests meanwhile.",
  ],
  "port-conflict": [
    "Every port that was tried is taken by another device on your router.",
    "Remove old forwardings in your router's settings, or restart it.",
  ],
  "router-full": ["Your router has no room for another forwarding.", "Restart your router, or remove old forwardings."],
  "router-unsupported": ["Your router does not support the forwarding that was asked for.", BY_HAND],
  "router-network-down": [
    "Your router has no connection to the internet at present.",
    "Check the router's own connection.",
  ],
  "router-error": ["Your router failed to forward the port.", BY_HAND],
  "mapping-lost": ["Your router has forgotten the forwarding.", undefined],
  "answer-malformed": ["Your router's answer makes no sense.", BY_HAND],
  "upnp-stalled": ["Your router stopped in the middle of an answer.", BY_HAND],
  "upnp-unreachable": ["Your router announces UPnP but does not take connections.", BY_HAND],
  "upnp-http-status": ["Your router refuses UPnP requests.", SWITCH_IT_ON],
  "upnp-too-large": ["Your router's UPnP answer is larger than any real one.", BY_HAND],
  "upnp-not-xml": ["Your router answers UPnP requests with something else.", BY_HAND],
  "upnp-no-service": ["Your router's UPnP offers no port mapping.", SWITCH_IT_ON],
  "pinhole-forbidden": [
    "Your router does not let devices open its IPv6 firewall.",
    "Allow it in your router's settings, or allow the WireGuard port for this computer in its IPv6 firewall by hand.",
  ],
  "firewall-off": [
    "Your router's IPv6 firewall is switched off, so there is nothing to open in it.",
    "Guests may come in as it is; if they do not, your provider holds them back.",
  ],
  "upnp-foreign-address": ["A UPnP answer points to somebody else's address, and was not followed.", undefined],
  "own-address-gone": ["This computer has left the network the router is in.", undefined],
  "socket-failed": ["This computer could not send to the router.", "Check its firewall and its network connection."],
} as const satisfies Record<string, readonly [string, string | undefined]>;

export type MappingErrorCode = keyof typeof ERRORS;

/** A failure with its sentence and advice. @param detail technical words for the log and the curious */
export function mappingFail(code: MappingErrorCode, detail?: string) {
  const [message, hint] = ERRORS[code];
  return fail(code, detail === undefined ? message : `${message.slice(0, -1)} (${detail}).`, hint);
}

/** The router did not say no: what was asked for may have been granted all the same. */
export const MAY_BE_GRANTED: ReadonlySet<string> = new Set([
  "router-silent",
  "upnp-stalled",
  "upnp-too-large",
  "upnp-not-xml",
  "socket-failed",
  "aborted",
  "answer-malformed",
]);

/**
 * How much a failure tells: where several protocols failed, the owner is told the most telling one. A router that
 * said no tells more than one that said nothing.
 */
const TELLING: readonly MappingErrorCode[] = [
  "no-public-address",
  "firewall-off",
  "pinhole-forbidden",
  "not-authorised",
  "port-conflict",
  "router-full",
  "router-network-down",
  "router-unsupported",
  "router-error",
  "upnp-no-service",
  "upnp-stalled",
  "upnp-too-large",
  "upnp-not-xml",
  "upnp-http-status",
  "upnp-unreachable",
  "answer-malformed",
  "upnp-foreign-address",
  "router-silent",
  "router-refused",
];

/** Smaller is more telling. */
export function tellingRank(code: string): number {
  const rank = (TELLING as readonly string[]).indexOf(code);
  return rank === -1 ? TELLING.length : rank;
}
