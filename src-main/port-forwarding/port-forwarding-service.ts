/**
 * Has the home router forward ports to this machine, by PCP, NAT-PMP or UPnP, for as long as they are wanted. What is wanted
 * and which network the machine is in are told from outside; everything else follows from these two.
 */
import { EventEmitter, once } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import { type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { type HomeNetwork, type Mapping, type MappingRequest, mappingKey, type Transport } from "./mapping.ts";
import { mappingFail } from "./mapping-errors.ts";
import type { MappingIo } from "./mapping-io.ts";
import type { MappingJournal } from "./mapping-journal.ts";
import { MappingKeeper, outcomeOf } from "./mapping-keeper.ts";
import { RouterSession, type SessionOptions } from "./router-session.ts";

/** RFC 6886, section 3.3, recommends two hours. */
const DEFAULT_TTL_SECONDS = 7_200;

/** The wall clock goes on while the machine sleeps, the monotonic one does not. Corrections of the clock are smaller. */
const SLEPT_MS = 30_000;

/** A router that is silent is known to be so after three seconds; one that answers slowly may take longer. */
const KNOWN_WITHIN_MS = 5_000;

const DESCRIPTION = "HiggsNode";

export interface PortMappingOptions {
  internalPort: number;
  /** Default: the internal one. The router may grant another. */
  externalPort?: number;
  /** Default: udp, which WireGuard speaks. */
  protocol?: Transport;
  /** Shown in the router's own list. */
  description?: string;
  /** Seconds until the mapping ends by itself unless it is renewed, which this service does. */
  ttl?: number;
}

export interface PortForwardingOptions {
  io: MappingIo;
  journal: MappingJournal;
  logger: Logger;
  ports?: SessionOptions["ports"] | undefined;
}

interface Events {
  /** The state of the first port that is wanted, with every change. */
  changed: [PortMappingState];
  /** No router forwards the port, and why. */
  unavailable: [HiggsError];
}

export class PortForwardingService extends EventEmitter<Events> {
  readonly #options: PortForwardingOptions;
  readonly #logger: Logger;
  readonly #wanted = new Map<string, MappingRequest>();
  readonly #keepers = new Map<string, MappingKeeper>();
  #session: RouterSession | undefined;
  #state: PortMappingState = { state: "off" };
  /** Releases under way; whoever maps anew waits for them, so that no deletion overtakes a mapping. */
  #releases: Promise<unknown> = Promise.resolve();
  #sleepOffsetMs: number;

  constructor(options: PortForwardingOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger.child({ area: "ports" });
    this.#sleepOffsetMs = this.#clockOffsetMs();
  }

  get state(): PortMappingState {
    return this.#state;
  }

  /**
   * Tells which network the machine is in; null where there is no router. Call it with every look at the machine: the same
   * network again changes nothing. In another network what can be released is released, and everything is mapped anew.
   */
  initialize(network: HomeNetwork | null): void {
    const slept = this.#hasSlept();
    if (this.#session !== undefined && isDeepStrictEqual(network, this.#session.network)) {
      if (slept) for (const keeper of this.#keepers.values()) keeper.alarm();
      return;
    }
    this.#leave();
    if (network !== null) {
      const session = new RouterSession({
        ...this.#options,
        logger: this.#logger,
        network,
        onRestart: () => {
          if (this.#session !== session) return;
          for (const keeper of this.#keepers.values()) keeper.alarm();
        },
      });
      this.#session = session;
      session.listen();
    }
    for (const key of this.#wanted.keys()) void this.#keep(key);
    this.#publish();
  }

  /**
   * Wants a port forwarded, until it is removed or everything is cleaned up. Resolves with the first outcome; later ones are
   * told by events. Asking again for the same port does nothing new.
   */
  async addPortMapping(options: PortMappingOptions): Promise<Result<Mapping>> {
    const request = requestOf(options);
    const key = mappingKey(request);
    const keeper = this.#keepers.get(key);
    if (keeper !== undefined && isDeepStrictEqual(this.#wanted.get(key), request)) return outcomeOf(keeper);
    this.#release(key);
    this.#wanted.set(key, request);
    await this.#keep(key);
    const kept = this.#keepers.get(key);
    return kept === undefined ? mappingFail("no-gateway") : outcomeOf(kept);
  }

  /** Deletes the mapping at the router. Resolves when that is done, or is known not to be possible. */
  async removePortMapping({ internalPort, protocol = "udp" }: Pick<PortMappingOptions, "internalPort" | "protocol">) {
    const key = mappingKey({ transport: protocol, internalPort });
    this.#wanted.delete(key);
    this.#release(key);
    this.#publish();
    await this.#releases;
  }

  /** The router's address on the internet, as the router tells it; a private one says that another router is in front. */
  async getExternalIP(signal: AbortSignal): Promise<Result<string>> {
    const session = this.#session;
    if (session === undefined) return mappingFail("no-gateway");
    for (const { mapping } of this.#keepers.values()) {
      if (mapping?.externalAddress) return ok(mapping.externalAddress);
    }
    for (const protocol of session.available) {
      const answer = await session.clientOf({ protocol })?.externalAddress(signal);
      if (answer?.ok) return answer;
    }
    return mappingFail("router-silent");
  }

  /** What routers hold for this machine at present. */
  get mappings(): Mapping[] {
    return [...this.#keepers.values()].flatMap(({ mapping }) => mapping ?? []);
  }

  /** Resolves as soon as it is known whether the port is forwarded, or when that takes longer than anybody should wait. */
  async known(): Promise<void> {
    const controller = new AbortController();
    const cancel = this.#options.io.clock.after(KNOWN_WITHIN_MS, () => controller.abort());
    try {
      while (this.#state.state === "probing") await once(this, "changed", { signal: controller.signal });
    } catch {
      // Time is up, which is no failure: whoever asked goes on with what is known.
    } finally {
      cancel();
    }
  }

  /** Asks the router again at once, as an owner who has just changed its settings wants it. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.refresh()));
  }

  /** Deletes what an earlier run left at routers, without mapping anything. */
  releaseLeftovers(): Promise<unknown> {
    this.#releases = Promise.all([this.#releases, this.#releaseLeftovers()]);
    return this.#releases;
  }

  async #releaseLeftovers(): Promise<void> {
    const places = new Map(
      this.#options.journal.entries().map(({ gateway, address }) => [`${gateway} ${address}`, { gateway, address }]),
    );
    const sessions = [...places.values()].map(
      (place) =>
        new RouterSession({
          ...this.#options,
          logger: this.#logger,
          network: { ...place, lanPrefix: null },
          onRestart: () => {},
        }),
    );
    await Promise.all(sessions.map((session) => session.releaseLeftovers()));
    for (const session of sessions) session.close();
  }

  /** Deletes every mapping and sends nothing any more, until a network and a port are told again. Idempotent. */
  async cleanup(): Promise<void> {
    this.#wanted.clear();
    this.#leave();
    this.#publish();
    await this.#releases;
  }

  async #keep(key: string): Promise<void> {
    const request = this.#wanted.get(key);
    const session = this.#session;
    if (session === undefined) return this.#publish();
    if (request === undefined || this.#keepers.has(key)) return;
    const keeper = new MappingKeeper({
      ...this.#options,
      logger: this.#logger,
      session,
      request,
      onChange: () => this.#publish(),
    });
    this.#keepers.set(key, keeper);
    this.#publish();
    await this.#releases;
    await keeper.start();
  }

  #release(key: string): void {
    const keeper = this.#keepers.get(key);
    if (keeper === undefined) return;
    this.#keepers.delete(key);
    this.#releases = Promise.all([this.#releases, keeper.release()]);
  }

  /** Gives back what the present network's router holds, as far as it can still be reached. */
  #leave(): void {
    for (const key of [...this.#keepers.keys()]) this.#release(key);
    this.#session?.close();
    this.#session = undefined;
  }

  #publish(): void {
    const state = this.#present();
    if (isDeepStrictEqual(state, this.#state)) return;
    const before = this.#state;
    this.#state = state;
    this.emit("changed", state);
    const isNew =
      before.state !== "unavailable" || (state.state === "unavailable" && before.reason.code !== state.reason.code);
    if (state.state === "unavailable" && isNew) this.emit("unavailable", state.reason);
  }

  #present(): PortMappingState {
    const [first] = this.#wanted.keys();
    if (first === undefined) return { state: "off" };
    const keeper = this.#keepers.get(first);
    if (keeper !== undefined) return keeper.state;
    if (this.#state.state === "unavailable" && this.#state.reason.code === "no-gateway") return this.#state;
    const since = new Date(this.#options.io.clock.nowMs()).toISOString();
    return { state: "unavailable", since, reason: mappingFail("no-gateway").error, nextProbeAt: null };
  }

  #clockOffsetMs(): number {
    const { clock } = this.#options.io;
    return clock.nowMs() - clock.monotonicMs();
  }

  #hasSlept(): boolean {
    const offsetMs = this.#clockOffsetMs();
    const slept = offsetMs - this.#sleepOffsetMs > SLEPT_MS;
    this.#sleepOffsetMs = offsetMs;
    return slept;
  }
}

function requestOf(options: PortMappingOptions): MappingRequest {
  const { internalPort, externalPort = internalPort, protocol = "udp" } = options;
  const { description = DESCRIPTION, ttl = DEFAULT_TTL_SECONDS } = options;
  return { transport: protocol, internalPort, externalPort, description, lifetimeSeconds: ttl };
}
