import { describe, expect, it } from "vitest";
import type { Client } from "../../../src-shared/model/client.ts";
import { en } from "../../../src-shared/text/en.ts";
import { clientRow, configFileName } from "./client-view.ts";
import { qrPath } from "./qr-path.ts";

const CLIENT: Client = {
  id: "c1",
  name: "TV",
  publicKey: "key",
  addresses: ["10.66.0.2", "fd00::2"],
  createdAt: "2026-01-01T12:00:00.000Z",
  paused: false,
  connected: true,
  usage: { rxBytes: 1024, txBytes: 0 },
  lastHandshakeAt: "2026-01-01T12:00:00.000Z",
};
const NOW_MS = Date.UTC(2026, 0, 1, 12, 1);

describe("a row of the clients table", () => {
  it("says state, traffic and when the client was last seen", () => {
    expect(clientRow(CLIENT, NOW_MS, en)).toEqual({
      id: "c1",
      name: "TV",
      state: "connected",
      stateText: "Connected",
      lastSeen: "1 minute ago",
      lastSeenAt: "2026-01-01T12:00:00.000Z",
      received: "1.0 KiB",
      sent: "0 B",
      addresses: "10.66.0.2, fd00::2",
    });
  });

  it("says paused before connected, and never where a client was never seen", () => {
    const { lastHandshakeAt: _, ...unseen } = CLIENT;
    expect(clientRow({ ...unseen, paused: true }, NOW_MS, en)).toMatchObject({ state: "paused", lastSeen: "Never" });
    expect(clientRow({ ...CLIENT, connected: false }, NOW_MS, en).stateText).toBe("Not connected");
  });
});

describe("the name of a configuration file", () => {
  it.each([
    ["Anna's phone", "Annas-phone.conf"],
    ["Öl", "Ol.conf"],
    ["телефон", "higgsnode.conf"],
    ["a very long name of a device", "a-very-long-nam.conf"],
    ["fourteen chars - and more", "fourteen-chars.conf"],
  ])("of %s is %s, a name that a tunnel can have", (name, file) => {
    expect(configFileName(name)).toBe(file);
    expect(file).toMatch(/^[a-zA-Z0-9_=+.-]{1,15}\.conf$/);
  });
});

describe("the QR code", () => {
  it("draws every dark module inside its quiet zone", () => {
    const { size, path } = qrPath("hello");
    expect(size).toBe(21 + 8);
    const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)].map((match) => match.slice(1).map(Number));
    expect(runs.map(([x, y, w, back]) => `M${x} ${y}h${w}v1h-${back}z`).join("")).toBe(path);
    for (const [x = 0, y = 0, width = 0] of runs) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(4);
      expect(x + width).toBeLessThanOrEqual(size - 4);
    }
    // The upper edge of the finder pattern at the upper left (ISO/IEC 18004): seven dark modules.
    expect(runs[0]?.slice(0, 3)).toEqual([4, 4, 7]);
  });
});
