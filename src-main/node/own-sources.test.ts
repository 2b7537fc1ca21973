import { describe, expect, it } from "vitest";
import { ownSources } from "./own-sources.ts";

describe("sources that are no guest's", () => {
  const isOwn = ownSources(
    () => ["10.66.0.1", "fd00:1:2:3::1"],
    (address) => address === "fd00:1:2:3::fffe",
  );

  it("are the node's own addresses and those of self-tests, however they are written", () => {
    expect(["10.66.0.1", "fd00:1:2:3:0:0:0:1", "fd00:1:2:3:0::FFFE"].map(isOwn)).toEqual([true, true, true]);
  });

  it("are no guest's address, and nothing that is no address", () => {
    expect(["10.66.0.2", "fd00:1:2:3::2", "10.66.0.1/16", ""].map(isOwn)).toEqual([false, false, false, false]);
  });
});
