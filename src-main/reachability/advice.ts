/** What an owner can do to be reached, in words. */
import type { NatAdvice, NatAdviceCode } from "../../src-shared/model/nat-path.ts";

export interface AdviceWords {
  /** The WireGuard port of this computer. */
  readonly port: number;
  /** The first router's address as the second sees it; null where it is not known. */
  readonly firstRouter: string | null;
  /** The second router's own address; null where it is not known. */
  readonly secondRouter: string | null;
}

const TEXTS: Record<NatAdviceCode, (words: AdviceWords) => string> = {
  "bridge-mode": () =>
    "Put the box from your provider into bridge mode (also called modem mode), so that your own router gets the public address.",
  "forward-on-second-router": ({ port, firstRouter, secondRouter }) =>
    `In the settings of the outer router${secondRouter === null ? "" : ` (${secondRouter})`}, forward UDP port ${port} to your own router${firstRouter === null ? "" : ` (${firstRouter})`}, or name that router as exposed host (DMZ).`,
  "forward-on-router": ({ port }) =>
    `In your router's settings, switch on UPnP, NAT-PMP or PCP, or forward UDP port ${port} to this computer by hand.`,
  "ask-for-public-address": () =>
    "Ask your provider for a public IPv4 address of your own; some give one for the asking, some for a fee.",
  "use-ipv6": () => "Guests who have IPv6 can reach this computer over it, if your router lets them in.",
  "check-firewall": ({ port }) =>
    `Make sure that no firewall, neither on this computer nor on the router, holds back UDP port ${port}.`,
  "relay-meanwhile": () => "Nothing has to be done at once: the relay carries your guests meanwhile.",
  "set-up-relay": () => "Name a relay in the settings; it carries guests where no router lets them in.",
};

/** The same advice in the order of `codes`. */
export function adviceFor(codes: readonly NatAdviceCode[], words: AdviceWords): NatAdvice[] {
  return codes.map((code) => ({ code, text: TEXTS[code](words) }));
}
