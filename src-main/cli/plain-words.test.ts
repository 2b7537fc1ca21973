import { describe, expect, it } from "vitest";
import { changeLimit } from "../../src-shared/model/limit.ts";
import { settingsSchema } from "../../src-shared/model/settings.ts";
import { describeZodError } from "../../src-shared/result.ts";
import { plainWords } from "./plain-words.ts";

function complaint(changes: Record<string, unknown>): string {
  const parsed = settingsSchema.safeParse(changes);
  if (parsed.success) throw new Error("the settings were taken");
  return plainWords(describeZodError(parsed.error));
}

describe("plainWords", () => {
  it.each([
    [{ listenPort: 99_999 }, "listenPort: must be at most 65535"],
    [{ mtu: 12 }, "mtu: must be at least 1280"],
    [{ logDNS: "maybe" }, "logDNS: must be true or false"],
    [{ mtu: "big" }, "mtu: must be a whole number"],
    [{ language: "xx" }, "language: must be one of system, en, ru"],
    [{ relayServers: "wss://relay.example.org" }, `relayServers: must be a list, such as '["one","two"]'`],
    [{ relayCaFile: 5 }, "relayCaFile: must be a string"],
    [{ egressTargets: Array.from({ length: 9 }, () => "1.1.1.1:443") }, "egressTargets: must have at most 8 entries"],
  ])("says of %j what it must be", (changes, words) => {
    expect(complaint(changes)).toBe(words);
  });

  it("keeps the rest of the sentence", () => {
    const refused = changeLimit({}, { priority: 77 });
    expect(refused.ok ? "" : plainWords(refused.error.message)).toBe(
      "The limit was not changed: priority: must be at most 10.",
    );
  });

  it("leaves sentences alone that are plain already", () => {
    expect(plainWords("There is no client “Too small”.")).toBe("There is no client “Too small”.");
  });
});
