import { describe, expect, it } from "vitest";
import { configFileName } from "./config-file.ts";
import { qrPath } from "./qr-path.ts";

describe("the name of a configuration file", () => {
  it.each([
    ["Anna's phone", "Annas-phone.conf"],
    ["Öl", "Ol.conf"],
    ["телефон", "higgsnode.conf"],
    ["a very long name of a device", "a-very-long-nam.conf"],
    ["fourteen chars - and more", "fourteen-chars.conf"],
  ])("of %s is %s, a name that a tunnel can have", (name, file) => {
    expect(configFileName(name)).toBe(file);
    expect(file).toMatch(/^[a-zA-Z0-9_=+.-]{1,15}\.conf$/);
  });
});

describe("the QR code", () => {
  it("draws every dark module inside its quiet zone", () => {
    const { size, path } = qrPath("hello");
    expect(size).toBe(21 + 8);
    const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)].map((match) => match.slice(1).map(Number));
    expect(runs.map(([x, y, w, back]) => `M${x} ${y}h${w}v1h-${back}z`).join("")).toBe(path);
    for (const [x = 0, y = 0, width = 0] of runs) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(4);
      expect(x + width).toBeLessThanOrEqual(size - 4);
    }
    // The upper edge of the finder pattern at the upper left (ISO/IEC 18004): seven dark modules.
    expect(runs[0]?.slice(0, 3)).toEqual([4, 4, 7]);
  });
});
