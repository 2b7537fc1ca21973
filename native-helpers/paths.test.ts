import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { giveTo, helperPaths, prepareDirectories, takeLock } from "./paths.ts";

let root: string;
let umask: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "higgs-paths-"));
  // The helper's own.
  umask = process.umask(0o077);
});

afterEach(() => {
  process.umask(umask);
  rmSync(root, { recursive: true, force: true });
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("helperPaths", () => {
  it("keeps the state from everybody and the sockets of users apart", () => {
    expect(helperPaths(1000, {})).toEqual({ stateDir: "/var/lib/higgsnode", runtimeDir: "/run/higgsnode/1000" });
    expect(helperPaths(0, { HIGGS_STATE_DIR: "/x" })).toEqual({ stateDir: "/x", runtimeDir: "/x/run/0" });
  });
});

// Ownership is compared with root, so these need a user whose files are its own: any does, the check reads getuid.
describe("prepareDirectories", () => {
  it("lets the user reach the socket through every directory above it, whatever the umask", () => {
    const paths = { stateDir: join(root, "state"), runtimeDir: join(root, "run", "1000") };
    expect(prepareDirectories(paths).ok).toBe(true);
    expect(modeOf(paths.stateDir)).toBe(0o700);
    expect(modeOf(join(root, "run"))).toBe(0o755);
    expect(modeOf(paths.runtimeDir)).toBe(0o755);
  });

  it("refuses a link in place of a directory", () => {
    const elsewhere = join(root, "elsewhere");
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(root, "state"));
    const prepared = prepareDirectories({ stateDir: join(root, "state"), runtimeDir: join(root, "run", "0") });
    expect(prepared).toMatchObject({ ok: false, error: { code: "state-dir-unsafe" } });
  });

  it("refuses a directory that others could have filled", () => {
    const stateDir = join(root, "state");
    mkdirSync(stateDir);
    chmodSync(stateDir, 0o777);
    const prepared = prepareDirectories({ stateDir, runtimeDir: join(root, "run", "0") });
    expect(prepared).toMatchObject({ ok: false, error: { code: "state-dir-unsafe" } });
  });

  it("says so when a file stands in its place", () => {
    writeFileSync(join(root, "state"), "");
    const prepared = prepareDirectories({ stateDir: join(root, "state"), runtimeDir: join(root, "run", "0") });
    expect(prepared).toMatchObject({ ok: false, error: { code: "state-dir-unwritable" } });
  });
});

describe("takeLock", () => {
  it("is had by one at a time, and names its holder", () => {
    const first = takeLock(root);
    expect(takeLock(root)).toMatchObject({
      ok: false,
      error: { code: "helper-running", message: `Another helper is running (process ${process.pid}).` },
    });
    if (first.ok) first.value.release();
    const second = takeLock(root);
    expect(second.ok).toBe(true);
    if (second.ok) {
      second.value.release();
      second.value.release();
    }
  });

  it("does not mind what an earlier holder left in the directory", () => {
    writeFileSync(join(root, "helper.pid"), "1\n{}");
    const lock = takeLock(root);
    expect(lock.ok).toBe(true);
    if (lock.ok) lock.value.release();
  });

  it("tells a lock that cannot be taken from one that is held", () => {
    writeFileSync(join(root, "helper.lock"), "not a database, however long one reads it ".repeat(40));
    expect(takeLock(root)).toMatchObject({ ok: false, error: { code: "state-dir-unwritable" } });
  });
});

describe("giveTo", () => {
  it("leaves the file readable by its one user only", () => {
    const path = join(root, "token");
    writeFileSync(path, "secret", { mode: 0o644 });
    giveTo(process.getuid?.() ?? 0, path);
    expect(modeOf(path)).toBe(0o600);
  });
});
