import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPng } from "./testing/png.ts";
import { TRAY_ICONS } from "./tray-view.ts";

const ICONS = join(import.meta.dirname, "icons");

function png(name: string) {
  return readPng(readFileSync(join(ICONS, name)));
}

/** Whether each pixel is more ink than not: what is left of an icon without its colour. */
function shapeOf(name: string): boolean[] {
  return [...png(name).alpha].map((alpha) => alpha > 127);
}

describe("the icons", () => {
  it.each(TRAY_ICONS)("are there at 1x and 2x, in colour and as a template: %s", (icon) => {
    for (const [suffix, pixels] of [
      ["", 24],
      ["@2x", 48],
      ["Template", 16],
      ["Template@2x", 32],
    ] as const) {
      const { width, height, alpha } = png(`tray-${icon}${suffix}.png`);
      expect([width, height]).toEqual([pixels, pixels]);
      const ink = [...alpha].filter((value) => value > 127).length / alpha.length;
      expect(ink).toBeGreaterThan(0.08);
      expect(ink).toBeLessThan(0.7);
      expect(alpha[0]).toBe(0);
    }
  });

  it("can be told apart without colour, as small as they come", () => {
    const shapes = TRAY_ICONS.map((icon) => shapeOf(`tray-${icon}Template.png`));
    for (const [index, shape] of shapes.entries()) {
      for (const other of shapes.slice(index + 1)) {
        const different = shape.filter((ink, at) => ink !== other[at]).length;
        // A fifth of the ink of either, at least: not a mark that only a sharp eye would find.
        expect(different / shape.filter(Boolean).length).toBeGreaterThan(0.2);
      }
    }
  });

  it.each(TRAY_ICONS)("hold every size that Windows asks for: %s", (icon) => {
    const file = readFileSync(join(ICONS, `tray-${icon}.ico`));
    expect([file.readUInt16LE(0), file.readUInt16LE(2), file.readUInt16LE(4)]).toEqual([0, 1, 5]);
    const sizes = [0, 1, 2, 3, 4].map((index) => {
      const entry = 6 + 16 * index;
      const [bytes, at] = [file.readUInt32LE(entry + 8), file.readUInt32LE(entry + 12)];
      const { width } = readPng(file.subarray(at, at + bytes));
      expect(file[entry]).toBe(width);
      return width;
    });
    expect(sizes).toEqual([16, 20, 24, 32, 48]);
  });

  it.each([16, 32, 48, 64, 128, 256, 512, 1024])("hold the app's own at %i pixels", (pixels) => {
    expect(png(`app/${pixels}x${pixels}.png`)).toMatchObject({ width: pixels, height: pixels });
  });
});
