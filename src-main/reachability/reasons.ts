/** Why nothing is proven, and why nothing arrives, in words and codes. */
import type { NatAdvice, NatPath } from "../../src-shared/model/nat-path.ts";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { adviceFor } from "./advice.ts";

/** What asking from outside has brought. */
export type Proof =
  | { readonly state: "answered"; readonly endpoint: Endpoint; readonly ms: number }
  | { readonly state: "silence"; readonly endpoint: Endpoint }
  /** Nobody could be asked. `keep`: what was found before still stands. `soon`: it may be otherwise in a moment. */
  | { readonly state: "none"; readonly reason: HiggsError; readonly keep: boolean; readonly soon: boolean };

function none(reason: HiggsError, then: { keep?: boolean; soon?: boolean } = {}): Proof {
  return { state: "none", reason, keep: then.keep ?? false, soon: then.soon ?? false };
}

export const NO_PROOF = {
  noRelay: none({
    code: "no-relay",
    message: "Nobody on the internet was asked whether this computer can be reached, because no relay is set.",
    hint: "Name a relay in the settings; it also tries whether guests reach you without it.",
  }),
  // The relay's own state tells when there is somebody to ask again.
  notConnected: none(
    {
      code: "relay-not-connected",
      message: "Whether this computer can be reached is not known while the relay is not connected.",
    },
    { keep: true },
  ),
  cannotProbe: none({
    code: "relay-cannot-probe",
    message: "This relay does not try whether guests reach you without it.",
  }),
  proxy: none({
    code: "behind-proxy",
    message: "The connection to the relay goes through a web proxy, so the relay can only try the proxy's address.",
  }),
  refused: (code: string): Proof => {
    if (code === "probe-busy") {
      const message = "The relay has no time to try whether guests reach you.";
      return none({ code, message }, { keep: true, soon: true });
    }
    const isPrivate = code === "probe-not-public";
    return none({
      code,
      message: isPrivate
        ? "The relay sees this computer under a private address, and does not try those."
        : "The relay does not try whether guests reach you without it.",
    });
  },
} as const;

/** Why a handshake from outside did not come through over IPv6, where nothing translates. */
export function closedOverIpv6(port: number): HiggsError {
  return {
    code: "ipv6-closed",
    message: `Nothing from the internet arrives at UDP port ${port} of this computer over IPv6.`,
    hint: "Allow the WireGuard port for this computer in your router's IPv6 firewall, and in this computer's own.",
  };
}

/** Why a handshake from outside did not come through, and what the owner can do. */
export function unreachableReason(
  { mapping, listenPort }: { mapping: PortMappingState; listenPort: number },
  natPath: NatPath,
  relayed: boolean,
): { reason: HiggsError; advice: NatAdvice[] } {
  if (natPath.state === "known" && natPath.reason !== null) return { reason: natPath.reason, advice: natPath.advice };
  const relay = relayed ? "relay-meanwhile" : "set-up-relay";
  const words = { port: listenPort, firstRouter: null, secondRouter: null };
  if (mapping.state === "mapped") {
    const reason = {
      code: "mapping-dead",
      message: "Your router says that it forwards the port, but nothing from the internet arrives.",
      hint: "Restart the router; if that does not help, forward the port by hand.",
    };
    return { reason, advice: adviceFor(["check-firewall", "forward-on-router", relay], words) };
  }
  if (natPath.state === "known" && natPath.verdict === "no-nat") {
    const message = `Nothing from the internet arrives at UDP port ${listenPort} of this computer.`;
    const reason = { code: "port-closed", message, hint: "A firewall in front of this computer may hold it back." };
    return { reason, advice: adviceFor(["check-firewall", relay], words) };
  }
  if (mapping.state === "unavailable")
    return { reason: mapping.reason, advice: adviceFor(["forward-on-router", relay], words) };
  const reason = {
    code: "not-forwarded",
    message: `Your router does not forward UDP port ${listenPort} to this computer.`,
    hint: "Forward it by hand in the router's settings, or switch port mapping on.",
  };
  return { reason, advice: adviceFor(["forward-on-router", relay], words) };
}
