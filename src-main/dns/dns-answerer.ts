/**
 * Answers the guests' DNS questions at the exit, with what the host's resolvers say, so that a guest's questions leave
 * where its traffic leaves. Guests share the owner's resolvers: everything they can use up is capped.
 */
import type { RemoteInfo } from "node:dgram";
import type { Socket } from "node:net";
import { type Clock, delay } from "../../src-shared/clock.ts";
import { formatAddress, isInAny, type Prefix, parseAddress, splitPrefix } from "../../src-shared/net/address.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { Forwarder } from "./forwarder.ts";
import { isHomeName } from "./home-names.ts";
import { type Listeners, listen } from "./listeners.ts";
import { buildEmptyAnswer, type DnsQuery, finishAnswer, RCODE, readQuery } from "./message.ts";
import { DNS_PORT, type Resolver, type ResolverSource } from "./resolvers.ts";
import { QuotaBySource } from "./source-quota.ts";
import { serveTcpGuest } from "./tcp-guest.ts";

/** Each holds a socket for at most a few seconds: well below the usual 1,024 open files of a process. */
const MAX_OUTSTANDING = 512;
/** A page that names hundreds of hosts is loaded in a few bursts of this size. */
const MAX_OUTSTANDING_PER_SOURCE = 64;
const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_PER_SOURCE = 8;

/** A question with EDNS options has some hundred bytes. */
const MAX_QUERY_BYTES = 4_096;

/** An interface that was just made may show its addresses a moment later. */
const ADDRESS_WAIT_MS = 2_000;
const ADDRESS_LOOK_MS = 100;

export interface DnsAnswererOptions {
  clock: Clock;
  resolvers: ResolverSource;
  /** Told of each question that is passed on, with the address of the guest who asks. */
  onQuestion?: (question: DnsQuestion) => void;
  /** Told of what should not happen, such as an `onQuestion` that throws: the guest is told that its question has failed. */
  onUnexpected?: (thrown: unknown) => void;
}

export interface DnsQuestion {
  readonly source: string;
  readonly name: string;
  readonly type: string;
}

interface Place {
  /** Without prefix length. */
  readonly addresses: readonly string[];
  readonly guests: readonly Prefix[];
  readonly port: number;
}

export class DnsAnswerer {
  readonly #clock: Clock;
  readonly #resolvers: ResolverSource;
  readonly #forwarder: Forwarder;
  readonly #onQuestion: (question: DnsQuestion) => void;
  readonly #onUnexpected: (thrown: unknown) => void;
  readonly #queries = new QuotaBySource(MAX_OUTSTANDING, MAX_OUTSTANDING_PER_SOURCE);
  readonly #connections = new QuotaBySource(MAX_CONNECTIONS, MAX_CONNECTIONS_PER_SOURCE);
  readonly #guestSockets = new Set<Socket>();
  #place: Place | undefined;
  #listeners: Listeners | undefined;
  /** One after the other: start, rebind and stop may be called at any time. */
  #tasks: Promise<unknown> = Promise.resolve();
  /** Grows when listening ends, so that what was asked before is not answered after. */
  #round = 0;
  #disposed = false;

  constructor({ clock, resolvers, onQuestion = () => {}, onUnexpected = () => {} }: DnsAnswererOptions) {
    this.#clock = clock;
    this.#resolvers = resolvers;
    this.#onQuestion = onQuestion;
    this.#onUnexpected = onUnexpected;
    this.#forwarder = new Forwarder(clock);
  }

