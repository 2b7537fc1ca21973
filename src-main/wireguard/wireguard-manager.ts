/** The WireGuard part of the desired state, and what the interface tells about the clients' traffic. */
import type { Settings } from "../../src-shared/model/settings.ts";
import type { ObservedPeer, ObservedWireguard } from "../../src-shared/network-observation.ts";
import type { PeerSpec, WireguardSpec } from "../../src-shared/network-spec.ts";
import { addressesOf, type GuestPrefixes, hostPrefixOf, nodeAddressesOf } from "../clients/address-allocator.ts";
import type { ClientRecord } from "../clients/client-record.ts";
import type { ClientRegistry } from "../clients/client-registry.ts";

/** Every reading of the machine's own networks leaves it out. */
export const INTERFACE_NAME = "higgs0";

export class WireGuardManager {
  readonly #registry: ClientRegistry;
  readonly interfaceName: string;

  constructor({ registry, interfaceName = INTERFACE_NAME }: { registry: ClientRegistry; interfaceName?: string }) {
    this.#registry = registry;
    this.interfaceName = interfaceName;
  }

  /** One peer per client who is neither paused nor without an address in `prefixes`. */
  contribute(settings: Settings, prefixes: GuestPrefixes): WireguardSpec {
    return {
      interfaceName: this.interfaceName,
      listenPort: settings.listenPort,
      mtu: settings.mtu,
      addresses: nodeAddressesOf(prefixes),
      peers: this.#registry.list().flatMap((client) => peerOf(client, prefixes) ?? []),
    };
  }

  /** Clients who get no access, because the guest network was made too small for their number. */
  withoutAddress(prefixes: GuestPrefixes): ClientRecord[] {
    return this.#registry.list().filter((client) => addressesOf(client.hostNumber, prefixes) === undefined);
  }

  /** Hands the interface's counters to the registry. Call it with every observation, in their order. */
  recordUsage(seen: ObservedWireguard): void {
    this.#registry.recordUsage(observedPeers(seen));
  }
}

/** The peers of our interface, none when it is absent or broken. */
function observedPeers(seen: ObservedWireguard): readonly ObservedPeer[] {
  return seen.state === "present" ? seen.peers : [];
}

function peerOf(client: ClientRecord, prefixes: GuestPrefixes): PeerSpec | undefined {
  const addresses = addressesOf(client.hostNumber, prefixes);
  if (client.paused || addresses === undefined) return undefined;
  return {
    publicKey: client.publicKey,
    presharedKey: client.presharedKey,
    allowedIps: addresses.map(hostPrefixOf),
  };
}
