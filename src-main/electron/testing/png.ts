/** Reads the PNG files that Chromium writes: 8 bits per channel, RGB or RGBA, not interlaced (PNG, third edition). */
import { inflateSync } from "node:zlib";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** One value per pixel, 0 clear to 255 opaque. */
  readonly alpha: Uint8Array;
}

export function readPng(file: Buffer): Pixels {
  if (file.toString("latin1", 1, 4) !== "PNG") throw new Error("no PNG");
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const channels = file[25] === 6 ? 4 : 3;
  const data: Buffer[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") data.push(file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const lines = unfilter(inflateSync(Buffer.concat(data)), width * channels, height, channels);
  const alpha = new Uint8Array(width * height).fill(255);
  if (channels === 4) for (let pixel = 0; pixel < alpha.length; pixel++) alpha[pixel] = lines[pixel * 4 + 3] ?? 0;
  return { width, height, alpha };
}

/** Undoes the filter of each line (section 9). */
function unfilter(raw: Buffer, lineBytes: number, height: number, channels: number): Uint8Array {
  const out = new Uint8Array(lineBytes * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (lineBytes + 1)] ?? 0;
    for (let x = 0; x < lineBytes; x++) {
      const at = y * lineBytes + x;
      const left = x >= channels ? (out[at - channels] ?? 0) : 0;
      const up = y > 0 ? (out[at - lineBytes] ?? 0) : 0;
      const corner = x >= channels && y > 0 ? (out[at - lineBytes - channels] ?? 0) : 0;
      out[at] = (raw[y * (lineBytes + 1) + 1 + x] ?? 0) + predicted(filter, left, up, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4:
      return paeth(left, up, corner);
    default:
      return 0;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
