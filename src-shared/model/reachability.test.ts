import { describe, expect, it } from "vitest";
import { healthOfReachability, type Reachability } from "./reachability.ts";

const AT = "2026-01-01T12:00:00.000Z";
const ENDPOINT = { host: "11.22.33.2", port: 51820 };

function unknown(code: string): Reachability {
  return { state: "unknown", reason: { code, message: "Nobody was asked." } };
}

describe("healthOfReachability", () => {
  it.each(["not-sharing", "no-relay"])("is off where nobody was to be asked: %s", (code) => {
    expect(healthOfReachability(unknown(code))).toEqual({ state: "off" });
  });

  it.each(["relay-not-connected", "relay-cannot-probe", "behind-proxy", "probe-busy"])(
    "is unknown, not bad, where nobody could be asked: %s",
    (code) => {
      expect(healthOfReachability(unknown(code))).toEqual({ state: "unknown" });
    },
  );

  it("is unknown before the first answer and good after it", () => {
    expect(healthOfReachability({ state: "checking", since: AT })).toEqual({ state: "unknown" });
    const reachable = { state: "reachable", endpoint: ENDPOINT, since: AT, provenAt: AT, ms: 12 } as const;
    expect(healthOfReachability(reachable)).toEqual({ state: "good" });
  });

  it("is bad where a handshake from outside met silence, and hints at the first advice where the reason has no hint", () => {
    const reason = { code: "mapping-dead", message: "Nothing arrives." };
    const advice = [{ code: "check-firewall", text: "Look at the firewall." } as const];
    const silent = { state: "unreachable", endpoint: ENDPOINT, since: AT, checkedAt: AT, reason } as const;
    expect(healthOfReachability({ ...silent, advice })).toEqual({
      state: "bad",
      error: { ...reason, hint: "Look at the firewall." },
    });
    const told = { ...silent, advice, reason: { ...reason, hint: "Restart the router." } };
    expect(healthOfReachability(told).error?.hint).toBe("Restart the router.");
    expect(healthOfReachability({ ...silent, advice: [] }).error?.hint).toEqual(expect.any(String));
  });
});
