/**
 * node scripts/draw-icons.mjs: draws every icon of the desktop app from its SVG source, with Debian's Chromium, and
 * puts them beside it. Run it after a source was changed, and commit what it made.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launchBrowser } from "../e2e/hosts/browser.ts";

const icons = path.resolve(import.meta.dirname, "../src-main/electron/icons");

/** Readable on light and on dark panels. */
const INKS = {
  off: "#808a94",
  starting: "#4a90e2",
  sharing: "#22a05a",
  relayed: "#8a63d2",
  attention: "#e0781e",
};

/** Pixels at a scale factor of 1: what panels of Linux desktops use, and what macOS asks of a menu bar's image. */
const TRAY_PIXELS = 24;
const TEMPLATE_PIXELS = 16;

/** What Windows asks for at 100, 125, 150, 200 and 300 %. */
const ICO_PIXELS = [16, 20, 24, 32, 48];

/** The sizes of the hicolor theme; macOS's and Windows' own formats are made of the largest. */
const APP_PIXELS = [16, 32, 48, 64, 128, 256, 512, 1024];

const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  const draw = async (name, ink, pixels) => {
    const svg = readFileSync(path.join(icons, "source", `${name}.svg`), "utf8");
    await page.setViewportSize({ width: pixels, height: pixels });
    await page.setContent(`<style>*{margin:0}svg{display:block;width:${pixels}px;color:${ink}}</style>${svg}`);
    return page.screenshot({ omitBackground: true });
  };
  for (const [state, ink] of Object.entries(INKS)) {
    const name = `tray-${state}`;
    for (const [suffix, scale] of [
      ["", 1],
      ["@2x", 2],
    ]) {
      writeFileSync(path.join(icons, `${name}${suffix}.png`), await draw(name, ink, TRAY_PIXELS * scale));
      writeFileSync(
        path.join(icons, `${name}Template${suffix}.png`),
        await draw(name, "#000", TEMPLATE_PIXELS * scale),
      );
    }
    const images = [];
    for (const pixels of ICO_PIXELS) images.push({ pixels, png: await draw(name, ink, pixels) });
    writeFileSync(path.join(icons, `${name}.ico`), ico(images));
  }
  mkdirSync(path.join(icons, "app"), { recursive: true });
  for (const pixels of APP_PIXELS) {
    writeFileSync(path.join(icons, "app", `${pixels}x${pixels}.png`), await draw("app", "#000", pixels));
  }
} finally {
  await browser.close();
}

/** Icons with PNG images in them, which Windows takes since Vista: a directory of 16 bytes each, then the images. */
function ico(images) {
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(images.length, 4);
  let at = head.length;
  for (const [index, { pixels, png }] of images.entries()) {
    const entry = 6 + 16 * index;
    head.writeUInt8(pixels, entry);
    head.writeUInt8(pixels, entry + 1);
    head.writeUInt16LE(1, entry + 4);
    head.writeUInt16LE(32, entry + 6);
    head.writeUInt32LE(png.length, entry + 8);
    head.writeUInt32LE(at, entry + 12);
    at += png.length;
  }
  return Buffer.concat([head, ...images.map(({ png }) => png)]);
}
