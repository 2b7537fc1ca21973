/**
 * What our chains hold for a spec: pure, one family at a time, in the form of iptables-save(8).
 *
 *   INPUT, FORWARD (filter), PREROUTING, POSTROUTING (nat), FORWARD (mangle)
 *      └─ first rule: jump to the HIGGS chain of the same hook
 *
 * Order matters and is the policy: forged sources first, then what the owner allows, then what is
 * refused, then the internet.
 */
import { type Family, formatAddress, parsePrefix, splitPrefix } from "../../src-shared/net/address.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import type { Rules } from "./rules.ts";

/** Every chain of ours begins with this; by it we know them again after a crash. */
export const CHAIN_PREFIX = "HIGGS-";

/** Built-in chain → our chain, by table: where we are jumped to from the first position. */
export const JUMPS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ["mangle", new Map([["FORWARD", "HIGGS-MSS"]])],
  [
    "nat",
    new Map([
      ["PREROUTING", "HIGGS-PREROUTING"],
      ["POSTROUTING", "HIGGS-POSTROUTING"],
    ]),
  ],
  [
    "filter",
    new Map([
      ["INPUT", "HIGGS-INPUT"],
      ["FORWARD", "HIGGS-FORWARD"],
    ]),
  ],
]);

interface Words {
  icmp: string;
  echoRequest: string;
  prohibited: string;
}

const WORDS: Record<Family, Words> = {
  4: { icmp: "-p icmp", echoRequest: "-m icmp --icmp-type 8", prohibited: "icmp-admin-prohibited" },
  6: { icmp: "-p ipv6-icmp", echoRequest: "-m icmp6 --icmpv6-type 128", prohibited: "icmp6-adm-prohibited" },
};

interface Facts {
  family: Family;
  /** Our interface. */
  own: string;
  guests: string;
  /** The node's tunnel address as host prefix and as text. */
  nodeHost: string;
  nodeAddress: string;
  forwards: boolean;
  spec: NetworkSpec;
}

/** The rules of one family, or undefined where the spec wants nothing of that family. */
export function planRules(spec: NetworkSpec, family: Family): Rules | undefined {
  const guests = family === 4 ? spec.guests.ipv4 : spec.guests.ipv6;
  if (guests === null) return undefined;
  const own = spec.wireguard.addresses.map(splitPrefix).find((parts) => parts?.address.family === family);
  if (own === undefined) return undefined;
  const facts: Facts = {
    family,
    own: spec.wireguard.interfaceName,
    guests,
    nodeHost: `${formatAddress(own.address)}/${family === 4 ? 32 : 128}`,
    nodeAddress: formatAddress(own.address),
    forwards: (family === 4 ? spec.exit.ipv4 : spec.exit.ipv6) !== "off",
    spec,
  };
  return new Map([
    ["mangle", new Map([["HIGGS-MSS", mssRules(facts)]])],
    [
      "nat",
      new Map([
        ["HIGGS-PREROUTING", preroutingRules(facts)],
        ["HIGGS-POSTROUTING", postroutingRules(facts)],
      ]),
    ],
    [
      "filter",
      new Map([
        ["HIGGS-INPUT", inputRules(facts)],
        ["HIGGS-FORWARD", forwardRules(facts)],
        ["HIGGS-GUEST", guestRules(facts)],
      ]),
    ],
  ]);
}

/** A tunnel is narrower than its uplink; without this, TCP through paths that drop ICMP hangs. */
function mssRules({ own }: Facts): string[] {
  const clamp = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
  return [`-i ${own} ${clamp}`, `-o ${own} ${clamp}`];
}

/** Guests ask port 53; the answerer is unprivileged and listens higher up. */
function preroutingRules({ own, spec, nodeHost, nodeAddress, family }: Facts): string[] {
  if (spec.dns === null) return [];
  const target = family === 4 ? nodeAddress : `[${nodeAddress}]`;
  return ["udp", "tcp"].map(
    (protocol) =>
      `-d ${nodeHost} -i ${own} -p ${protocol} -m ${protocol} --dport 53 -j DNAT --to-destination ${target}:${spec.dns?.port}`,
  );
}

