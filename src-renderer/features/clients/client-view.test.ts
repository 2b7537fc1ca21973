import { describe, expect, it } from "vitest";
import type { Client } from "../../../src-shared/model/client.ts";
import { createTranslator } from "../../../src-shared/text/translate.ts";
import { formatOf } from "../../i18n/i18n.tsx";
import { limitLine, STATE_ORDER, STATE_TONES, stateOf, usageOf } from "./client-view.ts";

const t = createTranslator("en");
const format = formatOf("en");
const ru = { t: createTranslator("ru"), format: formatOf("ru") };

const CLIENT: Client = {
  id: "c1",
  name: "TV",
  publicKey: "key",
  addresses: ["10.66.0.2", "fd00::2"],
  createdAt: "2026-01-01T12:00:00.000Z",
  paused: false,
  connected: true,
  usage: { rxBytes: 1024, txBytes: 1024 },
};
const QUOTA = {
  bytes: 50e9,
  usedBytes: 50e9,
  action: "pause" as const,
  resetDay: 1,
  timeZone: "UTC",
  since: "2026-01-01",
  exhausted: true,
};

describe("a client's state", () => {
  it("says why it has no access before whether it is there", () => {
    expect(stateOf(CLIENT)).toBe("connected");
    expect(stateOf({ ...CLIENT, connected: false })).toBe("away");
    expect(stateOf({ ...CLIENT, paused: true, quota: QUOTA })).toBe("paused");
    expect(stateOf({ ...CLIENT, quota: QUOTA })).toBe("quota");
    expect(stateOf({ ...CLIENT, limit: { state: "paused-by-quota" } })).toBe("quota");
    expect(stateOf({ ...CLIENT, limit: { state: "paused-by-schedule" } })).toBe("schedule");
  });

  it("is not taken away by a quota that only slows down", () => {
    expect(stateOf({ ...CLIENT, quota: { ...QUOTA, action: { slow: "256kbit" } } })).toBe("connected");
  });

  it("has a tone and a place in the order, whatever it is", () => {
    expect(Object.keys(STATE_TONES).sort()).toEqual(Object.keys(STATE_ORDER).sort());
  });
});

describe("a client's usage", () => {
  it("is told against the quota, in its units, or in all", () => {
    expect(usageOf({ ...CLIENT, quota: { ...QUOTA, usedBytes: 43e9 } }, t, format)).toEqual({
      used: 43e9,
      of: 50e9,
      text: "43.0 GB of 50.0 GB",
    });
    expect(usageOf(CLIENT, t, format)).toMatchObject({ of: null, text: "2.0 KiB in all" });
  });
});

describe("a client's limits in a line", () => {
  it("name both directions, and set hours", () => {
    expect(limitLine(CLIENT, t, format)).toBeUndefined();
    expect(limitLine({ ...CLIENT, limit: { state: "unlimited", priority: 5 } }, t, format)).toBeUndefined();
    expect(limitLine({ ...CLIENT, limit: { state: "limited", down: "10mbit" } }, t, format)).toBe(
      "Up to 10.0 Mbit/s down",
    );
    const schedule = { timeZone: "UTC", windows: [{ days: ["mon" as const], from: "08:00", to: "09:00" }] };
    const scheduled = {
      ...CLIENT,
      limit: { state: "limited" as const, up: "5mbit", schedule: { ...schedule, outside: "pause" as const } },
    };
    expect(limitLine(scheduled, t, format)).toBe("Up to 5.0 Mbit/s up, at set hours");
  });

  it("say that a quota slows down, in either language", () => {
    const slowed = { ...CLIENT, limit: { state: "slowed" as const, down: "10mbit" } };
    expect(limitLine(slowed, t, format)).toBe("Slowed down: quota used up");
    expect(limitLine(slowed, ru.t, ru.format)).toBe("Замедлен: лимит исчерпан");
  });
});
