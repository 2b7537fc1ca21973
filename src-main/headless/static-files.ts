/**
 * The built panel, read once into memory. A request is looked up by its whole path, so there is no
 * path to traverse; what was not built cannot be asked for.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { fail, ok, type Result } from "../../src-shared/result.ts";

export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
  /** The file's name carries a hash of its content. */
  readonly immutable: boolean;
}

export type StaticFiles = ReadonlyMap<string, StaticFile>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};

/** The panel is a few hundred kilobytes; a folder far beyond that is not the panel. */
const MAX_TOTAL_BYTES = 32 * 1024 * 1024;

/** Reads every servable file below `directory`, by URL path; `/` is `index.html`. Fails with `panel-missing`. */
export async function loadStaticFiles(directory: string): Promise<Result<StaticFiles>> {
  const files = new Map<string, StaticFile>();
  let totalBytes = 0;
  try {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const type = TYPES[path.extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const file = path.join(entry.parentPath, entry.name);
      totalBytes += (await stat(file)).size;
      if (totalBytes > MAX_TOTAL_BYTES) return missing(directory, "it is too large to be the panel");
      const url = `/${path.relative(directory, file).split(path.sep).join("/")}`;
      files.set(url, { type, body: await readFile(file), immutable: url.startsWith("/assets/") });
    }
  } catch (thrown) {
    return missing(directory, thrown instanceof Error ? thrown.message : String(thrown));
  }
  const index = files.get("/index.html");
  if (index === undefined) return missing(directory, "it has no index.html");
  files.set("/", index);
  return ok(files);
}

function missing(directory: string, why: string): Result<never> {
  return fail("panel-missing", `the panel cannot be read from ${directory}: ${why}`, "Build it with: npm run build");
}
