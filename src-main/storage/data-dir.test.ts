import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultDataDir, openDataDir } from "./data-dir.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "higgs-data-dir-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("defaultDataDir", () => {
  it("follows XDG_CONFIG_HOME on Linux and ignores a relative value of it", () => {
    expect(defaultDataDir({ XDG_CONFIG_HOME: "/xdg", HOME: "/home/ann" }, "linux")).toBe("/xdg/higgsnode");
    expect(defaultDataDir({ XDG_CONFIG_HOME: "xdg", HOME: "/home/ann" }, "linux")).toBe("/home/ann/.config/higgsnode");
    expect(defaultDataDir({ HOME: "/home/ann" }, "linux")).toBe("/home/ann/.config/higgsnode");
  });

  it("follows the conventions of macOS and Windows", () => {
    expect(defaultDataDir({ HOME: "/Users/ann" }, "darwin")).toBe("/Users/ann/Library/Application Support/HiggsNode");
    expect(defaultDataDir({ APPDATA: "C:\\Users\\ann\\AppData\\Roaming" }, "win32")).toBe(
      "C:\\Users\\ann\\AppData\\Roaming\\HiggsNode",
    );
  });
});

describe("openDataDir", () => {
  it("makes a missing folder for its owner alone and leaves nothing in it", () => {
    const path = join(root, "a", "b");
    expect(openDataDir(path)).toEqual({ ok: true, value: { path } });
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readdirSync(path)).toEqual([]);
  });

  it("leaves the mode of an existing folder alone", () => {
    const path = join(root, "there");
    mkdirSync(path);
    chmodSync(path, 0o755);
    expect(openDataDir(path).ok).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  it("refuses a path that is a file, or that lies below one", () => {
    const file = join(root, "file");
    writeFileSync(file, "x");
    for (const path of [file, join(file, "below")]) {
      const result = openDataDir(path);
      expect(result).toMatchObject({ ok: false, error: { code: "data-dir-not-writable" } });
      if (!result.ok) expect(result.error.message).toContain(path);
    }
  });

  it.runIf(process.platform === "linux")("refuses a folder in which no file can be made, also to root", () => {
    // procfs takes no new files, whoever asks.
    expect(openDataDir("/proc/self")).toMatchObject({ ok: false, error: { code: "data-dir-not-writable" } });
  });

  it("refuses a place where nothing can be made, and does not hang", () => {
    expect(openDataDir("/proc/nope/data")).toMatchObject({ ok: false, error: { code: "data-dir-not-writable" } });
  });
});
