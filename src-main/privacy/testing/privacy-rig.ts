/** A privacy manager over a database, with a clock that stands still and settings that are in memory: for tests. */
import { DatabaseSync } from "node:sqlite";
import type { EndedConnection } from "../../../src-shared/helper/connections.ts";
import { DEFAULT_SETTINGS, type Settings, settingsSchema } from "../../../src-shared/model/settings.ts";
import { describeZodError, fail, ok, type Result } from "../../../src-shared/result.ts";
import { FakeClock } from "../../../src-shared/testing/fake-clock.ts";
import type { ClientRecord } from "../../clients/client-record.ts";
import { recordingLog } from "../../logs/testing/recording-log.ts";
import { migrate } from "../../storage/migrations.ts";
import { privacyHandlers } from "../privacy-handlers.ts";
import { PrivacyManager } from "../privacy-manager.ts";

const RIG_PREFIXES = { ipv4: "10.66.0.0/16", ipv6: "fd12:3456:789a::/64" };

export class MemorySettings {
  #settings: Settings;
  readonly #listeners = new Set<(settings: Settings) => void>();

  constructor(changes: Partial<Settings> = {}) {
    this.#settings = { ...DEFAULT_SETTINGS, ...changes };
  }

  get(): Settings {
    return this.#settings;
  }

  set(changes: Record<string, unknown>): Result<Settings> {
    const parsed = settingsSchema.safeParse({ ...this.#settings, ...changes });
    if (!parsed.success) return fail("settings-invalid", describeZodError(parsed.error));
    this.#settings = parsed.data;
    for (const listener of [...this.#listeners]) listener(parsed.data);
    return ok(parsed.data);
  }

  onChange(listener: (settings: Settings) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function rigClient(hostNumber: number, changes: Partial<ClientRecord> = {}): ClientRecord {
  return {
    id: `client-${hostNumber}`,
    name: `Client ${hostNumber}`,
    publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
    presharedKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
    hostNumber,
    createdAtMs: 0,
    paused: false,
    rxBytes: 0,
    txBytes: 0,
    lastHandshakeAtMs: null,
    ...changes,
  };
}

export class PrivacyRig {
  readonly clock = new FakeClock();
  readonly db: DatabaseSync;
  readonly settings: MemorySettings;
  readonly manager: PrivacyManager;
  readonly handlers: ReturnType<typeof privacyHandlers>;
  readonly #log = recordingLog(this.clock);
  readonly records = this.#log.records;
  clients: ClientRecord[] = [rigClient(2), rigClient(3)];

  /** @param path of the database; in memory where none is given */
  constructor({ path = ":memory:", settings = {} }: { path?: string; settings?: Partial<Settings> } = {}) {
    this.db = new DatabaseSync(path);
    this.db.exec("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON");
    migrate(this.db);
    this.settings = new MemorySettings(settings);
    this.manager = new PrivacyManager({
      db: this.db,
      clock: this.clock,
      logger: this.#log.logger,
      settings: this.settings,
      clients: () => this.clients,
      prefixes: () => RIG_PREFIXES,
    });
    this.handlers = privacyHandlers({ privacy: this.manager, settle: async () => {} });
  }

  connection(changes: Partial<EndedConnection> = {}): EndedConnection {
    return {
      protocol: "tcp",
      source: "10.66.0.2",
      destination: "203.0.113.77",
      destinationPort: 443,
      sent: { bytes: 1_000, packets: 10 },
      received: { bytes: 20_000, packets: 20 },
      endedAtMs: this.clock.nowMs(),
      durationSeconds: 3,
      ...changes,
    };
  }

  async close(): Promise<void> {
    await this.manager.close();
    this.db.close();
  }
}
