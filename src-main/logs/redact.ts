/**
 * Takes out of what is logged everything that says who somebody is or where they are: addresses,
 * keys, endpoints, home folders. The same value gets the same placeholder (`ip-1`, `key-2`) for as long as the
 * process runs, so that a log can still be followed. In doubt it takes out too much.
 */
import { formatAddress, isInAny, parseAddress, prefix } from "../../src-shared/net/address.ts";
import { HiggsFailure } from "../../src-shared/result.ts";

/** A node that runs for months must not collect addresses without end; later ones share one placeholder. */
const MAX_PLACEHOLDERS = 10_000;

/** Each known endpoint name is looked for in each line, so there are few of them: those of one home node. */
const MAX_HOSTS = 64;

/** Deeper, or with more entries, nobody reads a log line; it also ends what refers to itself in ever new objects. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;

/** A longer text is cut after redaction: cut before, half an address could stay. */
const MAX_TEXT_CHARACTERS = 8 * 1024;
/** Redacting costs time per character; what is longer than this was no message, and is left out as a whole. */
const MAX_INPUT_CHARACTERS = 256 * 1024;

/** The longest textual IPv6 address (RFC 4291, with an embedded IPv4 address) has 45 characters. */
const MAX_ADDRESS_CHARACTERS = 45;

/** Say nothing about anybody: this machine to itself, and "any address". */
const HARMLESS = [prefix("127.0.0.0/8"), prefix("0.0.0.0/32"), prefix("::/128"), prefix("::1/128")];
const MAPPED_IPV4 = prefix("::ffff:0:0/96");

