/**
 * Whether one rule, in the form of iptables-save(8), applies to a packet. Three answers: what is not known is `unclear`,
 * and never taken for a yes or a no (iptables-extensions(8) has more matches than anybody needs to know here).
 */
import { containsAddress, parseAddress, parsePrefix } from "../../../src-shared/net/address.ts";

export interface TracedPacket {
  readonly source: string;
  readonly destination: string;
  readonly protocol: "tcp" | "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Null where the packet has not come in, or has not been routed yet. */
  readonly inInterface: string | null;
  readonly outInterface: string | null;
  readonly state: "NEW" | "ESTABLISHED";
  readonly mark: number;
  /** Addresses of this machine. */
  readonly local: readonly string[];
}

export type Match = "yes" | "no" | "unclear";

export interface RuleParts {
  match: Match;
  /** Options that could not be judged, such as `-m limit`. */
  unclear: string[];
  /** `-j` or `-g` with its chain or target; undefined for a rule that only counts. */
  target: { kind: "jump" | "goto"; name: string; options: string[] } | undefined;
}

/** Words as iptables-save quotes them: double quotes, backslash inside. */
export function splitWords(rule: string): string[] {
  return [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

/** Matches that need no judging: they only bring options along. */
const PLAIN_MODULES: ReadonlySet<string> = new Set([
  "tcp",
  "udp",
  "icmp",
  "icmp6",
  "ipv6-icmp",
  "comment",
  "conntrack",
  "state",
  "multiport",
  "mark",
  "addrtype",
  "iprange",
]);

/** @param rule as iptables-save(8) writes it, without `-A CHAIN`; what is not understood in it makes the match `unclear` */
export function judgeRule(rule: string, packet: TracedPacket): RuleParts {
  const words = splitWords(rule);
  const parts: RuleParts = { match: "yes", unclear: [], target: undefined };
  let negated = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "!") {
      negated = true;
      continue;
    }
    if (word === "-j" || word === "-g") {
      const [name = "", ...options] = words.slice(index + 1);
      parts.target = { kind: word === "-j" ? "jump" : "goto", name, options };
      break;
    }
    const values: string[] = [];
    for (let next = words[index + 1]; next !== undefined && !isOption(next); next = words[index + 1]) {
      values.push(next);
      index++;
    }
    const judged = judgeOption(word, values, packet);
    if (judged === "unclear") parts.unclear.push([word, ...values].join(" "));
    parts.match = both(parts.match, negated ? not(judged) : judged);
    negated = false;
  }
  return parts;
}

function isOption(word: string): boolean {
  return word === "!" || /^--?[a-z]/.test(word);
}

/** A no anywhere is a no; otherwise what is unclear anywhere is unclear. */
function both(a: Match, b: Match): Match {
  if (a === "no" || b === "no") return "no";
  return a === "unclear" || b === "unclear" ? "unclear" : "yes";
}

function not(match: Match): Match {
  return match === "yes" ? "no" : match === "no" ? "yes" : "unclear";
}

function judgeOption(option: string, values: readonly string[], packet: TracedPacket): Match {
  const [value = ""] = values;
  switch (option) {
    case "-s":
      return isInside(packet.source, value);
    case "-d":
      return isInside(packet.destination, value);
    case "-i":
      return isInterface(packet.inInterface, value);
    case "-o":
      return isInterface(packet.outInterface, value);
    case "-p":
      return yes(value === "all" || value === packet.protocol || value === PROTOCOL_NUMBERS[packet.protocol]);
    case "-m":
      return PLAIN_MODULES.has(value) ? "yes" : "unclear";
    case "--comment":
      return "yes";
    case "--dport":
    case "--dports":
      return isPort(packet.destinationPort, value);
    case "--sport":
    case "--sports":
      return isPort(packet.sourcePort, value);
    case "--ports":
      return yes(isPort(packet.destinationPort, value) === "yes" || isPort(packet.sourcePort, value) === "yes");
    case "--ctstate":
    case "--state":
      return isState(packet.state, value);
    case "--tcp-flags":
      return hasFlags(values, packet);
    case "--syn":
      return yes(packet.protocol === "tcp" && packet.state === "NEW");
    case "--mark":
      return hasMark(packet.mark, value);
    case "--dst-type":
      return isOfType(packet.destination, value, packet);
    case "--src-type":
      return isOfType(packet.source, value, packet);
    case "--dst-range":
      return isInRange(packet.destination, value);
    case "--src-range":
      return isInRange(packet.source, value);
    default:
      return "unclear";
  }
}

const PROTOCOL_NUMBERS: Readonly<Record<TracedPacket["protocol"], string>> = { tcp: "6", udp: "17" };

function yes(is: boolean): Match {
  return is ? "yes" : "no";
}

function isInside(text: string, prefixText: string): Match {
  const address = parseAddress(text);
  const prefix = parsePrefix(prefixText) ?? parsePrefix(`${prefixText}/${text.includes(":") ? 128 : 32}`);
  if (address === undefined || prefix === undefined) return "unclear";
  return yes(containsAddress(prefix, address));
}

/** A trailing `+` stands for any rest of the name. */
function isInterface(name: string | null, pattern: string): Match {
  if (name === null) return "no";
  return yes(pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
}

function isPort(port: number, list: string): Match {
  const ranges = list.split(",").map((part) => part.split(":").map((text) => (text === "" ? undefined : Number(text))));
  if (ranges.flat().some((bound) => bound !== undefined && !Number.isInteger(bound))) return "unclear";
  return yes(
    ranges.some(([from, to]) => {
      const first = from ?? 0;
      return port >= first && port <= (to ?? first);
    }),
  );
}

/** Of the packets traced here none is INVALID, RELATED or UNTRACKED; whether one was translated is not known. */
function isState(state: TracedPacket["state"], list: string): Match {
  const states = list.split(",");
  if (states.includes(state)) return "yes";
  return states.some((one) => one === "DNAT" || one === "SNAT") ? "unclear" : "no";
}

function hasFlags([mask = "", set = ""]: readonly string[], { protocol, state }: TracedPacket): Match {
  if (protocol !== "tcp") return "no";
  const flags = state === "NEW" ? ["SYN"] : ["SYN", "ACK"];
  const looked = mask === "ALL" ? ["SYN", "ACK", "FIN", "RST", "URG", "PSH"] : mask.split(",");
  const wanted = set === "NONE" ? [] : set === "ALL" ? looked : set.split(",");
  return yes(looked.every((flag) => flags.includes(flag) === wanted.includes(flag)));
}

function hasMark(mark: number, text: string): Match {
  const [value, mask] = numbers(text);
  if (value === undefined) return "unclear";
  return yes((mark & (mask ?? 0xffff_ffff)) >>> 0 === value);
}

/** `0x40000/0xff0000` as two numbers. */
export function numbers(text: string): [number | undefined, number | undefined] {
  const [value, mask] = text
    .split("/")
    .map((part) => (/^(0x[0-9a-f]+|[0-9]+)$/i.test(part) ? Number(part) : undefined));
  return [value, mask];
}

function isOfType(address: string, type: string, { local }: TracedPacket): Match {
  const isLocal = local.includes(address);
  switch (type) {
    case "LOCAL":
      return yes(isLocal);
    case "UNICAST":
      return yes(!isLocal);
    default:
      return "unclear";
  }
}

function isInRange(text: string, range: string): Match {
  const [from, to] = range.split("-").map(parseAddress);
  const address = parseAddress(text);
  if (address === undefined || from === undefined || to === undefined) return "unclear";
  return yes(address.family === from.family && address.value >= from.value && address.value <= to.value);
}
