/**
 * The tray's icons, drawn rather than stored: one shape per state, so that they can be told apart
 * without colour. Off is a ring, busy three quarters of one, good a full disc, attention a disc with a bar cut out.
 */
import type { Tone } from "../../src-shared/text/headline.ts";

/** Samples per pixel and axis: smooth edges at 16 pixels. */
const SAMPLES = 4;

export interface Ink {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** Readable on light and on dark panels; macOS takes the monochrome one and colours it itself. */
export const INKS: Readonly<Record<Tone, Ink>> = {
  off: { red: 128, green: 138, blue: 148 },
  busy: { red: 74, green: 144, blue: 226 },
  good: { red: 34, green: 160, blue: 90 },
  attention: { red: 224, green: 120, blue: 30 },
};
export const MONOCHROME: Ink = { red: 0, green: 0, blue: 0 };

/** `size` × `size` pixels, four bytes each: blue, green, red, alpha, premultiplied, as nativeImage takes bitmaps. */
export function drawTrayIcon(tone: Tone, size: number, ink: Ink): Uint8Array {
  const pixels = new Uint8Array(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const alpha = coverage(tone, x, y, size);
      pixels.set([ink.blue * alpha, ink.green * alpha, ink.red * alpha, 255 * alpha], (y * size + x) * 4);
    }
  }
  return pixels;
}

function coverage(tone: Tone, x: number, y: number, size: number): number {
  let inside = 0;
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
    const px = x + ((sample % SAMPLES) + 0.5) / SAMPLES;
    const py = y + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
    // From the centre, the edge of the icon at 1.
    if (isInk(tone, (2 * px) / size - 1, (2 * py) / size - 1)) inside++;
  }
  return inside / (SAMPLES * SAMPLES);
}

function isInk(tone: Tone, x: number, y: number): boolean {
  const radius = Math.hypot(x, y);
  const isRing = radius <= 0.88 && radius >= 0.6;
  switch (tone) {
    case "off":
      return isRing;
    case "busy":
      return isRing && !(x > 0 && y < 0);
    case "good":
      return isRing || radius <= 0.4;
    case "attention":
      return radius <= 0.88 && !isExclamation(x, y);
  }
}

function isExclamation(x: number, y: number): boolean {
  return Math.abs(x) <= 0.14 && ((y >= -0.6 && y <= 0.12) || (y >= 0.32 && y <= 0.6));
}