  /**
   * Listens on UDP and TCP, in place of where it listened before.
   * @param addresses the node's tunnel addresses with the length of the guest prefix (`10.66.0.1/16`); who asks from
   *   outside of these prefixes is not answered
   * Errors: `dns-port-taken`; `dns-address-missing` after two seconds; `dns-address-invalid`, `dns-failed`.
   */
  start(addresses: readonly string[], port: number): Promise<Result<void>> {
    return this.#inTurn(async () => {
      const place = placeOf(addresses, port);
      if (!place.ok) return place;
      await this.#close();
      return this.#open(place.value);
    });
  }

  /** Opens the same sockets anew: to be called after the interface was made anew. Does nothing when not started. */
  rebind(): Promise<Result<void>> {
    return this.#inTurn(async () => {
      const place = this.#place;
      if (place === undefined) return ok(undefined);
      await this.#close();
      return this.#open(place);
    });
  }

  /** Closes everything; can be started again. Idempotent. */
  stop(): Promise<void> {
    this.#round += 1;
    this.#forwarder.cancel();
    return this.#inTurn(async () => {
      this.#place = undefined;
      await this.#close();
    });
  }

  /** Closes everything for good. Idempotent. */
  dispose(): Promise<void> {
    this.#disposed = true;
    return this.stop();
  }

  async #open(place: Place): Promise<Result<void>> {
    if (this.#disposed) return fail("dns-failed", "The DNS answerer was disposed of.");
    this.#place = place;
    const round = this.#round;
    const giveUpAtMs = this.#clock.monotonicMs() + ADDRESS_WAIT_MS;
    for (;;) {
      const listening = await listen(place.addresses, place.port, {
        onDatagram: (message, from, reply) => this.#datagram(place, message, from, reply),
        onConnection: (socket) => this.#connection(place, socket),
      });
      if (listening.ok) {
        this.#listeners = listening.value;
        return ok(undefined);
      }
      const wait = listening.error.code === "dns-address-missing" && this.#clock.monotonicMs() < giveUpAtMs;
      if (!wait || this.#round !== round) return listening;
      await delay(this.#clock, ADDRESS_LOOK_MS);
    }
  }

  async #close(): Promise<void> {
    this.#round += 1;
    this.#forwarder.cancel();
    for (const socket of this.#guestSockets) socket.destroy();
    const listeners = this.#listeners;
    this.#listeners = undefined;
    await listeners?.close();
  }

  #datagram(place: Place, message: Buffer, from: RemoteInfo, reply: (answer: Buffer) => void): void {
    if (message.length > MAX_QUERY_BYTES || !isGuest(place, from.address)) return;
    void this.#answer(place, message, from.address, "udp").then((answer) => {
      if (answer !== undefined) reply(answer);
    });
  }

  #connection(place: Place, socket: Socket): void {
    const source = socket.remoteAddress;
    const release = source === undefined || !isGuest(place, source) ? undefined : this.#connections.take(source);
    if (source === undefined || release === undefined) {
      socket.destroy();
      return;
    }
    this.#guestSockets.add(socket);
    socket.on("close", () => {
      release();
      this.#guestSockets.delete(socket);
    });
    serveTcpGuest(socket, {
      clock: this.#clock,
      maxQueryBytes: MAX_QUERY_BYTES,
      answer: (message) => this.#answer(place, message, source, "tcp"),
    });
  }

  /** The answer to send, undefined where there is to be none. Never rejects. */
  async #answer(place: Place, message: Buffer, source: string, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    const read = readQuery(message);
    if (read.kind === "drop") return undefined;
    if (read.kind === "answer") return read.message;
    const { query } = read;
    if (isHomeName(query.name)) return buildEmptyAnswer(query, RCODE.nameError);
    const release = this.#queries.take(source);
    if (release === undefined) return undefined;
    try {
      this.#onQuestion({ source, name: query.name, type: query.type });
      return await this.#forward(place, query, transport);
    } catch (thrown) {
      this.#onUnexpected(thrown);
      return buildEmptyAnswer(query, RCODE.serverFailure);
    } finally {
      release();
    }
  }

  async #forward(place: Place, query: DnsQuery, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    const round = this.#round;
    const stopped = () => this.#round !== round;
    const resolvers = this.#resolvers.current().filter((resolver) => !isOurselves(place, resolver));
    const answer = await this.#forwarder.resolve(query, transport, resolvers, stopped);
    if (stopped()) return undefined;
    return answer === undefined ? buildEmptyAnswer(query, RCODE.serverFailure) : finishAnswer(answer, query, transport);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tasks.then(task);
    this.#tasks = result.catch(() => {});
    return result;
  }
}

function placeOf(addresses: readonly string[], port: number): Result<Place> {
  const parts = addresses.map(splitPrefix);
  const guests: Prefix[] = [];
  const plain: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === undefined) {
      return fail("dns-address-invalid", `${addresses[index]} is not an address with the length of its prefix.`);
    }
    const hostBits = BigInt((part.address.family === 4 ? 32 : 128) - part.length);
    guests.push({
      family: part.address.family,
      value: (part.address.value >> hostBits) << hostBits,
      length: part.length,
    });
    plain.push(formatAddress(part.address));
  }
  return ok({ addresses: plain, guests, port });
}

function isGuest(place: Place, source: string): boolean {
  const address = parseAddress(source);
  return address !== undefined && isInAny(address, place.guests);
}

/** Asking ourselves would go round in circles. Guests reach us on port 53, which the firewall turns to ours. */
function isOurselves(place: Place, { address, port }: Resolver): boolean {
  const parsed = parseAddress(address);
  const ours = parsed !== undefined && place.addresses.includes(formatAddress(parsed));
  return ours && (port === place.port || port === DNS_PORT);
}
