/** The end of the node's log. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { LOG_FILE_NAME } from "../../logs/sinks.ts";

/** The last hour or so of a node that has something to say. */
const MAX_LINES = 200;
const MAX_BYTES = 128 * 1024;

/** Whole lines, oldest first; none where there is no log. */
export function readLogTail(dataDir: string): string[] {
  let file: number;
  try {
    file = openSync(join(dataDir, LOG_FILE_NAME), "r");
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(file);
    const from = Math.max(0, size - MAX_BYTES);
    const buffer = Buffer.alloc(size - from);
    const length = readSync(file, buffer, 0, buffer.length, from);
    const lines = buffer.toString("utf8", 0, length).split("\n");
    // The first one was cut in two, where it is not the first of the file.
    return lines
      .slice(from === 0 ? 0 : 1)
      .filter((line) => line !== "")
      .slice(-MAX_LINES);
  } finally {
    closeSync(file);
  }
}
