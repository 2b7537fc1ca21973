/** The configuration that a client is given: its addresses, and the way on which it reaches this node at present. */
import type { CallParsed } from "../../src-shared/ipc/contract.ts";
import type { Client, ClientConfig } from "../../src-shared/model/client.ts";
import { exitOf, type PhaseState } from "../../src-shared/model/node-state.ts";
import type { Pinhole } from "../../src-shared/model/pinhole.ts";
import { mappedEndpoint } from "../../src-shared/model/port-mapping.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { formatAddress, splitPrefix } from "../../src-shared/net/address.ts";
import { type Endpoint, formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { addressesOf, type GuestPrefixes, nodeAddressesOf } from "../clients/address-allocator.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { Ipv6Pinhole } from "../ipv6/ipv6-pinhole.ts";
import type { PortForwardingService } from "../port-forwarding/port-forwarding-service.ts";
import type { RelayService } from "../relay/relay-service.ts";
import { throughBridge, throughUdp } from "../relay/relayed-config.ts";
import { renderClientConfig } from "../wireguard/client-config.ts";

type Via = CallParsed<"clients.config">["via"];

export interface ClientConfigParts {
  node: { readonly state: PhaseState };
  settings: () => Settings;
  /** The node's key as it was when it last shared. */
  facts: { readonly publicKey: string | undefined };
  relay: Pick<RelayService, "place">;
  ports: Pick<PortForwardingService, "state">;
  pinhole: Pick<Ipv6Pinhole, "state">;
  prefixes: () => GuestPrefixes;
  shown: (record: ClientRecord) => Client;
}

export interface ClientKey {
  privateKey: string;
  /** Milliseconds since 1970; null for a key that is kept. */
  shownUntilMs: number | null;
}

/** What a configuration says of the way to the node. */
interface Way {
  endpoint: Endpoint;
  mtu: number;
  allowedIps?: readonly string[];
  /** Comment lines for its top. */
  heading: readonly string[];
}

/** Errors: `no-endpoint`, `relay-not-connected`, `relay-address-unknown`. */
function wayTo({ node, settings, relay, ports, pinhole }: ClientConfigParts, via: Via): Result<Way> {
  const { publicEndpoint, mtu } = settings();
  if (via !== "direct") {
    const place = relay.place(settings());
    if (!place.ok) return place;
    return via === "relay" ? ok(throughUdp(place.value, mtu)) : throughBridge(place.value, mtu);
  }
  const reach = exitOf(node.state)?.reach;
  // A router may be wrong about where it is; a handshake from outside is not.
  const proven = reach?.source === "proven" ? reach.endpoint : null;
  const found = proven ?? mappedEndpoint(ports.state) ?? reach?.endpoint;
  const endpoint = publicEndpoint === "auto" ? found : publicEndpoint;
  if (endpoint === undefined || endpoint === null) {
    return fail(
      "no-endpoint",
      "It is not known where guests reach this node.",
      "Turn sharing on, or say it yourself: higgsnode settings set publicEndpoint=home.example.org:51820",
    );
  }
  return ok({ endpoint, mtu, heading: overIpv6(pinhole.state) });
}

/** For guests who have IPv6 where they are: the other way in, which no address translation stands in. */
function overIpv6(pinhole: Pinhole): string[] {
  if (pinhole.state !== "open") return [];
  return [`# Where you have IPv6, this works too: Endpoint = ${formatEndpoint(pinhole.endpoint)}`];
}

/** Errors: `not-shared-yet`, `guest-network-full`, and those of `wayTo`. */
export function clientConfig(
  parts: ClientConfigParts,
  record: ClientRecord,
  { privateKey, shownUntilMs }: ClientKey,
  via: Via,
): Result<ClientConfig> {
  const { node, facts } = parts;
  const exit = exitOf(node.state);
  const serverPublicKey = exit?.publicKey ?? facts.publicKey;
  if (serverPublicKey === undefined) {
    return fail("not-shared-yet", "The node has no key before it has shared once.", "Turn sharing on: higgsnode on");
  }
  const way = wayTo(parts, via);
  if (!way.ok) return way;
  const { heading, ...route } = way.value;
  const prefixes = parts.prefixes();
  const addresses = addressesOf(record.hostNumber, prefixes);
  if (addresses === undefined) {
    return fail("guest-network-full", `The guest network is too small for ${record.name}.`, "Choose a larger one.");
  }
  const config = renderClientConfig({
    privateKey,
    addresses,
    dns: nodeAddressesOf(prefixes).flatMap((text) => {
      const own = splitPrefix(text);
      return own === undefined ? [] : formatAddress(own.address);
    }),
    serverPublicKey,
    presharedKey: record.presharedKey,
    ...route,
  });
  return ok({
    client: parts.shown(record),
    config: [...heading, config].join("\n"),
    ...(shownUntilMs === null ? {} : { shownUntil: new Date(shownUntilMs).toISOString() }),
  });
}
