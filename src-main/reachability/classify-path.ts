/** From what the router says, what expired packets tell and what the internet sees, to what stands in between. Pure. */
import type { NatAdvice, NatHop, NatPath, NatVerdict } from "../../src-shared/model/nat-path.ts";
import type { MappingProtocol } from "../../src-shared/model/port-mapping.ts";
import { type Address, isInAny, parseAddress, prefix } from "../../src-shared/net/address.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { adviceFor } from "./advice.ts";

export interface NatEvidence {
  /** This machine's IPv4 address on its uplink; null where it has none. */
  readonly local: string | null;
  /** Its default gateway there. */
  readonly gateway: string | null;
  /** What the router says of its own address; null where it says nothing. */
  readonly router: { readonly protocol: MappingProtocol; readonly externalAddress: string } | null;
  /** The router says that it has no public address, without naming the one it has. */
  readonly saysNoPublicAddress: boolean;
  /** The IPv4 address the internet sees; null as long as nobody was asked. */
  readonly seen: string | null;
  /** Who answered to packets let expire at the first, second, … hop; null where nobody did. */
  readonly hops: readonly (string | null)[];
  /** Whether a second router at home forwards to the first, at our request. */
  readonly isMappedBehind: boolean;
  /** Whether a handshake from outside came through; null where that was not tried. */
  readonly proof: "answered" | "silence" | null;
  /** The WireGuard port at this machine, for the advice. */
  readonly port: number;
  /** Whether this machine has a global IPv6 address. */
  readonly hasIpv6: boolean;
  /** Whether a relay carries guests at present. */
  readonly relayed: boolean;
}

const PRIVATE = [prefix("10.0.0.0/8"), prefix("172.16.0.0/12"), prefix("192.168.0.0/16")];
/** Homes use it, providers hardly ever do, so that a second hop in it is a router at home. */
const HOMELY = [prefix("192.168.0.0/16")];
/** RFC 6598: shared address space, between customers and a carrier's NAT and nowhere else. */
const SHARED = [prefix("100.64.0.0/10")];

interface Read {
  local: Address | undefined;
  external: Address | undefined;
  seen: Address | undefined;
  second: Address | undefined;
}

/** The path as the evidence has it; `unknown` where there is none. */
export function classifyPath(evidence: NatEvidence): NatPath {
  const read: Read = {
    local: parse(evidence.local),
    external: parse(evidence.router?.externalAddress),
    seen: parse(evidence.seen),
    second: parse(evidence.hops[1]),
  };
  if (read.local === undefined) {
    return { state: "unknown", reason: { code: "no-ipv4", message: "This computer has no IPv4 connection." } };
  }
  const verdict = verdictOf(read, evidence);
  if (verdict === undefined) {
    const message = "Neither the router nor anybody on the internet has told what stands in between.";
    return { state: "unknown", reason: { code: "path-not-seen", message } };
  }
  return {
    state: "known",
    verdict,
    hops: hopsOf(verdict, read, evidence),
    publicAddress: evidence.seen,
    reason: reasonOf(verdict, evidence),
    advice: adviceOf(verdict, evidence),
  };
}

function verdictOf({ local, external, seen, second }: Read, evidence: NatEvidence): NatVerdict | undefined {
  if (local !== undefined && isInAny(local, SHARED)) return "carrier-nat";
  if (local !== undefined && isPublicAddress(local)) {
    if (seen === undefined || seen.value === local.value) return "no-nat";
    return "false-address";
  }
  if (evidence.isMappedBehind) return "double-nat";
  if (external !== undefined && !isPublicAddress(external)) {
    if (isInAny(external, SHARED) || isShared(second)) return "carrier-nat";
    return isInAny(external, PRIVATE) ? "double-nat" : "another-nat";
  }
  if (external !== undefined) {
    if (seen !== undefined && seen.value !== external.value) return "false-address";
    // Providers number their own routers privately too. Only where nothing comes through is the second one a suspect.
    return evidence.proof === "silence" && second !== undefined && isInAny(second, PRIVATE) ? "double-nat" : "one-nat";
  }
  if (isShared(second)) return "carrier-nat";
  const isSecondRouter = second !== undefined && isInAny(second, PRIVATE);
  if (evidence.saysNoPublicAddress) return isSecondRouter ? "double-nat" : "another-nat";
  if (evidence.proof === "answered") return "one-nat";
  if (second !== undefined && isInAny(second, HOMELY)) return "double-nat";
  if (isSecondRouter && evidence.proof === "silence") return "double-nat";
  return seen !== undefined || second !== undefined ? "one-nat" : undefined;
}

