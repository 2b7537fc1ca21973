import { describe, expect, it } from "vitest";
import { PREDICTION_MS, predicted, settled, shownValue, unexpired } from "./predictions.ts";

describe("a predicted value", () => {
  const held = predicted({}, "setting.theme", "dark", 1_000);

  it("is shown in the place of the actual one, and marked", () => {
    expect(shownValue(held, "setting.theme", "light")).toEqual({ value: "dark", predicted: true });
    expect(shownValue(held, "setting.language", "en")).toEqual({ value: "en", predicted: false });
  });

  it("goes when the node has answered", () => {
    expect(settled(held, ["setting.theme"])).toEqual({});
    expect(settled(held, ["share"])).toEqual(held);
  });

  it("goes when the time is up, whatever the node does", () => {
    expect(unexpired(held, 1_000 + PREDICTION_MS - 1)).toBe(held);
    expect(unexpired(held, 1_000 + PREDICTION_MS)).toEqual({});
  });

  it("may be a falsy one", () => {
    expect(shownValue(predicted({}, "share", false, 0), "share", true)).toEqual({ value: false, predicted: true });
  });
});
