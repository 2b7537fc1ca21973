/**
 * A mapping at a second router at home, behind which the first one stands: its internal port is the first one's external
 * port. Asked for by PCP, NAT-PMP and UPnP like the first, the better preferred. Only routers with an RFC 1918 address are
 * asked: any other belongs to somebody else.
 */
import type { CancelTimer } from "../../src-shared/clock.ts";
import { isInAny, parseAddress, prefix } from "../../src-shared/net/address.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import type { Logger } from "../logs/logger.ts";
import type { HomeNetwork, Mapping, MappingClient } from "../port-forwarding/mapping.ts";
import { MAY_BE_GRANTED } from "../port-forwarding/mapping-errors.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";
import type { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { NatPmpClient } from "../port-forwarding/nat-pmp-client.ts";
import { PcpClient } from "../port-forwarding/pcp-client.ts";
import { ProbeRound } from "../port-forwarding/probe-round.ts";
import { UpnpClient } from "../port-forwarding/upnp-client.ts";
import type { BehindRouter } from "./reachability-service.ts";

const RFC_1918 = [prefix("10.0.0.0/8"), prefix("172.16.0.0/12"), prefix("192.168.0.0/16")];
/** RFC 6886, section 3.3, recommends two hours. */
const LIFETIME_SECONDS = 7_200;
/** A router that is asked behind another's back gets this long: three seconds until it is silent, the rest to map. */
const ASK_WITHIN_MS = 6_000;
/** Deleting takes milliseconds; whoever quits does not wait longer for a router that is gone. */
const RELEASE_WITHIN_MS = 1_500;

export interface SecondRouterOptions {
  readonly io: MappingIo;
  readonly journal: MappingJournal;
  readonly logger: Logger;
  /** Ports of the router's services, for tests that may not use the real ones. */
  readonly ports?: { readonly server: number; readonly ssdp: number };
}

interface Held {
  readonly mapping: Mapping;
  readonly client: MappingClient;
  readonly endpoint: Endpoint;
}

interface Asked {
  readonly port: number;
  /** When it was asked: what is granted after a release is not wanted any more. */
  readonly generation: number;
  readonly signal: AbortSignal;
}

export class SecondRouter implements BehindRouter {
  readonly #options: SecondRouterOptions;
  #held: Held | undefined;
  #cancelRenewal: CancelTimer = () => {};
  /** Grows with every release. */
  #generation = 0;

  constructor(options: SecondRouterOptions) {
    this.#options = options;
  }

  get mapped(): Endpoint | undefined {
    return this.#held?.endpoint;
  }

  async map({ gateway, local, inner, port }: Parameters<BehindRouter["map"]>[0]): Promise<Endpoint | undefined> {
    if (!isRfc1918(gateway)) return undefined;
    const held = this.#held?.mapping;
    if (held !== undefined && (held.gateway !== gateway || held.internalPort !== port || held.address !== local)) {
      await this.release();
    }
    const generation = this.#generation;
    const network: HomeNetwork = { gateway, address: local, lanPrefix: null };
    const clients = this.#clients(network, inner !== null && isRfc1918(inner) ? inner : null);
    await this.#releaseLeftovers(network);
    const renewed = await this.#renew(port);
    return renewed ?? this.#within(ASK_WITHIN_MS, (signal) => this.#ask(clients, { port, generation, signal }));
  }

  async release(): Promise<void> {
    this.#generation++;
    this.#cancelRenewal();
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#delete(held.client, held.mapping);
  }

  /**
   * In the order in which they are preferred. PCP and UPnP name the client's address, which to the second router is the
   * first one's (RFC 6887, section 8.1): where that is not known, only NAT-PMP is left, which takes it from the packet.
   */
  #clients(network: HomeNetwork, inner: string | null): MappingClient[] {
    const { io, ports } = this.#options;
    const datagram = { io, network, ...(ports && { port: ports.server }) };
    const natPmp = new NatPmpClient(datagram);
    if (inner === null) return [natPmp];
    return [
      new PcpClient({ ...datagram, clientAddress: inner }),
      natPmp,
      new UpnpClient({ io, network, clientAddress: inner, ...(ports && { ports }) }),
    ];
  }

  /** What an earlier run, or an earlier port, has left there: nobody but who made a PCP mapping may change it. */
  async #releaseLeftovers(network: HomeNetwork): Promise<void> {
    for (const mapping of this.#options.journal.entries()) {
      const isHere = mapping.gateway === network.gateway && mapping.address === network.address;
      if (!isHere || mapping === this.#held?.mapping) continue;
      const clients = this.#clients(network, mapping.clientAddress ?? null);
      const client = clients.find(({ protocol }) => protocol === mapping.protocol);
      if (client !== undefined) await this.#delete(client, mapping);
    }
  }

  async #ask(clients: readonly MappingClient[], asked: Asked): Promise<Endpoint | undefined> {
    const { io, logger } = this.#options;
    const { signal } = asked;
    const controller = new AbortController();
    const round = new ProbeRound(clients, {
      clock: io.clock,
      signal: AbortSignal.any([signal, controller.signal]),
      onResult: () => {},
    });
    for await (const client of round.candidates()) {
      const endpoint = await this.#map(client, asked);
      if (endpoint === undefined) continue;
      controller.abort();
      await round.done;
      return endpoint;
    }
    const codes = round.errors.map(({ code }) => code).join(" ");
    logger.info("a second router does not forward", codes === "" ? {} : { codes });
    return undefined;
  }

  async #map(
    client: MappingClient,
    { port, generation, signal }: Asked,
    former?: Mapping,
  ): Promise<Endpoint | undefined> {
    const { journal, logger } = this.#options;
    const request = {
      transport: "udp",
      internalPort: port,
      externalPort: former?.externalPort ?? port,
      description: "HiggsNode",
      lifetimeSeconds: LIFETIME_SECONDS,
    } as const;
    let intent: Mapping | undefined;
    const onIntent = (asked: Mapping) => {
      intent = asked;
      journal.note(asked);
    };
    const mapped = await client.map(request, { signal, onIntent, ...(former === undefined ? {} : { former }) });
    if (!mapped.ok) {
      const { code } = mapped.error;
      logger.info("a second router refuses", { protocol: client.protocol, code });
      if (intent !== undefined && former === undefined && !MAY_BE_GRANTED.has(code)) journal.strike(intent);
      return undefined;
    }
    const { value: mapping } = mapped;
    journal.note(mapping);
    const host = mapping.externalAddress === null ? undefined : parseAddress(mapping.externalAddress);
    const isStale = generation !== this.#generation;
    if (isStale || host === undefined || !isPublicAddress(host) || mapping.externalAddress === null) {
      // Not wanted any more; or a third router in front of this one: what it maps leads nowhere.
      await this.#delete(client, mapping);
      return undefined;
    }
    return this.#hold({ mapping, client, endpoint: { host: mapping.externalAddress, port: mapping.externalPort } });
  }

  #hold(held: Held): Endpoint {
    const { clock } = this.#options.io;
    this.#held = held;
    this.#cancelRenewal();
    // What stays until it is deleted needs no renewal.
    if (held.mapping.lifetimeSeconds === 0) return held.endpoint;
    this.#cancelRenewal = clock.after((held.mapping.lifetimeSeconds * 1000) / 2, () => {
      if (this.#held === held) void this.#renew(held.mapping.internalPort);
    });
    return held.endpoint;
  }

  /** The same once more. A router that refuses has lost it: the next look from outside finds nothing there, and asks anew. */
  async #renew(port: number): Promise<Endpoint | undefined> {
    const held = this.#held;
    if (held === undefined) return undefined;
    const { client, mapping } = held;
    const renewed = await this.#within(ASK_WITHIN_MS, (signal) =>
      this.#map(client, { port, generation: this.#generation, signal }, mapping),
    );
    if (renewed === undefined && this.#held === held) await this.release();
    return renewed;
  }

  /** Never fails: what stays is tried again another time, or ends by itself. */
  async #delete(client: MappingClient, mapping: Mapping): Promise<void> {
    const released = await this.#within(RELEASE_WITHIN_MS, (signal) => client.unmap(mapping, signal));
    if (released.ok) this.#options.journal.strike(mapping);
  }

  async #within<T>(ms: number, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const cancel = this.#options.io.clock.after(ms, () => controller.abort());
    try {
      return await action(controller.signal);
    } finally {
      cancel();
    }
  }
}

function isRfc1918(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && isInAny(address, RFC_1918);
}
