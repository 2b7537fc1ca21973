import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { migrate } from "../storage/migrations.ts";
import { localDay, SAVE_EVERY_MS, UptimeRecorder } from "./uptime.ts";

const ON = { wanted: true, working: true };
const CUT_OFF = { wanted: true, working: false };
const OFF = { wanted: false, working: false };

function recorder(now: Date) {
  const db = new DatabaseSync(":memory:");
  migrate(db);
  const clock = new FakeClock(now.getTime());
  return { db, clock, uptime: new UptimeRecorder({ db, clock }) };
}

describe("uptime per day", () => {
  it("counts what was wanted and what worked, and nothing while sharing is off", async () => {
    const { clock, uptime } = recorder(new Date(2026, 0, 5, 12));
    await clock.advance(100_000);
    uptime.note(ON);
    await clock.advance(60_000);
    uptime.note(CUT_OFF);
    await clock.advance(15_000);
    uptime.note(ON);
    await clock.advance(5_000);
    uptime.note(OFF);
    await clock.advance(100_000);
    expect(uptime.read(7)).toEqual([{ day: "2026-01-05", wantedSeconds: 80, workingSeconds: 65 }]);
  });

  it("gives each side of midnight its own", async () => {
    const { clock, uptime } = recorder(new Date(2026, 0, 5, 23, 59, 40));
    uptime.note(ON);
    await clock.advance(30_000);
    uptime.note(CUT_OFF);
    await clock.advance(10_000);
    expect(uptime.read(7)).toEqual([
      { day: "2026-01-06", wantedSeconds: 20, workingSeconds: 10 },
      { day: "2026-01-05", wantedSeconds: 20, workingSeconds: 20 },
    ]);
  });

  it("waits for a disk that is full, and loses nothing", async () => {
    const { db, clock, uptime } = recorder(new Date(2026, 0, 5, 12));
    uptime.note(ON);
    await clock.advance(30_000);
    db.exec(
      "CREATE TRIGGER full BEFORE INSERT ON uptime_days BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    expect(() => uptime.save()).toThrow("full");
    await clock.advance(30_000);
    db.exec("DROP TRIGGER full");
    expect(uptime.read(7)).toEqual([{ day: "2026-01-05", wantedSeconds: 60, workingSeconds: 60 }]);
  });

  it("is saved each minute, so that a power cut takes no more than that", async () => {
    const { db, clock, uptime } = recorder(new Date(2026, 0, 5, 12));
    uptime.note(ON);
    await clock.advance(SAVE_EVERY_MS);
    uptime.note(ON);
    await clock.advance(1_000);
    expect(new UptimeRecorder({ db, clock }).read(1)).toMatchObject([{ wantedSeconds: 60 }]);
  });

  it("does not count a stretch in which nobody looked, such as a debugger's, nor a jump of the clock", async () => {
    const { clock, uptime } = recorder(new Date(2026, 0, 5, 12));
    uptime.note(ON);
    clock.jumpWallClock(3_600_000);
    await clock.advance(10_000);
    uptime.note(ON);
    await clock.advance(86_400_000);
    expect(uptime.read(7).reduce((sum, { wantedSeconds }) => sum + wantedSeconds, 0)).toBe(310);
  });

  it("shows the latest days first and no more than asked for", async () => {
    const { clock, uptime } = recorder(new Date(2026, 0, 5, 12));
    for (let day = 0; day < 4; day++) {
      uptime.note(ON);
      await clock.advance(1_000);
      uptime.note(OFF);
      await clock.advance(86_400_000 - 1_000);
    }
    expect(uptime.read(2).map(({ day }) => day)).toEqual(["2026-01-08", "2026-01-07"]);
    expect(localDay(new Date(2026, 8, 3, 1).getTime())).toBe("2026-09-03");
  });
});
