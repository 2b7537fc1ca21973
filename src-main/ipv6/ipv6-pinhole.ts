/**
 * Has the home router let guests in to this machine's global IPv6 address: an opening in the router's filter, which RFC 7084
 * has closed by default. Asked for by PCP MAP without translation (RFC 6887, section 11.1), and where that is not granted by
 * UPnP's WANIPv6FirewallControl:1.
 *
 *   off ──sharing, a global address──▶ asking ──granted──▶ open ──renewal refused, forgotten──▶ asking
 *                                        │ ▲
 *                                        │ └─again in ten minutes─┐
 *                                        └──refused──▶ closed ────┘
 */
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer } from "../../src-shared/clock.ts";
import type { Pinhole } from "../../src-shared/model/pinhole.ts";
import { containsAddress, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import { errorOf, type HiggsError, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { IgdPinholeClient } from "../port-forwarding/igd-pinhole-client.ts";
import type { HomeNetwork, Mapping } from "../port-forwarding/mapping.ts";
import { MAY_BE_GRANTED, mappingFail, tellingRank } from "../port-forwarding/mapping-errors.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";
import type { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { PcpClient } from "../port-forwarding/pcp-client.ts";

/** RFC 6886, section 3.3, recommends two hours for its like. */
const LIFETIME_SECONDS = 7_200;
/** The owner may have told the router to listen; and a router that was restarted has forgotten what it opened. */
const AGAIN_AFTER_MS = 10 * 60_000;
/** A router that grants seconds is asked no more often than this. */
const LEAST_RENEWAL_MS = 30_000;
/** Deleting takes milliseconds; whoever quits does not wait longer for a router that is gone. */
const RELEASE_WITHIN_MS = 1_500;

export interface PinholeWanted {
  /** This machine's global address. */
  readonly address: string;
  /** The network it is in there: a router outside it is the provider's, and not asked. */
  readonly onLink: string;
  /** Its default gateway, perhaps by its link-local address. */
  readonly gateway: string | null;
  readonly port: number;
}

export interface PinholeOptions {
  readonly io: MappingIo;
  readonly journal: MappingJournal;
  readonly logger: Logger;
  /** The global address of the first router on the way out; null where it does not tell. */
  readonly firstHop: () => Promise<string | null>;
  readonly onChange: () => void;
}

type PinholeClient = PcpClient | IgdPinholeClient;

interface Held {
  readonly mapping: Mapping;
  readonly client: PinholeClient;
  /** On the monotonic clock. */
  readonly renewAtMs: number;
}

export class Ipv6Pinhole {
  readonly #options: PinholeOptions;
  #wanted: PinholeWanted | undefined;
  #state: Pinhole = { state: "off" };
  #held: Held | undefined;
  #controller = new AbortController();
  #cancelNext: CancelTimer = () => {};
  #released: Promise<void> = Promise.resolve();
  #disposed = false;

  constructor(options: PinholeOptions) {
    this.#options = options;
  }

  get state(): Pinhole {
    return this.#state;
  }

  /** Undefined where no pinhole is wanted. Call it with every change; the same again does nothing. */
  update(wanted: PinholeWanted | undefined): void {
    if (this.#disposed || isDeepStrictEqual(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    this.#leave();
    if (wanted === undefined) this.#enter({ state: "off" });
    else void this.#open(wanted, this.#controller.signal);
  }

  /** Closes the pinhole at the router. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#leave();
    await this.#released;
  }

  #leave(): void {
    this.#cancelNext();
    this.#controller.abort();
    this.#controller = new AbortController();
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#release(held.client, held.mapping);
  }

  async #open(wanted: PinholeWanted, signal: AbortSignal): Promise<void> {
    if (this.#state.state !== "open") this.#enter({ state: "asking" });
    await this.#released;
    try {
      const answer = await this.#ask(wanted, signal);
      if (signal.aborted) return;
      if (!answer.ok) this.#close(answer.error, wanted, signal);
    } catch (thrown) {
      if (!signal.aborted) this.#close(errorOf(thrown), wanted, signal);
    }
  }

  async #ask(wanted: PinholeWanted, signal: AbortSignal): Promise<Result<void>> {
    const { io, firstHop } = this.#options;
    const gateway = isOnLink(wanted.gateway, wanted) ? wanted.gateway : await firstHop();
    if (gateway === null || !isOnLink(gateway, wanted)) return { ok: false, error: NO_ROUTER };
    const network: HomeNetwork = { gateway, address: wanted.address, lanPrefix: wanted.onLink };
    const clients = [new PcpClient({ io, network }), new IgdPinholeClient({ io, network })];
    await this.#giveBack(clients, wanted.address, gateway);
    const errors: HiggsError[] = [];
    for (const client of clients) {
      const mapped = await this.#map(client, wanted, signal);
      if (mapped.ok) return { ok: true, value: undefined };
      errors.push(mapped.error);
      if (signal.aborted) break;
    }
    const [error = mappingFail("router-silent").error] = errors.sort(
      (a, b) => tellingRank(a.code) - tellingRank(b.code),
    );
    return { ok: false, error };
  }

  async #map(
    client: PinholeClient,
    wanted: PinholeWanted,
    signal: AbortSignal,
    former?: Mapping,
  ): Promise<Result<void>> {
    const { journal } = this.#options;
    const request = {
      transport: "udp",
      internalPort: wanted.port,
      externalPort: wanted.port,
      lifetimeSeconds: LIFETIME_SECONDS,
      description: "HiggsNode",
    } as const;
    let intent: Mapping | undefined;
    const onIntent = (asked: Mapping) => {
      intent = asked;
      journal.note(asked);
    };
    const mapped = await client.map(request, { signal, onIntent, ...(former === undefined ? {} : { former }) });
    if (!mapped.ok) {
      if (intent !== undefined && !MAY_BE_GRANTED.has(mapped.error.code)) journal.strike(intent);
      return mapped;
    }
    journal.note(mapped.value);
    if (signal.aborted) this.#release(client, mapped.value);
    else this.#hold(client, mapped.value, wanted, signal);
    return { ok: true, value: undefined };
  }

  /**
   * Deletes what is held, or was left by an earlier run, before it is asked for: miniupnpd 2.3.1 renews a pinhole that was
   * made by PCP, and then refuses to delete it for ever. Connections that stand are not cut by this.
   */
  async #giveBack(clients: readonly PinholeClient[], address: string, gateway: string): Promise<void> {
    this.#held = undefined;
    const mine = this.#options.journal
      .entries()
      .filter((entry) => entry.gateway === gateway && entry.address === address);
    for (const mapping of mine) {
      const client = clients.find(({ protocol }) => protocol === mapping.protocol);
      if (client !== undefined) await this.#release(client, mapping);
    }
  }

  #hold(client: PinholeClient, mapping: Mapping, wanted: PinholeWanted, signal: AbortSignal): void {
    const { io, logger } = this.#options;
    const { protocol } = client;
    const lifetimeMs = mapping.lifetimeSeconds * 1000;
    if (this.#state.state !== "open")
      logger.info("the router lets guests in over IPv6", { protocol, port: mapping.externalPort });
    const renewAtMs = io.clock.monotonicMs() + Math.max(LEAST_RENEWAL_MS, lifetimeMs / 2);
    this.#held = { mapping, client, renewAtMs };
    this.#enter({
      state: "open",
      protocol,
      endpoint: { host: mapping.externalAddress ?? wanted.address, port: mapping.externalPort },
      gateway: mapping.gateway,
      leaseEndsAt: new Date(io.clock.nowMs() + lifetimeMs).toISOString(),
    });
    this.#watch(wanted, signal);
  }

  /** Waits for the renewal, or the next look whether the router still has it, whichever is due first. */
  #watch(wanted: PinholeWanted, signal: AbortSignal): void {
    const { clock } = this.#options.io;
    const held = this.#held;
    if (held === undefined) return;
    const waitMs = Math.max(0, Math.min(held.renewAtMs - clock.monotonicMs(), AGAIN_AFTER_MS));
    this.#cancelNext = clock.after(waitMs, () => {
      const isDue = held.renewAtMs <= clock.monotonicMs();
      const looked = isDue ? this.#renew(held, wanted, signal) : this.#check(held, wanted, signal);
      looked.catch((thrown: unknown) => {
        if (!signal.aborted) this.#close(errorOf(thrown), wanted, signal);
      });
    });
  }

  /** What UPnP opened is renewed by its name; what PCP did is made anew, for the reason at `#giveBack`. */
  async #renew({ client, mapping }: Held, wanted: PinholeWanted, signal: AbortSignal): Promise<void> {
    if (mapping.pinhole !== undefined) {
      const renewed = await this.#map(client, wanted, signal, mapping);
      if (renewed.ok || signal.aborted) return;
    }
    await this.#open(wanted, signal);
  }

  async #check(held: Held, wanted: PinholeWanted, signal: AbortSignal): Promise<void> {
    const verified = await held.client.verify(held.mapping, signal);
    if (signal.aborted || this.#held !== held) return;
    if (!verified.ok && verified.error.code === "mapping-lost") await this.#open(wanted, signal);
    else this.#watch(wanted, signal);
  }

  #close(reason: HiggsError, wanted: PinholeWanted, signal: AbortSignal): void {
    this.#held = undefined;
    this.#enter({ state: "closed", reason });
    this.#cancelNext = this.#options.io.clock.after(AGAIN_AFTER_MS, () => void this.#open(wanted, signal));
  }

  /** Whoever asks anew, or quits, waits for it. */
  #release(client: PinholeClient, mapping: Mapping): Promise<void> {
    const released = this.#unmap(client, mapping);
    this.#released = Promise.all([this.#released, released]).then(() => {});
    return released;
  }

  async #unmap(client: PinholeClient, mapping: Mapping): Promise<void> {
    const { io, journal, logger } = this.#options;
    const controller = new AbortController();
    const cancel = io.clock.after(RELEASE_WITHIN_MS, () => controller.abort());
    const released = await client.unmap(mapping, controller.signal);
    cancel();
    if (released.ok) journal.strike(mapping);
    else logger.info("a pinhole could not be closed", { code: released.error.code });
  }

  #enter(state: Pinhole): void {
    if (isDeepStrictEqual(state, this.#state)) return;
    this.#state = state;
    if (!this.#disposed) this.#options.onChange();
  }
}

const NO_ROUTER: HiggsError = {
  code: "ipv6-no-router",
  message: "The router in front of this computer does not tell its IPv6 address.",
  hint: "Allow the WireGuard port for this computer in the router's IPv6 firewall by hand.",
};

function isOnLink(text: string | null, { onLink }: PinholeWanted): boolean {
  const address = text === null ? undefined : parseAddress(text);
  const prefix = parsePrefix(onLink);
  return address !== undefined && prefix !== undefined && containsAddress(prefix, address);
}
