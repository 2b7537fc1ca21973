import { describe, expect, it } from "vitest";
import { egressTargetsOf } from "./egress-targets.ts";

describe("egress targets of one family", () => {
  const texts = ["1.1.1.1:443", "[2606:4700:4700::1111]:443", "example.org:443", "nonsense", "9.9.9.9:80"];

  it("are those whose address is of it, in the owner's order", () => {
    expect(egressTargetsOf(texts, 4)).toEqual([
      { host: "1.1.1.1", port: 443 },
      { host: "9.9.9.9", port: 80 },
    ]);
    expect(egressTargetsOf(texts, 6)).toEqual([{ host: "2606:4700:4700::1111", port: 443 }]);
  });

  it("are none where none is set", () => {
    expect(egressTargetsOf([], 4)).toEqual([]);
  });
});
