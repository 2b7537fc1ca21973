import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { recordingLog } from "../logs/testing/recording-log.ts";
import type { Mapping } from "./mapping.ts";
import { MappingJournal } from "./mapping-journal.ts";

const MAPPING: Mapping = {
  protocol: "pcp",
  gateway: "192.168.1.1",
  address: "192.168.1.20",
  transport: "udp",
  internalPort: 51820,
  externalAddress: null,
  externalPort: 51820,
  lifetimeSeconds: 7_200,
  nonce: "000102030405060708090a0b",
};

function rig({ isFull = false } = {}) {
  const clock = new FakeClock();
  const disk = new Map<string, string>();
  const { logger, records } = recordingLog(clock);
  const kv = {
    get: <T>(key: string, schema: z.ZodType<T>) => schema.safeParse(JSON.parse(disk.get(key) ?? "null")).data,
    set: (key: string, value: unknown) => {
      if (isFull) throw new Error("disk full");
      disk.set(key, JSON.stringify(value));
    },
  };
  return { clock, disk, records, open: () => new MappingJournal({ kv, clock, logger }) };
}

describe("MappingJournal", () => {
  it("gives the next run what this one has noted, the latest word on each mapping", () => {
    const { open } = rig();
    const journal = open();
    journal.note(MAPPING);
    journal.note({ ...MAPPING, externalAddress: "11.22.33.2", externalPort: 40_000 });
    journal.note({ ...MAPPING, protocol: "nat-pmp" });
    expect(open().entries()).toMatchObject([
      { protocol: "pcp", externalPort: 40_000, nonce: MAPPING.nonce },
      { protocol: "nat-pmp", externalPort: 51820 },
    ]);
    journal.strike(MAPPING);
    expect(open().entries()).toMatchObject([{ protocol: "nat-pmp" }]);
  });

  it("forgets what has run out, and never a permanent mapping", async () => {
    const { clock, open } = rig();
    const journal = open();
    journal.note(MAPPING);
    journal.note({ ...MAPPING, protocol: "upnp", lifetimeSeconds: 0 });
    await clock.advance(7_200_001);
    expect(open().entries()).toMatchObject([{ protocol: "upnp" }]);
  });

  it("remembers the port that was granted in place of the one that was asked for", () => {
    const { open } = rig();
    open().notePort({ ...MAPPING, externalPort: 40_000 }, 51820);
    expect(open().preferredPort(MAPPING, 51820)).toBe(40_000);
    expect(open().preferredPort(MAPPING, 443)).toBe(443);
    expect(open().preferredPort({ transport: "tcp", internalPort: 51820 }, 51820)).toBe(51820);
  });

  it("begins anew where the disk holds something else", () => {
    const { disk, open } = rig();
    disk.set("port-mapping.journal", '[{"mapping":{"gateway":"example.org"}}]');
    expect(open().entries()).toEqual([]);
  });

  it("goes on without its notes on a full disk, and logs that", () => {
    const { open, records } = rig({ isFull: true });
    const journal = open();
    journal.note(MAPPING);
    expect(journal.entries()).toHaveLength(1);
    expect(records).toHaveLength(1);
  });
});
