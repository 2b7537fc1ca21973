import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { IDLE_MS, LONGEST_MS, MAX_SESSIONS, PanelSessions } from "./panel-sessions.ts";

function rig() {
  const clock = new FakeClock();
  const password = { hash: "a" as string | undefined };
  return { clock, password, sessions: new PanelSessions(clock, () => password.hash) };
}

describe("PanelSessions", () => {
  it("know their own secrets, each another, and no others", () => {
    const { sessions } = rig();
    const [one, two] = [sessions.open("a"), sessions.open("a")];
    expect(one).not.toBe(two);
    expect(sessions.has(one)).toBe(true);
    expect(sessions.has(`${one}x`)).toBe(false);
    expect(sessions.has("")).toBe(false);
    sessions.end(one);
    expect([sessions.has(one), sessions.has(two)]).toEqual([false, true]);
  });

  it("last while they are used, and a month at most", async () => {
    const { clock, sessions } = rig();
    const secret = sessions.open("a");
    for (let passed = 0; passed + IDLE_MS <= LONGEST_MS; passed += IDLE_MS) {
      await clock.advance(IDLE_MS);
      expect(sessions.has(secret)).toBe(true);
    }
    await clock.advance(1);
    expect(sessions.has(secret)).toBe(false);
  });

  it("end with another password, or none", () => {
    const { password, sessions } = rig();
    const secret = sessions.open("a");
    password.hash = undefined;
    expect(sessions.has(secret)).toBe(false);
    password.hash = "a";
    expect(sessions.has(secret)).toBe(false);
  });

  it("make room for the next one where there are too many: the one used longest ago goes", () => {
    const { sessions } = rig();
    const secrets = Array.from({ length: MAX_SESSIONS }, () => sessions.open("a"));
    const [first = "", second = ""] = secrets;
    expect(sessions.has(first)).toBe(true);
    sessions.open("a");
    expect(sessions.has(first)).toBe(true);
    expect(sessions.has(second)).toBe(false);
  });
});