/** 32 bytes or more in base64 with padding (a WireGuard key among them), 32 bytes in hexadecimal, and just 32 in base64url (a relay's node id). */
const KEYS = /[A-Za-z0-9+/]{43,}=+|[0-9A-Fa-f]{64,}|(?<![\w+/-])[\w-]{43}(?![\w+/=-])/g;
/** Names of adapters that are plugged in have their MAC address in them (systemd.net-naming-scheme(7)). */
const MAC_IN_NAME = /\b((?:en|wl|ww|sl|ib)x)([0-9a-f]{12})\b/gi;
const HOMES = /[A-Za-z]:[\\/]+Users[\\/]+[^\\/:*?"<>|\r\n]+|\/(?:home|Users)\/[^/\s"'`:;,()[\]{}<>]+|\/root(?![\w.-])/g;
/** Hexadecimal digits, colons and dots in one run with two colons or more, and a zone (RFC 4007). */
const IPV6_RUNS = /(?:[0-9A-Fa-f.]*:){2,}[0-9A-Fa-f.]*(?:%[\w.~-]+)?/g;
const IPV4_RUNS = /\d+(?:\.\d+){3,}/g;
const MAC = /^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/;

const PLACEHOLDER = /^(?:ip|mac|key|host|home|secret)-(?:\d+|other)$/;

const SECRET_FIELD = /token|secret|password|passphrase|private_?key|preshared_?key/i;
/** What guests ask for and speak to: each name is taken out, however many there are, and none is remembered for other lines. */
const GUEST_FIELD = /(?:domain|question|qname|dns_?name|destination)s?$/i;
const HOST_FIELD = /(?:endpoint|host|hostname|server)s?$/i;

type Kind = "ip" | "mac" | "key" | "host" | "home" | "secret";

export class Redactor {
  readonly #placeholders = new Map<string, string>();
  readonly #counts = new Map<Kind, number>();
  /** Endpoint names seen in fields, longest first, so that they are found in messages too. */
  #hosts: string[] = [];

  /** A text without what identifies. Never throws. */
  text(input: string): string {
    if (input.length > MAX_INPUT_CHARACTERS) return `[${input.length} characters left out]`;
    let output = input.replace(KEYS, (key) => this.#placeholder("key", key));
    output = output.replace(HOMES, (home) => this.#placeholder("home", home));
    output = output.replace(MAC_IN_NAME, (_, kind: string, mac: string) => kind + this.#placeholder("mac", mac));
    for (const host of this.#hosts) output = replaceName(output, host, () => this.#placeholder("host", host));
    output = output.replace(IPV6_RUNS, (run) => this.#ipv6Run(run));
    output = output.replace(IPV4_RUNS, (run) => this.#ipv4Run(run));
    return output.length > MAX_TEXT_CHARACTERS ? `${output.slice(0, MAX_TEXT_CHARACTERS)}…` : output;
  }

  /** Any value as one that JSON can write, without what identifies: nested fields, errors and field names included. */
  value(input: unknown): unknown {
    return this.#value(input, "", 0, new Set());
  }

  #value(input: unknown, field: string, depth: number, above: Set<object>): unknown {
    switch (typeof input) {
      case "string":
        return this.#fieldText(input, field);
      case "number":
        return SECRET_FIELD.test(field) ? this.#placeholder("secret", String(input)) : input;
      case "boolean":
      case "undefined":
        return input;
      case "bigint":
      case "symbol":
        return this.text(String(input));
      case "function":
        return "[function]";
      case "object":
        break;
    }
    if (input === null) return null;
    if (above.has(input)) return "[circular]";
    if (depth >= MAX_DEPTH) return "[too deep]";
    above.add(input);
    const output = this.#object(input, field, depth + 1, above);
    above.delete(input);
    return output;
  }

  #object(input: object, field: string, depth: number, above: Set<object>): unknown {
    if (input instanceof Date) return Number.isNaN(input.getTime()) ? "[no date]" : input.toISOString();
    if (ArrayBuffer.isView(input)) return `[${input.byteLength} bytes]`;
    if (input instanceof Map) return this.#entries([...input], depth, above);
    if (input instanceof Error) return this.#entries(errorEntries(input), depth, above);
    if (input instanceof Set || Array.isArray(input)) {
      const items = [...input];
      const shown = items.slice(0, MAX_ENTRIES).map((item) => this.#value(item, field, depth, above));
      return items.length > MAX_ENTRIES ? [...shown, `[${items.length - MAX_ENTRIES} more]`] : shown;
    }
    return this.#entries(Object.entries(input), depth, above);
  }

  #entries(entries: [unknown, unknown][], depth: number, above: Set<object>): Record<string, unknown> {
    const output: [string, unknown][] = [];
    for (const [key, value] of entries.slice(0, MAX_ENTRIES)) {
      output.push([this.text(String(key)), this.#value(value, String(key), depth, above)]);
    }
    if (entries.length > MAX_ENTRIES) output.push(["more", entries.length - MAX_ENTRIES]);
    return Object.fromEntries(output);
  }

  #fieldText(input: string, field: string): string {
    if (SECRET_FIELD.test(field)) return this.#placeholder("secret", input);
    if (GUEST_FIELD.test(field)) return this.#guestText(input);
    if (HOST_FIELD.test(field)) this.#learnHost(input);
    return this.text(input);
  }

  #guestText(input: string): string {
    const redacted = this.text(input);
    const isAddress = redacted !== input && /^\[?ip-(?:\d+|other)\]?(?::\d+)?$/.test(redacted);
    return isAddress || input === "" || PLACEHOLDER.test(input)
      ? redacted
      : this.#placeholder("host", input.toLowerCase());
  }

  /** Remembers the name in `name`, `name:port` or a URL; an address is found without. */
  #learnHost(input: string): void {
    const name =
      /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?([\p{L}\p{N}_](?:[\p{L}\p{N}._-]{0,251}[\p{L}\p{N}])?)\.?(?::\d+)?(?:\/.*)?$/iu
        .exec(input)?.[1]
        ?.toLowerCase();
    if (name === undefined || name === "localhost" || /^[\d.]+$/.test(name) || PLACEHOLDER.test(name)) return;
    if (this.#hosts.includes(name) || this.#hosts.length >= MAX_HOSTS) return;
    this.#hosts = [...this.#hosts, name].sort((a, b) => b.length - a.length);
  }

  #ipv6Run(run: string): string {
    const zoneAt = run.indexOf("%");
    const body = zoneAt === -1 ? run : run.slice(0, zoneAt);
    if (MAC.test(body)) return this.#placeholder("mac", body.toLowerCase());
    // No address is this long; what it is (a fingerprint, addresses glued together) is not worth finding out.
    if (body.length > 2 * MAX_ADDRESS_CHARACTERS) return this.#placeholder("key", body);
    let output = "";
    let found = false;
    for (let start = 0; start < body.length; ) {
      const text = longestAddressAt(body, start);
      output += text === undefined ? body.charAt(start) : this.#address(text);
      found ||= text !== undefined;
      start += text?.length ?? 1;
    }
    return found || zoneAt === -1 ? output : run;
  }

  #ipv4Run(run: string): string {
    return this.#address(run);
  }

  #address(text: string): string {
    const address = parseAddress(text);
    if (address === undefined) return this.#placeholder("ip", text);
    if (isInAny(address, HARMLESS)) return text;
    const plain = isInAny(address, [MAPPED_IPV4])
      ? { family: 4 as const, value: address.value & 0xffff_ffffn }
      : address;
    return this.#placeholder("ip", formatAddress(plain));
  }

  #placeholder(kind: Kind, value: string): string {
    const name = `${kind}:${value}`;
    const known = this.#placeholders.get(name);
    if (known !== undefined) return known;
    if (this.#placeholders.size >= MAX_PLACEHOLDERS) return `${kind}-other`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.#placeholders.set(name, `${kind}-${count}`);
    return `${kind}-${count}`;
  }
}

function longestAddressAt(body: string, start: number): string | undefined {
  for (let end = Math.min(body.length, start + MAX_ADDRESS_CHARACTERS); end > start + 1; end--) {
    const text = body.slice(start, end);
    if (text.includes(":") && parseAddress(text) !== undefined) return text;
  }
  return undefined;
}

function replaceName(text: string, name: string, replacement: () => string): string {
  const lower = text.toLowerCase();
  // Lower-casing can change the length of exotic text; such text cannot be cut by index.
  if (lower.length !== text.length || !lower.includes(name)) return text;
  let output = "";
  let from = 0;
  for (let at = lower.indexOf(name); at !== -1; at = lower.indexOf(name, from)) {
    const end = at + name.length;
    const inside = /[\p{L}\p{N}-]/u;
    const part = inside.test(lower.charAt(at - 1)) || inside.test(lower.charAt(end));
    output += text.slice(from, at) + (part ? text.slice(at, end) : replacement());
    from = end;
  }
  return output + text.slice(from);
}

function errorEntries(error: Error): [string, unknown][] {
  const entries: [string, unknown][] = [
    ["name", error.name],
    ["message", error.message],
  ];
  if (error instanceof HiggsFailure) entries.push(["code", error.error.code], ["hint", error.error.hint]);
  else if ("code" in error) entries.push(["code", error.code]);
  if (error.stack !== undefined) entries.push(["stack", error.stack]);
  if (error.cause !== undefined) entries.push(["cause", error.cause]);
  if (error instanceof AggregateError) entries.push(["errors", error.errors]);
  return entries;
}
