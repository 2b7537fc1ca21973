/**
 * Takes out of an address what tells one machine from its neighbours: IPv4 keeps its /24, IPv6 its /48, which is what a
 * provider gives to one site or to many (RFC 6177). What is kept says roughly where, and no longer to whom.
 */
import { type Address, formatAddress, parseAddress, prefix } from "./address.ts";

const IPV4_KEPT_BITS = 24;
const IPV6_KEPT_BITS = 48;

/** In 2002:V4::/48 the whole IPv4 address lies within the first 48 bits (RFC 3056): its /24 ends at bit 40. */
const SIX_TO_FOUR_KEPT_BITS = 40;
const SIX_TO_FOUR = prefix("2002::/16");

/** IPv4 addresses as IPv6 sockets show them (RFC 4291, section 2.5.5.2). */
const MAPPED_IPV4 = prefix("::ffff:0:0/96");

/** Longer than an address with zone and port can be: an interface name has at most 15 characters. */
const MAX_ADDRESS_TEXT = 80;

/**
 * `203.0.113.7` → `203.0.113.0`, `2001:db8:1:2::3` → `2001:db8:1::`, `::ffff:203.0.113.7` → `::ffff:203.0.113.0`. A port is
 * kept (`203.0.113.7:443`, `[2001:db8::1]:443`); a zone (`%eth0`) and a prefix length are dropped. Applying it again changes
 * nothing. Undefined when the text is no address.
 */
export function anonymiseAddress(text: string): string | undefined {
  if (text.length > MAX_ADDRESS_TEXT) return undefined;
  const bracketed = /^\[([^\]]+)\](:[0-9]{1,5})?$/.exec(text);
  if (bracketed !== null) {
    const inner = anonymiseBare(bracketed[1] ?? "");
    return inner === undefined ? undefined : `[${inner}]${bracketed[2] ?? ""}`;
  }
  const withPort = /^([0-9.]+)(:[0-9]{1,5})$/.exec(text);
  if (withPort === null) return anonymiseBare(text);
  const inner = anonymiseBare(withPort[1] ?? "");
  return inner === undefined ? undefined : `${inner}${withPort[2]}`;
}

/** A name or an id as it is; one that is an address is treated as such. */
export function anonymiseIdentifier(text: string): string {
  return anonymiseAddress(text) ?? text;
}

/**
 * A name asked of the DNS, without addresses in it: names of reverse zones lose the labels of the machine
 * (`7.113.0.203.in-addr.arpa` → `113.0.203.in-addr.arpa`), and four numbers in a row their last (`ip-203-0-113-7.example.net`
 * → `ip-203-0-113-0.example.net`).
 */
export function anonymiseDnsName(name: string): string {
  const reverse = /^(.*?)\.?(in-addr|ip6)\.arpa$/i.exec(name);
  if (reverse !== null) return anonymiseReverseName(reverse[1] ?? "", (reverse[2] ?? "").toLowerCase());
  return name.replace(/(?<![0-9])([0-9]{1,3})([.-])([0-9]{1,3})\2([0-9]{1,3})\2[0-9]{1,3}(?![0-9])/g, "$1$2$3$2$4$20");
}

/** RFC 1035, section 3.5 (a label per octet), and RFC 3596, section 2.5 (a label per nibble), the last bits first. */
function anonymiseReverseName(machine: string, zone: string): string {
  const labels = machine === "" ? [] : machine.split(".");
  const kept = zone === "ip6" ? IPV6_KEPT_BITS / 4 : IPV4_KEPT_BITS / 8;
  return [...labels.slice(Math.max(0, labels.length - kept)), zone, "arpa"].join(".");
}

function anonymiseBare(text: string): string | undefined {
  const address = parseAddress(text.replace(/%.*$/, "").replace(/\/[0-9]{1,3}$/, ""));
  if (address === undefined) return undefined;
  if (address.family === 4) return formatAddress(keep(address, IPV4_KEPT_BITS));
  if (keep(address, MAPPED_IPV4.length).value === MAPPED_IPV4.value) {
    const inner: Address = { family: 4, value: address.value & 0xffff_ffffn };
    return `::ffff:${formatAddress(keep(inner, IPV4_KEPT_BITS))}`;
  }
  const isSixToFour = keep(address, SIX_TO_FOUR.length).value === SIX_TO_FOUR.value;
  return formatAddress(keep(address, isSixToFour ? SIX_TO_FOUR_KEPT_BITS : IPV6_KEPT_BITS));
}

function keep(address: Address, bits: number): Address {
  const cleared = BigInt((address.family === 4 ? 32 : 128) - bits);
  return { family: address.family, value: (address.value >> cleared) << cleared };
}
