/**
 * What routers hold for this node, kept on disk from before a mapping is asked for until it is known to be deleted: after
 * a crash the next run deletes what is left.
 */
import { z } from "zod";
import type { Clock } from "../../src-shared/clock.ts";
import { portSchema } from "../../src-shared/net/endpoint.ts";
import type { Logger } from "../logs/logger.ts";
import type { KvStore } from "../storage/kv-store.ts";
import { type Mapping, mappingKey, mappingSchema } from "./mapping.ts";

/** Mappings that could not be deleted, because this machine has left their network; the oldest are forgotten first. */
const MAX_ENTRIES = 32;

const ENTRIES_KEY = "port-mapping.journal";
const PORTS_KEY = "port-mapping.external-ports";

const entriesSchema = z.array(
  z.object({
    mapping: mappingSchema,
    /** Wall clock, milliseconds since the epoch; null for a permanent mapping. */
    endsAtMs: z.number().nullable(),
  }),
);
const portsSchema = z.record(z.string(), z.object({ requested: portSchema, granted: portSchema }));

export interface MappingJournalOptions {
  kv: Pick<KvStore, "get" | "set">;
  clock: Clock;
  logger: Logger;
}

export class MappingJournal {
  readonly #options: MappingJournalOptions;
  #entries: z.infer<typeof entriesSchema>;
  #ports: z.infer<typeof portsSchema>;

  constructor(options: MappingJournalOptions) {
    this.#options = options;
    this.#entries = options.kv.get(ENTRIES_KEY, entriesSchema) ?? [];
    this.#ports = options.kv.get(PORTS_KEY, portsSchema) ?? {};
  }

  /** What routers may still hold; what has run out by itself is left out. */
  entries(): Mapping[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#entries.filter(({ endsAtMs }) => endsAtMs === null || endsAtMs > nowMs).map(({ mapping }) => mapping);
  }

  /** Notes a mapping that is asked for or granted, in place of what was noted of it before. */
  note(mapping: Mapping): void {
    const { lifetimeSeconds } = mapping;
    const endsAtMs = lifetimeSeconds === 0 ? null : this.#options.clock.nowMs() + lifetimeSeconds * 1000;
    const others = this.#entries.filter((entry) => identity(entry.mapping) !== identity(mapping));
    this.#entries = [...others, { mapping, endsAtMs }].slice(-MAX_ENTRIES);
    this.#save(ENTRIES_KEY, this.#entries);
  }

  /** The router no longer holds it. */
  strike(mapping: Mapping): void {
    const left = this.#entries.filter((entry) => identity(entry.mapping) !== identity(mapping));
    if (left.length === this.#entries.length) return;
    this.#entries = left;
    this.#save(ENTRIES_KEY, left);
  }

  /** The external port clients were given last: asked for again, so that their configurations go on working. */
  preferredPort(mapping: Pick<Mapping, "transport" | "internalPort">, requested: number): number {
    const known = this.#ports[mappingKey(mapping)];
    return known?.requested === requested ? known.granted : requested;
  }

  notePort(mapping: Mapping, requested: number): void {
    this.#ports = { ...this.#ports, [mappingKey(mapping)]: { requested, granted: mapping.externalPort } };
    this.#save(PORTS_KEY, this.#ports);
  }

  /** A disk that is full must not keep anybody from sharing. */
  #save(key: string, value: unknown): void {
    try {
      this.#options.kv.set(key, value);
    } catch (thrown) {
      this.#options.logger.warn("a port mapping could not be noted", { error: thrown });
    }
  }
}

function identity(mapping: Mapping): string {
  return `${mapping.protocol} ${mapping.gateway} ${mapping.address} ${mappingKey(mapping)}`;
}
