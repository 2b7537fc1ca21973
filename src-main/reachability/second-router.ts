/**
 * A mapping at a second router at home, behind which the first one stands: its internal port is the first one's external
 * port. Only routers with an RFC 1918 address are asked: any other belongs to somebody else.
 */
import type { CancelTimer } from "../../src-shared/clock.ts";
import { isInAny, parseAddress, prefix } from "../../src-shared/net/address.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import type { Logger } from "../logs/logger.ts";
import type { HomeNetwork, Mapping } from "../port-forwarding/mapping.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";
import type { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { NatPmpClient } from "../port-forwarding/nat-pmp-client.ts";
import type { BehindRouter } from "./reachability-service.ts";

const RFC_1918 = [prefix("10.0.0.0/8"), prefix("172.16.0.0/12"), prefix("192.168.0.0/16")];
/** RFC 6886, section 3.3, recommends two hours. */
const LIFETIME_SECONDS = 7_200;
/** A router that is asked behind another's back gets this long. */
const ASK_WITHIN_MS = 4_000;
/** Deleting takes milliseconds; whoever quits does not wait longer for a router that is gone. */
const RELEASE_WITHIN_MS = 1_500;

export interface SecondRouterOptions {
  readonly io: MappingIo;
  readonly journal: MappingJournal;
  readonly logger: Logger;
  /** Port of the router's service, for tests that may not use the real one. */
  readonly serverPort?: number;
}

export class SecondRouter implements BehindRouter {
  readonly #options: SecondRouterOptions;
  #held: { readonly mapping: Mapping; readonly client: NatPmpClient; readonly endpoint: Endpoint } | undefined;
  #cancelRenewal: CancelTimer = () => {};

  constructor(options: SecondRouterOptions) {
    this.#options = options;
  }

  get mapped(): Endpoint | undefined {
    return this.#held?.endpoint;
  }

  async map({ gateway, local, port }: { gateway: string; local: string; port: number }): Promise<Endpoint | undefined> {
    const address = parseAddress(gateway);
    if (address === undefined || !isInAny(address, RFC_1918)) return undefined;
    const held = this.#held?.mapping;
    if (held !== undefined && (held.gateway !== gateway || held.internalPort !== port || held.address !== local)) {
      await this.release();
    }
    const { io, serverPort } = this.#options;
    const network: HomeNetwork = { gateway, address: local, lanPrefix: null };
    const client = new NatPmpClient({ io, network, ...(serverPort === undefined ? {} : { port: serverPort }) });
    await this.#releaseLeftovers(client, network, port);
    return this.#ask(client, port);
  }

  async release(): Promise<void> {
    this.#cancelRenewal();
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    const released = await this.#within(RELEASE_WITHIN_MS, (signal) => held.client.unmap(held.mapping, signal));
    if (released.ok) this.#options.journal.strike(held.mapping);
  }

  /** What an earlier run, or an earlier port, has left there. */
  async #releaseLeftovers(client: NatPmpClient, { gateway, address }: HomeNetwork, port: number): Promise<void> {
    const { journal } = this.#options;
    for (const mapping of journal.entries()) {
      if (mapping.gateway !== gateway || mapping.address !== address || mapping.internalPort === port) continue;
      const released = await this.#within(RELEASE_WITHIN_MS, (signal) => client.unmap(mapping, signal));
      if (released.ok) journal.strike(mapping);
    }
  }

  /** NAT-PMP alone: PCP names the asking address, which the first router has translated (RFC 6887, section 8.1). */
  async #ask(client: NatPmpClient, port: number): Promise<Endpoint | undefined> {
    const { journal, logger } = this.#options;
    const request = {
      transport: "udp",
      internalPort: port,
      description: "HiggsNode",
      lifetimeSeconds: LIFETIME_SECONDS,
    } as const;
    const mapped = await this.#within(ASK_WITHIN_MS, (signal) =>
      client.map({ ...request, externalPort: port }, { signal, onIntent: (intent) => journal.note(intent) }),
    );
    if (!mapped.ok) {
      logger.info("a second router does not forward", { code: mapped.error.code });
      return undefined;
    }
    const { value: mapping } = mapped;
    journal.note(mapping);
    const host = mapping.externalAddress === null ? undefined : parseAddress(mapping.externalAddress);
    if (host === undefined || !isPublicAddress(host) || mapping.externalAddress === null) {
      // A third router in front of this one: what it maps leads nowhere.
      const released = await this.#within(RELEASE_WITHIN_MS, (signal) => client.unmap(mapping, signal));
      if (released.ok) journal.strike(mapping);
      return undefined;
    }
    const endpoint = { host: mapping.externalAddress, port: mapping.externalPort };
    this.#held = { mapping, client, endpoint };
    this.#cancelRenewal();
    this.#cancelRenewal = this.#options.io.clock.after((mapping.lifetimeSeconds * 1000) / 2, () => {
      if (this.#held?.mapping !== mapping) return;
      void this.#ask(client, port);
    });
    return endpoint;
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
