import { describe, expect, it } from "vitest";
import type { ExportPiece, PrivacyState, Stored } from "../../../src-shared/model/privacy.ts";
import { privacySettingsSchema } from "../../../src-shared/model/privacy.ts";
import { fail, ok, type Result } from "../../../src-shared/result.ts";
import { destinationText, parseException } from "./exception-form.ts";
import { exportFileName, gatherExport } from "./export-log.ts";
import { filterOf } from "./log-filter.ts";
import { deletedCount, parseRetention, privacyAnswer, recordCount, storedRows } from "./privacy-view.ts";

const STATE: PrivacyState = {
  settings: privacySettingsSchema.parse({}),
  connectionLog: { state: "on" },
  lost: { kernel: 0, notWritten: 0 },
  lastRetention: null,
};

const SILENT: PrivacyState = { ...STATE, settings: { ...STATE.settings, logMetadata: false } };

function stored(connections: number, dns = 0): Stored {
  const kind = (count: number) => ({ count, bytes: count * 100, oldestAt: null, newestAt: null });
  return { connections: kind(connections), dns: kind(dns), traffic: kind(0), usageDays: kind(7), databaseBytes: 4096 };
}

describe("the answer", () => {
  it("says what is recorded, and whether it is", () => {
    expect(privacyAnswer(STATE, false, true)).toMatchObject({ key: "recording", what: ["logMetadata"] });
    expect(privacyAnswer(STATE, false, false).key).toBe("waiting");
    expect(privacyAnswer(STATE, true, true).key).toBe("paused");
    expect(privacyAnswer(SILENT, true, true).key).toBe("nothing");
    const broken: PrivacyState = {
      ...STATE,
      connectionLog: { state: "unavailable", error: { code: "x", message: "x" } },
    };
    expect(privacyAnswer(broken, false, true)).toMatchObject({ key: "broken", tone: "attention" });
  });
});

describe("what is stored", () => {
  it("counts the logs, and shows the daily totals that stay", () => {
    expect(recordCount(stored(5, 2))).toBe(7);
    expect(storedRows(stored(5, 2)).map(({ kind, count }) => [kind, count])).toContainEqual(["usageDays", 7]);
    const at = "2026-01-01T12:00:00.000Z";
    expect(deletedCount({ at, before: stored(5, 2), after: stored(0, 1) })).toBe(6);
    expect(deletedCount({ at, before: stored(0), after: stored(1) })).toBe(0);
  });

  it.each([
    ["7", 7],
    [" 30 ", 30],
    ["365", 365],
    ["0", undefined],
    ["366", undefined],
    ["1.5", undefined],
    ["", undefined],
    ["-3", undefined],
  ])("is kept for whole days: %j", (text, days) => {
    expect(parseRetention(text)).toBe(days);
  });
});

describe("an exception", () => {
  const draft = { destination: "192.168.1.20", protocol: "any", port: "" } as const;

  it.each([
    [draft, { destination: "192.168.1.20/32" }],
    [{ ...draft, destination: "192.168.1.77/24" }, { destination: "192.168.1.0/24" }],
    [
      { destination: "fd00::1", protocol: "tcp", port: "631" } as const,
      { destination: "fd00::1/128", protocol: "tcp", port: 631 },
    ],
  ])("is read: %j", (given, value) => {
    expect(parseException(given, [])).toEqual({ ok: true, value });
  });

  it.each([
    [{ ...draft, destination: "printer" }, "destination", "addressInvalid"],
    [{ ...draft, port: "80" }, "protocol", "portNeedsProtocol"],
    [{ ...draft, protocol: "tcp", port: "0" } as const, "port", "portInvalid"],
    [{ ...draft, protocol: "tcp", port: "http" } as const, "port", "portInvalid"],
  ])("is refused with its field: %j", (given, field, key) => {
    expect(parseException(given, [])).toEqual({ ok: false, problem: { field, key } });
  });

  it("is refused where it is there already, or there are too many", () => {
    expect(parseException(draft, [{ destination: "192.168.1.20/32" }])).toMatchObject({
      problem: { key: "duplicate" },
    });
    const many = Array.from({ length: 64 }, (_, index) => ({ destination: `10.0.0.${index}/32` }));
    expect(parseException(draft, many)).toMatchObject({ problem: { key: "tooMany" } });
  });

  it("is shown without the length of a single address", () => {
    expect(destinationText("192.168.1.20/32")).toBe("192.168.1.20");
    expect(destinationText("fd00::1/128")).toBe("fd00::1");
    expect(destinationText("192.168.1.0/24")).toBe("192.168.1.0/24");
  });
});

describe("an export", () => {
  function job(pieces: Result<ExportPiece>[], controller = new AbortController()) {
    const asked: (string | undefined)[] = [];
    const run = gatherExport({
      piece: async (cursor) => {
        asked.push(cursor);
        return pieces[asked.length - 1] ?? fail("x", "asked once too often");
      },
      onProgress: () => {},
      signal: controller.signal,
      maxCharacters: 10,
    });
    return { asked, run };
  }

  it("is the pieces in a row", async () => {
    const { asked, run } = job([ok({ text: "a\n", next: "1" }), ok({ text: "b\n", next: null })]);
    expect(await run).toEqual({ state: "done", parts: ["a\n", "b\n"], characters: 4 });
    expect(asked).toEqual([undefined, "1"]);
  });

  it("ends with what went wrong, with a cancellation, or where it would be too large", async () => {
    expect(await job([fail("bad-cursor", "x")]).run).toMatchObject({ state: "failed", error: { code: "bad-cursor" } });
    expect(await job([ok({ text: "x".repeat(11), next: null })]).run).toEqual({ state: "too-large" });
    const controller = new AbortController();
    controller.abort();
    expect(await job([ok({ text: "a", next: "1" })], controller).run).toEqual({ state: "cancelled" });
  });

  it("does not go round in circles", async () => {
    const { run } = job([ok({ text: "a", next: "1" }), ok({ text: "b", next: "1" })]);
    expect(await run).toMatchObject({ state: "done" });
  });

  it("has a name that says what it is", () => {
    expect(exportFileName("dns", "csv", Date.UTC(2026, 10, 22, 12))).toBe("higgsnode-dns-2026-11-22.csv");
  });
});

describe("what is shown of the log", () => {
  it("leaves out what is empty", () => {
    expect(filterOf({ kind: "dns", client: "", search: "  " })).toEqual({ kind: "dns" });
    expect(filterOf({ kind: "dns", client: "c1", search: " org " })).toEqual({
      kind: "dns",
      client: "c1",
      search: "org",
    });
  });

  it("does not search where there is nothing to search in", () => {
    expect(filterOf({ kind: "traffic", client: "", search: "org" })).toEqual({ kind: "traffic" });
  });
});
