/** The resolvers this machine itself uses, read anew when they change. */
import { getServers } from "node:dns";
import { readFileSync, statSync } from "node:fs";
import type { Clock } from "../../src-shared/clock.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import { parseEndpoint } from "../../src-shared/net/endpoint.ts";

export interface Resolver {
  /** An address, for IPv6 link-local ones with its zone. */
  readonly address: string;
  readonly port: number;
}

export interface ResolverSource {
  /** The resolvers to ask, the preferred one first. Never throws. */
  current(): readonly Resolver[];
}

export const DNS_PORT = 53;
const RESOLV_CONF = "/etc/resolv.conf";

/** More are ignored by the C library too (MAXNS, resolv.conf(5)). */
const MAX_RESOLVERS = 3;

/** A burst of queries looks at the file once; a change of network is noticed within this. */
const LOOK_AGAIN_MS = 1_000;

/** A file of resolvers is a few lines; more than this is something else. */
const MAX_RESOLV_CONF_BYTES = 64 * 1024;

/** What the C library asks when the file names nobody (resolv.conf(5)). */
const LOCAL: readonly Resolver[] = [{ address: "127.0.0.1", port: DNS_PORT }];

/** The `nameserver` lines of resolv.conf(5), three at most, without duplicates; lines that are none are passed over. */
export function parseResolvConf(text: string): Resolver[] {
  const addresses = new Set<string>();
  for (const line of text.split("\n")) {
    const address = /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1];
    if (address !== undefined && isAddressWithZone(address)) addresses.add(address);
  }
  return [...addresses].slice(0, MAX_RESOLVERS).map((address) => ({ address, port: DNS_PORT }));
}

export interface HostResolversOptions {
  clock: Clock;
  platform?: string;
  resolvConfPath?: string;
}

/** Reads `/etc/resolv.conf` on Linux, asks the system elsewhere. */
export class HostResolvers implements ResolverSource {
  readonly #clock: Clock;
  readonly #path: string | undefined;
  #lookAgainAtMs = Number.NEGATIVE_INFINITY;
  #stamp: string | undefined;
  #resolvers: readonly Resolver[] = LOCAL;

  constructor({ clock, platform = process.platform, resolvConfPath = RESOLV_CONF }: HostResolversOptions) {
    this.#clock = clock;
    this.#path = platform === "linux" ? resolvConfPath : undefined;
  }

  current(): readonly Resolver[] {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#lookAgainAtMs) return this.#resolvers;
    this.#lookAgainAtMs = nowMs + LOOK_AGAIN_MS;
    this.#resolvers = this.#path === undefined ? systemResolvers() : this.#fromFile(this.#path);
    return this.#resolvers;
  }

  #fromFile(path: string): readonly Resolver[] {
    try {
      const { mtimeMs, ino, size } = statSync(path);
      const stamp = `${mtimeMs} ${ino} ${size}`;
      if (stamp === this.#stamp) return this.#resolvers;
      const resolvers = size > MAX_RESOLV_CONF_BYTES ? [] : parseResolvConf(readFileSync(path, "utf8"));
      this.#stamp = stamp;
      return resolvers.length === 0 ? LOCAL : resolvers;
    } catch {
      // While a network manager replaces the file there is none for a moment: keep what was known.
      this.#stamp = undefined;
      return this.#resolvers;
    }
  }
}

function systemResolvers(): Resolver[] {
  return getServers()
    .slice(0, MAX_RESOLVERS)
    .flatMap((text) => {
      if (isAddressWithZone(text)) return [{ address: text, port: DNS_PORT }];
      const endpoint = parseEndpoint(text);
      return endpoint === undefined ? [] : [{ address: endpoint.host, port: endpoint.port }];
    });
}

function isAddressWithZone(text: string): boolean {
  const [address = "", zone, ...rest] = text.split("%");
  if (rest.length > 0 || (zone !== undefined && !/^[\w.@-]{1,15}$/.test(zone))) return false;
  const parsed = parseAddress(address);
  return parsed !== undefined && (zone === undefined || parsed.family === 6);
}