function hopsOf(verdict: NatVerdict, { external }: Read, evidence: NatEvidence): NatHop[] {
  const { gateway, router, seen, hops } = evidence;
  if (verdict === "no-nat") return [];
  const behindCarrierOnly = evidence.local !== null && isShared(parse(evidence.local));
  const path: NatHop[] = [];
  if (!behindCarrierOnly && !isOwnPublic(evidence)) {
    const first = hops[0] ?? null;
    path.push({
      kind: "home-router",
      address: gateway ?? first,
      externalAddress:
        external === undefined ? (verdict === "one-nat" ? seen : null) : (router?.externalAddress ?? null),
      learntFrom: [
        ...(gateway === null ? [] : (["default-route"] as const)),
        ...(first === null ? [] : (["expired-packet"] as const)),
        ...(router === null ? [] : [router.protocol]),
        ...(external === undefined && seen !== null && verdict === "one-nat" ? (["outside"] as const) : []),
      ],
    });
  }
  if (verdict !== "one-nat") {
    const isCarrier = verdict === "carrier-nat" || isOwnPublic(evidence);
    const address = (behindCarrierOnly ? hops[0] : hops[1]) ?? null;
    // A public second hop is the provider's line, not a box that translates.
    const inside = address !== null && isPrivateText(address) ? address : null;
    path.push({
      kind: isCarrier ? "carrier" : "second-router",
      address: inside,
      externalAddress: seen,
      learntFrom: [
        ...(inside === null ? [] : (["expired-packet"] as const)),
        ...(seen === null ? [] : (["outside"] as const)),
        ...(inside === null && seen === null ? [router?.protocol ?? ("default-route" as const)] : []),
      ],
    });
  }
  return path.filter(({ learntFrom }) => learntFrom.length > 0);
}

function reasonOf(verdict: NatVerdict, evidence: NatEvidence): HiggsError | null {
  const { router, seen, hops, gateway } = evidence;
  switch (verdict) {
    case "no-nat":
    case "one-nat":
      return null;
    case "double-nat": {
      const names = [gateway, hops[1] ?? null].filter((name) => name !== null).join(" and ");
      return {
        code: "double-nat",
        message: `Two routers stand between this computer and the internet${names === "" ? "" : ` (${names})`}.`,
        hint: "Make the outer one forward to the inner one, or pass its public address on (bridge mode).",
      };
    }
    case "carrier-nat":
      return {
        code: "carrier-nat",
        message: "Your provider shares one public address among several customers (carrier-grade NAT).",
        hint: "Ask your provider for a public IPv4 address of your own.",
      };
    case "another-nat":
      return {
        code: "another-nat",
        message: "Your router has no public address: another router or your provider stands in front of it.",
        hint: "Put the router in front into bridge mode, or ask your provider for a public address.",
      };
    case "false-address": {
      const claimed = router?.externalAddress ?? evidence.local ?? "none";
      return {
        code: "false-address",
        message: `Your router says that its address is ${claimed}, but the internet sees ${seen ?? "another"}.`,
        hint: "Another router or your provider translates once more; what your router grants leads nowhere.",
      };
    }
  }
}

function adviceOf(verdict: NatVerdict, evidence: NatEvidence): NatAdvice[] {
  // Whoever is reached needs none.
  if (evidence.proof === "answered") return [];
  const words = {
    port: evidence.port,
    firstRouter: evidence.router?.externalAddress ?? null,
    secondRouter: evidence.hops[1] ?? null,
  };
  const ipv6 = evidence.hasIpv6 ? (["use-ipv6"] as const) : [];
  const relay = evidence.relayed ? "relay-meanwhile" : "set-up-relay";
  switch (verdict) {
    case "no-nat":
    case "one-nat":
      return [];
    case "double-nat":
      return adviceFor(["bridge-mode", "forward-on-second-router", ...ipv6, relay], words);
    case "carrier-nat":
      return adviceFor(["ask-for-public-address", ...ipv6, relay], words);
    case "another-nat":
    case "false-address":
      return adviceFor(["bridge-mode", "ask-for-public-address", ...ipv6, relay], words);
  }
}

function parse(text: string | null | undefined): Address | undefined {
  const address = text === null || text === undefined ? undefined : parseAddress(text);
  // "0.0.0.0" and "::" are how routers write that they have none.
  return address === undefined || address.value === 0n || address.family !== 4 ? undefined : address;
}

function isShared(address: Address | undefined): boolean {
  return address !== undefined && isInAny(address, SHARED);
}

function isPrivateText(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && (isInAny(address, PRIVATE) || isInAny(address, SHARED));
}

/** The machine has a public address that the internet does not see: only the provider can be in between. */
function isOwnPublic({ local }: NatEvidence): boolean {
  const address = parse(local);
  return address !== undefined && isPublicAddress(address);
}
