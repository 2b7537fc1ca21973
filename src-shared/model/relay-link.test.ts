import { describe, expect, it } from "vitest";
import { healthOfRelay, relayLinkSchema } from "./relay-link.ts";

const ERROR = { code: "relay-lost", message: "The connection to the relay was lost (1006)." };

describe("healthOfRelay", () => {
  it("is off without a relay, and unknown during the very first attempt", () => {
    expect(healthOfRelay({ state: "off" })).toEqual({ state: "off" });
    expect(healthOfRelay(relayLinkSchema.parse({ state: "connecting" }))).toEqual({ state: "unknown" });
  });

  it("is good while connected", () => {
    const connected = relayLinkSchema.parse({
      state: "connected",
      since: "2026-01-01T12:00:00.000Z",
      url: "wss://relay.example.org",
      rttMs: null,
      publicEndpoint: { host: "relay.example.org", port: 443 },
      nodeId: "n",
      sessions: 0,
      rxBytes: 0,
      txBytes: 0,
      dropped: 0,
    });
    expect(healthOfRelay(connected)).toEqual({ state: "good" });
  });

  it("stays bad from the failure through every further attempt, always with a hint", () => {
    const bad = { state: "bad", error: { ...ERROR, hint: expect.any(String) } };
    expect(healthOfRelay({ state: "waiting", error: ERROR, retryAt: "2026-01-01T12:00:01.000Z" })).toEqual(bad);
    expect(healthOfRelay({ state: "connecting", error: ERROR })).toEqual(bad);
    const told = { ...ERROR, hint: "Stop the other one." };
    expect(healthOfRelay({ state: "connecting", error: told }).error).toEqual(told);
  });
});
