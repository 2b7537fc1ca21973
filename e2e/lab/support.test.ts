import { describe, expect, it } from "vitest";
import { mayRun } from "./support.ts";

describe("whether the lab's tests run", () => {
  it("they do where nothing is in the way, under CI or not", () => {
    expect(mayRun(undefined, undefined)).toBe(true);
    expect(mayRun(undefined, "true")).toBe(true);
  });

  it("they are skipped on a developer's machine that cannot carry it", () => {
    expect(mayRun("the lab needs root", undefined)).toBe(false);
    expect(mayRun("the lab needs root", "false")).toBe(false);
  });

  it("they fail under CI, with the reason", () => {
    expect(() => mayRun("the lab needs root", "1")).toThrow("the lab needs root");
  });
});