/**
 * A translated prefix is NETMAP and not the stateless SNPT and DNPT: those work behind connection tracking, for which the
 * answers then belong to no connection. Our rules drop them, and rules that did not would have to let in whatever comes.
 */
function postroutingRules({ own, guests, forwards, family, spec }: Facts): string[] {
  if (!forwards) return [];
  // What this machine asks itself at its tunnel address, such as whether guests' names are answered, keeps that address.
  const inside = "-o lo -j RETURN";
  const leaving = `-s ${guests} ! -o ${own}`;
  if (family === 4 || spec.exit.ipv6 === "nat66") return [inside, `${leaving} -j MASQUERADE`];
  return spec.exit.ipv6 === "nptv6" ? [inside, `${leaving} -j NETMAP --to ${spec.exit.ipv6Prefix}`] : [];
}

function inputRules({ own, guests, nodeHost, spec, family }: Facts): string[] {
  const { icmp, echoRequest, prohibited } = WORDS[family];
  const dns =
    spec.dns === null
      ? []
      : ["udp", "tcp"].map(
          (protocol) => `-d ${nodeHost} -i ${own} -p ${protocol} -m ${protocol} --dport ${spec.dns?.port} -j ACCEPT`,
        );
  return [
    "-i lo -j RETURN",
    `-s ${guests} ! -i ${own} -j DROP`,
    ...dns,
    `-d ${nodeHost} -i ${own} ${icmp} ${echoRequest} -j ACCEPT`,
    `-i ${own} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-i ${own} -j REJECT --reject-with ${prohibited}`,
    `-p udp -m udp --dport ${spec.wireguard.listenPort} -j ACCEPT`,
  ];
}

function forwardRules({ own, guests, family, spec }: Facts): string[] {
  // What nobody asked for at the guests' outer prefix would go back where it came from, and come again.
  const outside = family === 6 && spec.exit.ipv6 === "nptv6" ? [`-d ${spec.exit.ipv6Prefix} -j DROP`] : [];
  return [
    ...outside,
    `-i ${own} -j HIGGS-GUEST`,
    `-s ${guests} -j DROP`,
    `-o ${own} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-o ${own} -j DROP`,
  ];
}

/**
 * What guests send. The refusals stand before any word about established connections, so that a new
 * refusal also ends what was open. INVALID goes first because the masquerade never sees such packets:
 * they would leave with the guest's own address.
 */
function guestRules({ own, guests, spec, forwards, family }: Facts): string[] {
  const { prohibited } = WORDS[family];
  const reject = `-j REJECT --reject-with ${prohibited}`;
  if (!forwards) return [reject];
  return [
    `! -s ${guests} -j DROP`,
    "-m conntrack --ctstate INVALID -j DROP",
    `-o ${own} ${reject}`,
    ...allowances(spec, family),
    ...spec.isolation.blockedDestinations.filter(isOf(family)).map((destination) => `-d ${destination} ${reject}`),
    ...spec.isolation.blockedPorts.map(({ protocol, port }) => {
      const refusal = protocol === "tcp" ? "-j REJECT --reject-with tcp-reset" : reject;
      return `-p ${protocol} -m ${protocol} --dport ${port} ${refusal}`;
    }),
    "-j ACCEPT",
  ];
}

function allowances(spec: NetworkSpec, family: Family): string[] {
  return spec.isolation.allowedDestinations
    .filter(({ destination }) => isOf(family)(destination))
    .flatMap(({ destination, protocol, port }) => {
      if (port === undefined && protocol === undefined) return [`-d ${destination} -j ACCEPT`];
      const protocols = protocol === undefined ? ["tcp", "udp"] : [protocol];
      const portMatch = port === undefined ? "" : ` --dport ${port}`;
      return protocols.map((name) => `-d ${destination} -p ${name} -m ${name}${portMatch} -j ACCEPT`);
    });
}

function isOf(family: Family): (prefix: string) => boolean {
  return (prefix) => parsePrefix(prefix)?.family === family;
}
