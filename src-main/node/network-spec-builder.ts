/** The desired state as one value, from everything that contributes to it. Pure. */
import type { LimitsSpec } from "../../src-shared/limits-spec.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { type Family, formatPrefix, type Prefix, parsePrefix } from "../../src-shared/net/address.ts";
import { BLOCKED_IPV4, BLOCKED_IPV6 } from "../../src-shared/net/special-prefixes.ts";
import { interfaceNameSchema, type NetworkSpec, type WireguardSpec } from "../../src-shared/network-spec.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import type { Ipv6Choice } from "../ipv6/choose-ipv6.ts";
import { type Uplinks, withoutContained } from "../routing/network-route-manager.ts";
import { BLOCKED_PORTS } from "../routing/presets.ts";

/** What networkSpecSchema takes. */
const MAX_BLOCKED_DESTINATIONS = 256;
const MAX_UPLINKS = 16;

export interface SpecParts {
  settings: Pick<Settings, "allowedDestinations" | "blockedPorts" | "logMetadata">;
  prefixes: GuestPrefixes;
  uplinks: Uplinks;
  /** Networks the machine is in, as `onLinkPrefixes` reads them. */
  onLink: readonly string[];
  wireguard: WireguardSpec;
  /** Where the DNS answerer listens on the tunnel addresses; null leaves guests to their own resolvers. */
  dnsPort: number | null;
  /** How guests get out over IPv6. */
  ipv6: Ipv6Choice;
  /** How fast guests may be; absent where nobody is limited. */
  limits?: LimitsSpec | undefined;
}

/** Always a value that networkSpecSchema accepts. */
export function buildNetworkSpec(parts: SpecParts): NetworkSpec {
  const { settings, prefixes, uplinks, wireguard, dnsPort } = parts;
  const ipv6 = uplinks.ipv6 !== null && prefixes.ipv6 !== null ? parts.ipv6 : undefined;
  return {
    version: 1,
    wireguard,
    guests: { ipv4: prefixes.ipv4, ipv6: prefixes.ipv6 },
    exit: {
      // A name the helper would refuse is left out: forwarding may then be off there, but everything else works.
      uplinks: uplinks.all.filter((name) => interfaceNameSchema.safeParse(name).success).slice(0, MAX_UPLINKS),
      // Without an uplink too: one that comes back serves guests at once.
      ipv4: "masquerade",
      ipv6: ipv6?.mode ?? "off",
      ...(ipv6?.mode === "nptv6" ? { ipv6Prefix: ipv6.prefix } : {}),
    },
    isolation: {
      blockedDestinations: blockedDestinations(parts.onLink),
      allowedDestinations: settings.allowedDestinations,
      blockedPorts: [...BLOCKED_PORTS[settings.blockedPorts]],
    },
    dns: dnsPort === null ? null : { port: dnsPort },
    ...(parts.limits === undefined ? {} : { limits: parts.limits }),
    ...(settings.logMetadata ? { accounting: { connections: true } } : {}),
  };
}

/** What is not the public internet, and the networks the machine is in. */
function blockedDestinations(onLink: readonly string[]): string[] {
  const all = [...BLOCKED_IPV4, ...BLOCKED_IPV6, ...onLink].map(parsePrefix);
  let blocked = withoutContained(all.filter((one) => one !== undefined));
  // More networks than a spec holds: the smallest are widened until they fit, which refuses guests too much, never too little.
  while (blocked.length > MAX_BLOCKED_DESTINATIONS) {
    const spare = blocked.map((one) => (one.family === 4 ? 32 : 128) - one.length);
    const least = Math.min(...spare);
    blocked = withoutContained(blocked.map((one, index) => (spare[index] === least ? widen(one) : one)));
  }
  return blocked.map(formatPrefix);
}

function widen({ family, value, length }: Prefix): Prefix {
  const bits = BigInt(bitsLeft(family, length - 1));
  return { family, value: (value >> bits) << bits, length: length - 1 };
}

function bitsLeft(family: Family, length: number): number {
  return (family === 4 ? 32 : 128) - length;
}
