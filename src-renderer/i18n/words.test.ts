import { describe, expect, it } from "vitest";
import { loadWords } from "./words.ts";

describe("the words of a language", () => {
  it("are its catalogue, and the node's sentences in it", async () => {
    const russian = await loadWords("ru");
    expect(russian.language).toBe("ru");
    expect(russian.t("common.nav.health")).toBe("Состояние");
    expect(russian.localise.error({ code: "disconnected", message: "Xyzzy." }).message).toBe("Связь с узлом потеряна.");
    const english = await loadWords("en");
    expect(english.t("common.nav.health")).toBe("Health");
    expect(english.localise.text("Nobody answered.")).toBe("Nobody answered.");
  });

  it("are fetched once", () => {
    expect(loadWords("en")).toBe(loadWords("en"));
  });
});
