import { describe, expect, it } from "vitest";
import { pickLanguage } from "./language.ts";

describe("the owner's language", () => {
  it.each([
    ["ru", ["en-GB"], "ru"],
    ["en", ["ru"], "en"],
    ["system", ["ru-RU", "en"], "ru"],
    ["system", ["de-DE", "RU_ru"], "ru"],
    ["system", ["en-US", "ru"], "en"],
    ["system", ["de", "fr"], "en"],
    ["system", ["rue"], "en"],
    ["system", [], "en"],
  ] as const)("with the setting %s on a system that prefers %j is %s", (setting, preferred, language) => {
    expect(pickLanguage(setting, preferred)).toBe(language);
  });
});
