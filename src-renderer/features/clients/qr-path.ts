/** A QR code as one SVG path: scales without blurring and needs no inline image. */
import qrcode from "qrcode";

export interface QrPath {
  /** Side of the square in modules, the quiet zone included. */
  readonly size: number;
  readonly path: string;
}

/** ISO/IEC 18004 asks for four modules of quiet zone. */
const QUIET_MODULES = 4;

/** Throws where the text is longer than a QR code can hold (2,953 bytes); a configuration is about 400. */
export function qrPath(text: string): QrPath {
  const { modules } = qrcode.create(text, { errorCorrectionLevel: "M" });
  const runs: string[] = [];
  for (let row = 0; row < modules.size; row++) {
    for (let column = 0; column < modules.size; column++) {
      const start = column;
      while (column < modules.size && modules.get(row, column)) column++;
      const length = column - start;
      if (length > 0) runs.push(`M${start + QUIET_MODULES} ${row + QUIET_MODULES}h${length}v1h-${length}z`);
    }
  }
  return { size: modules.size + 2 * QUIET_MODULES, path: runs.join("") };
}
