/** One network and its router: the clients that speak with it, and what they have found out about it. */
import { ok, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { listenForAnnouncements } from "./announcements.ts";
import { IgdPinholeClient } from "./igd-pinhole-client.ts";
import { type HomeNetwork, type Mapping, type MappingClient, mappingKey } from "./mapping.ts";
import type { MappingIo } from "./mapping-io.ts";
import type { MappingJournal } from "./mapping-journal.ts";
import { NatPmpClient } from "./nat-pmp-client.ts";
import { PcpClient } from "./pcp-client.ts";
import { ProbeRound } from "./probe-round.ts";
import { UpnpClient } from "./upnp-client.ts";
import { isAtHome } from "./upnp-search.ts";

/** Deleting takes milliseconds; whoever quits does not wait longer for a router that is gone. */
const RELEASE_TIMEOUT_MS = 1_500;

export interface SessionOptions {
  io: MappingIo;
  journal: MappingJournal;
  logger: Logger;
  network: HomeNetwork;
  /** Something says that the router may have lost its mappings. */
  onRestart: () => void;
  /** Ports of the router's services, for tests that may not use the real ones. */
  ports?: { server: number; ssdp: number } | undefined;
}

export class RouterSession {
  readonly network: HomeNetwork;
  readonly #options: SessionOptions;
  readonly #controller = new AbortController();
  readonly #upnp: UpnpClient;
  readonly #clients: readonly MappingClient[];
  #round: ProbeRound | undefined;
  #onQuiet: (() => void) | undefined;
  #datagramsRefused = false;
  #upnpRefused = false;
  #leftovers: Promise<void> | undefined;

  constructor(options: SessionOptions) {
    const { io, network, ports, onRestart } = options;
    this.#options = options;
    this.network = network;
    const datagram = { io, network, onStateLost: onRestart, ...(ports && { port: ports.server }) };
    const onRefused = () => {
      this.#upnpRefused = true;
      this.#tellIfQuiet();
    };
    this.#upnp = new UpnpClient({ io, network, onRefused, ...(ports && { ports }) });
    this.#clients = [new PcpClient(datagram), new NatPmpClient(datagram), this.#upnp];
  }

  /** Hears from now on when the router says that it has restarted. */
  listen(): void {
    const { io, network, ports, onRestart, logger } = this.#options;
    listenForAnnouncements({
      io,
      network,
      signal: this.#controller.signal,
      isRouter: (address) => address === network.gateway || address === this.#upnp.device?.address,
      onRestart,
      onDeaf: (group, reason) => logger.info("announcements of the router cannot be heard", { group, reason }),
      ...(ports && { serverPort: ports.server }),
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The protocols known to be spoken here. */
  get available() {
    return this.#round?.available ?? [];
  }

  /**
   * Asks with every protocol. `onQuiet` is called as soon as the router is known to listen to none; another device on
   * the network may still answer after that.
   */
  probe(onQuiet: () => void): ProbeRound {
    this.#datagramsRefused = false;
    this.#upnpRefused = false;
    this.#onQuiet = onQuiet;
    const round = new ProbeRound(this.#clients, {
      clock: this.#options.io.clock,
      signal: this.signal,
      onResult: (client, result) => this.#noteResult(client, result),
    });
    this.#round = round;
    return round;
  }

  clientOf({ protocol, pinhole }: Pick<Mapping, "protocol" | "pinhole">): MappingClient | undefined {
    const { io, network, ports } = this.#options;
    if (pinhole !== undefined) return new IgdPinholeClient({ io, network, ...(ports && { ports }) });
    return this.#clients.find((client) => client.protocol === protocol);
  }

  /** Deletes what an earlier run has left here; once per session. Never fails: what stays is tried again another time. */
  releaseLeftovers(): Promise<void> {
    this.#leftovers ??= this.#releaseLeftovers();
    return this.#leftovers;
  }

  /** Deletes a mapping at the router, and strikes it out of the journal when that is known to be done. */
  async release(mapping: Mapping): Promise<Result<void>> {
    const { io, journal, logger } = this.#options;
    const client = this.clientOf(mapping);
    if (client === undefined) return ok(undefined);
    const controller = new AbortController();
    const cancel = io.clock.after(RELEASE_TIMEOUT_MS, () => controller.abort());
    const released = await client.unmap(mapping, controller.signal);
    cancel();
    if (released.ok) journal.strike(mapping);
    else logger.info("a mapping could not be deleted", { protocol: mapping.protocol, code: released.error.code });
    return released;
  }

  /** Deletes whatever this router holds, or may hold, for one port. */
  async releaseAll(key: string): Promise<void> {
    await Promise.all(
      this.#entriesHere()
        .filter((mapping) => mappingKey(mapping) === key)
        .map((mapping) => this.release(mapping)),
    );
  }

  /** Ends whatever is under way. Idempotent. */
  close(): void {
    this.#controller.abort();
  }

  async #releaseLeftovers(): Promise<void> {
    await Promise.all(this.#entriesHere().map((mapping) => this.release(mapping)));
  }

  /** What another network's router holds can be deleted only there. */
  #entriesHere(): Mapping[] {
    const { journal, network } = this.#options;
    return journal
      .entries()
      .filter(({ address, gateway }) => address === network.address && isAtHome(gateway, network));
  }

  #noteResult({ protocol }: MappingClient, result: Result<void>): void {
    // Both protocols are on one port: what is refused to one is refused to the other.
    if (protocol === "upnp" || result.ok || result.error.code !== "router-refused") return;
    this.#datagramsRefused = true;
    this.#tellIfQuiet();
  }

  #tellIfQuiet(): void {
    if (this.#datagramsRefused && this.#upnpRefused) this.#onQuiet?.();
  }
}
