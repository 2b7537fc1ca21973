/** The relay as the rest of the node sees it: told what is wanted, tells how it is. */
import { lookup } from "node:dns/promises";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../src-shared/clock.ts";
import type { RelayLinkState } from "../../src-shared/model/relay-link.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { formatRelayUrl, parseRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import type { ProbeResult } from "../../src-shared/relay/control.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import type { Outside, OutsideView } from "../reachability/outside.ts";
import type { ProbeQuestion } from "../reachability/probe-exchange.ts";
import { createDialer } from "./dialer.ts";
import type { Environment } from "./proxy.ts";
import { openRelayIdentity } from "./relay-identity.ts";
import type { RelayMemory, RelayPlace } from "./relay-memory.ts";
import { RelayPool } from "./relay-pool.ts";

/** More addresses than a relay's name has are no use, and each makes a guest's configuration longer. */
const MAX_ADDRESSES = 8;

export interface RelayServiceOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly env: Environment;
  readonly dataDir: string;
  readonly memory: RelayMemory;
  readonly logger: Logger;
  readonly version: string;
  /** Relays named for this run alone; they stand in for those of the settings. */
  readonly servers?: readonly string[] | undefined;
}

export type RelaySettings = Pick<Settings, "relayMode" | "relayServers" | "relayCaFile" | "relayAllowPlain">;

interface Wanted {
  readonly servers: readonly string[];
  readonly caFile: string;
  readonly allowPlain: boolean;
  readonly wireguardPort: number;
}

export class RelayService implements Outside {
  readonly #options: RelayServiceOptions;
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: RelayLinkState) => void>();
  #wanted: Wanted | undefined;
  #pool: RelayPool | undefined;
  #state: RelayLinkState = { state: "off" };
  #disposed = false;

  constructor(options: RelayServiceOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ area: "relay" });
  }

  get state(): RelayLinkState {
    return this.#state;
  }

  get view(): OutsideView | undefined {
    return this.#pool?.view;
  }

  /** Whether this node has a relay to connect to while it shares. */
  hasServers(settings: RelaySettings): boolean {
    return settings.relayMode !== "off" && this.#servers(settings).length > 0;
  }

  probe(question: ProbeQuestion): Promise<Result<ProbeResult>> {
    if (this.#pool !== undefined) return this.#pool.probe(question);
    return Promise.resolve(fail("relay-not-connected", "The node is not connected to a relay."));
  }

  probeFrom(address: string, question: ProbeQuestion): Promise<Result<ProbeResult>> {
    if (this.#pool !== undefined) return this.#pool.probeFrom(address, question);
    return Promise.resolve(fail("relay-not-connected", "The node is not connected to a relay."));
  }

  onChange(listener: (state: RelayLinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `wireguardPort` is undefined while the node does not share. Does nothing when nothing has changed. */
  update(settings: RelaySettings, wireguardPort: number | undefined): void {
    const wanted = this.#want(settings, wireguardPort);
    if (this.#disposed || isDeepStrictEqual(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    this.#pool?.dispose();
    this.#pool = undefined;
    if (wanted === undefined) this.#enter({ state: "off" });
    else this.#start(wanted);
  }

  /** Call it when the machine's addresses or routes have changed. */
  networkChanged(): void {
    this.#pool?.networkChanged();
  }

  /** Where guests find the node: now, or when it was connected last. Fails with `relay-not-connected`. */
  place(settings: RelaySettings): Result<RelayPlace> {
    const { place } = this.#options.memory;
    if (place !== undefined && this.#servers(settings).includes(place.url)) return ok(place);
    return fail(
      "relay-not-connected",
      "The node has not been connected to its relay yet.",
      this.#servers(settings).length === 0
        ? 'Name one: higgsnode settings set relayServers=["wss://relay.example.org"]'
        : "Turn sharing on and look at: higgsnode status",
    );
  }

  /** Idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.#pool?.dispose();
    this.#pool = undefined;
    this.#listeners.clear();
  }

  #servers({ relayServers }: RelaySettings): readonly string[] {
    return [...new Set(this.#options.servers ?? relayServers)];
  }

  #want(settings: RelaySettings, wireguardPort: number | undefined): Wanted | undefined {
    const servers = this.#servers(settings);
    if (wireguardPort === undefined || settings.relayMode === "off" || servers.length === 0) return undefined;
    return { servers, caFile: settings.relayCaFile, allowPlain: settings.relayAllowPlain, wireguardPort };
  }

  #start({ servers, caFile, allowPlain, wireguardPort }: Wanted): void {
    const { clock, random, env, dataDir, version } = this.#options;
    const pool = new RelayPool({
      clock,
      random,
      dialer: createDialer({
        env,
        caFile: caFile === "" ? undefined : caFile,
        allowPlain,
        monotonicMs: () => clock.monotonicMs(),
      }),
      identity: () => openRelayIdentity(dataDir),
      servers: servers.flatMap((text) => parseRelayUrl(text) ?? []),
      wireguardPort,
      agent: `higgsnode ${version}`.slice(0, 64),
      logger: this.#logger,
      onState: (state) => {
        if (this.#pool === pool) this.#enter(state);
      },
      onRegistered: (at) => void this.#remember(at),
    });
    this.#pool = pool;
    pool.start();
  }

  /** The endpoint at once, the addresses when they are known: behind a proxy the name may have none here. */
  async #remember({ url, nodeId, endpoint }: { url: RelayUrl; nodeId: string; endpoint: Endpoint }): Promise<void> {
    const { memory } = this.#options;
    const name = formatRelayUrl(url);
    const before = memory.place?.url === name ? memory.place.addresses : [];
    memory.place = { url: name, endpoint, nodeId, addresses: before };
    try {
      const found = await lookup(url.host, { all: true });
      if (this.#disposed || memory.place?.url !== name) return;
      memory.place = {
        ...memory.place,
        addresses: found
          .slice(0, MAX_ADDRESSES)
          .map(({ address }) => address)
          .sort(),
      };
    } catch {
      // What was known before still stands.
    }
  }

  #enter(state: RelayLinkState): void {
    if (isDeepStrictEqual(state, this.#state)) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
