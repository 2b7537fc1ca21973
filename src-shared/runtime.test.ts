import { describe, expect, it } from "vitest";
import { oldNodeComplaint } from "./runtime.ts";

describe("a program on the wrong Node", () => {
  it("says which one it needs and how to get it", () => {
    expect(oldNodeComplaint("higgsnode", "20.20.2")).toBe(
      "higgsnode needs Node 24 or newer, and this is 20.20.2. In its folder, this takes the right one: npx higgsnode",
    );
  });

  it("has nothing to say on the right one", () => {
    expect(oldNodeComplaint("higgsnode", "24.0.0")).toBeUndefined();
    expect(oldNodeComplaint("higgsnode", "100.1.0")).toBeUndefined();
  });
});
