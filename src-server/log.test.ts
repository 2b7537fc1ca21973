import { describe, expect, it } from "vitest";
import { createLog, redact } from "./log.ts";

describe("the server's log", () => {
  it("is one JSON document per line, from its level on", () => {
    const lines: string[] = [];
    const log = createLog(
      "info",
      (line) => lines.push(line),
      () => 0,
    );
    log.debug("unseen");
    log.info("seen", { count: 3, missing: undefined });
    expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"seen","count":3}\n']);
  });

  it("holds back addresses and keys wherever they stand, and leaves other text alone", () => {
    const key = `${"Ab3-".repeat(10)}Ab0`;
    expect(redact(`node ${key} at 203.0.113.7:51820 and [2001:db8::1]:443`)).toBe(
      "node Ab3-Ab3-… at 203.0.x.x:51820 and [[ipv6]]:443",
    );
    expect(redact("connect ::ffff:198.51.100.4 failed at 12:30:05")).not.toMatch(/198\.51\.100/);
    expect(redact("version 1.2.3, took 12:30:05")).toBe("version 1.2.3, took 12:30:05");
    expect(redact("x ".repeat(5000)).length).toBeLessThanOrEqual(512);
  });
});
