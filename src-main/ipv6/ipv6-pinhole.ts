/**
 * Has the home router let guests in to this machine's global IPv6 address: PCP MAP without translation, a pinhole in the
 * router's filter (RFC 6887, section 11.1; RFC 7084 has it closed by default).
 *
 *   off ──sharing, a global address──▶ asking ──granted──▶ open ──renewal refused──▶ closed
 *                                        │                                            │
 *                                        └──refused──▶ closed ◀──── again in ten minutes ┘
 */
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer } from "../../src-shared/clock.ts";
import type { Pinhole } from "../../src-shared/model/pinhole.ts";
import { containsAddress, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import { errorOf, type HiggsError, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import type { HomeNetwork, Mapping } from "../port-forwarding/mapping.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";
import type { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import { PcpClient } from "../port-forwarding/pcp-client.ts";

/** RFC 6886, section 3.3, recommends two hours for its like. */
const LIFETIME_SECONDS = 7_200;
/** The owner may have told the router to listen. */
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
  /** Port of the router's service, for tests that may not use the real one. */
  readonly serverPort?: number;
}

export class Ipv6Pinhole {
  readonly #options: PinholeOptions;
  #wanted: PinholeWanted | undefined;
  #state: Pinhole = { state: "off" };
  #held: { readonly mapping: Mapping; readonly client: PcpClient } | undefined;
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
    if (held !== undefined) this.#released = this.#release(held.client, held.mapping);
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
    const { io, journal, serverPort, firstHop } = this.#options;
    const gateway = isOnLink(wanted.gateway, wanted) ? wanted.gateway : await firstHop();
    if (gateway === null || !isOnLink(gateway, wanted)) return { ok: false, error: NO_ROUTER };
    const network: HomeNetwork = { gateway, address: wanted.address, lanPrefix: null };
    const client = new PcpClient({ io, network, ...(serverPort === undefined ? {} : { port: serverPort }) });
    await this.#giveBack(client, wanted, gateway);
    const mapped = await client.map(
      {
        transport: "udp",
        internalPort: wanted.port,
        externalPort: wanted.port,
        lifetimeSeconds: LIFETIME_SECONDS,
        description: "HiggsNode",
      },
      { signal, onIntent: (intent) => journal.note(intent) },
    );
    if (!mapped.ok) return mapped;
    const { value: mapping } = mapped;
    journal.note(mapping);
    if (signal.aborted) {
      this.#released = this.#release(client, mapping);
      return { ok: true, value: undefined };
    }
    this.#hold(client, mapping, wanted, signal);
    return { ok: true, value: undefined };
  }

  /**
   * Deletes what is held, or was left by an earlier run, before the same is asked for: miniupnpd 2.3.1 renews a pinhole,
   * and then refuses to delete it for ever. Connections that stand are not cut by this.
   */
  async #giveBack(client: PcpClient, { address, port }: PinholeWanted, gateway: string): Promise<void> {
    const mine = this.#options.journal
      .entries()
      .filter((entry) => entry.protocol === "pcp" && entry.gateway === gateway && entry.internalPort === port);
    for (const mapping of mine) if (mapping.address === address) await this.#release(client, mapping);
  }

  #hold(client: PcpClient, mapping: Mapping, wanted: PinholeWanted, signal: AbortSignal): void {
    const { io, logger } = this.#options;
    const lifetimeMs = mapping.lifetimeSeconds * 1000;
    if (this.#state.state !== "open")
      logger.info("the router lets guests in over IPv6", { port: mapping.externalPort });
    this.#held = { mapping, client };
    this.#enter({
      state: "open",
      protocol: "pcp",
      endpoint: { host: mapping.externalAddress ?? wanted.address, port: mapping.externalPort },
      gateway: mapping.gateway,
      leaseEndsAt: new Date(io.clock.nowMs() + lifetimeMs).toISOString(),
    });
    const renewalMs = Math.max(LEAST_RENEWAL_MS, lifetimeMs / 2);
    this.#cancelNext = io.clock.after(renewalMs, () => void this.#open(wanted, signal));
  }

  #close(reason: HiggsError, wanted: PinholeWanted, signal: AbortSignal): void {
    this.#held = undefined;
    this.#enter({ state: "closed", reason });
    this.#cancelNext = this.#options.io.clock.after(AGAIN_AFTER_MS, () => void this.#open(wanted, signal));
  }

  async #release(client: PcpClient, mapping: Mapping): Promise<void> {
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
