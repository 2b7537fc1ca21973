import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { unwrap } from "../../src-shared/result.ts";
import { SettingsStore } from "./settings-store.ts";

let root: string;
let file: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "higgs-settings-"));
  file = join(root, "settings.json");
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("SettingsStore.open", () => {
  it("gives the defaults where there is no file, and makes none", () => {
    expect(unwrap(SettingsStore.open(root)).get()).toEqual(DEFAULT_SETTINGS);
    expect(readdirSync(root)).toEqual([]);
  });

  it.each([
    ["text that is not JSON", "{listenPort: 1}", "is not JSON"],
    ["one broken field", '{"mtu": 1400, "listenPort": 70000}', "listenPort"],
    ["a key of a newer version", '{"teleport": true}', "teleport"],
    ["a document that is no object", "[]", "object"],
    ["a nested broken field", '{"allowedDestinations": [{"destination": "10.0.0.1/8"}]}', "allowedDestinations.0"],
  ])("refuses %s, names what is wrong and leaves the file as it is", (_, text, named) => {
    writeFileSync(file, text);
    const result = SettingsStore.open(root);
    expect(result).toMatchObject({ ok: false, error: { code: "settings-invalid" } });
    if (!result.ok) {
      expect(result.error.message).toContain(file);
      expect(result.error.message).toContain(named);
      expect(result.error.hint).toBeDefined();
    }
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("refuses a folder in place of the file, and a file too large to be settings", () => {
    mkdirSync(file);
    expect(SettingsStore.open(root)).toMatchObject({ ok: false, error: { code: "settings-invalid" } });
    rmSync(file, { recursive: true });
    writeFileSync(file, `{}${" ".repeat(300 * 1024)}`);
    expect(SettingsStore.open(root)).toMatchObject({ ok: false, error: { code: "settings-invalid" } });
  });

  it("accepts a file that begins with a byte order mark", () => {
    writeFileSync(file, '\uFEFF{"mtu": 1300}');
    expect(unwrap(SettingsStore.open(root)).get().mtu).toBe(1300);
  });
});

describe("SettingsStore.set", () => {
  it("keeps what was set for the next start, readable by its owner alone, and nothing that was not set", () => {
    const store = unwrap(SettingsStore.open(root));
    unwrap(store.set({ mtu: 1380, publicEndpoint: "node.example.org:51820" }));
    expect(store.get().mtu).toBe(1380);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      mtu: 1380,
      publicEndpoint: { host: "node.example.org", port: 51820 },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(root)).toEqual(["settings.json"]);
    expect(unwrap(SettingsStore.open(root)).get()).toEqual(store.get());
  });

  it("refuses a setting that does not exist and lists those that do", () => {
    const store = unwrap(SettingsStore.open(root));
    for (const key of ["colour", "constructor", "__proto__", "toString"]) {
      const result = store.set(JSON.parse(`{${JSON.stringify(key)}: 1}`));
      expect(result).toMatchObject({ ok: false, error: { code: "unknown-setting" } });
      if (!result.ok) expect(result.error.hint).toContain("listenPort");
    }
    expect(readdirSync(root)).toEqual([]);
  });

  it("takes all changes or none", () => {
    const store = unwrap(SettingsStore.open(root));
    const result = store.set({ mtu: 1300, listenPort: "high" });
    expect(result).toMatchObject({ ok: false, error: { code: "settings-invalid" } });
    if (!result.ok) expect(result.error.message).toContain("listenPort");
    expect(store.get()).toEqual(DEFAULT_SETTINGS);
    expect(readdirSync(root)).toEqual([]);
  });

  it("neither writes nor calls anybody when nothing changes", () => {
    const store = unwrap(SettingsStore.open(root));
    const seen: number[] = [];
    const stop = store.onChange((settings) => seen.push(settings.mtu));
    unwrap(store.set({ mtu: DEFAULT_SETTINGS.mtu }));
    expect(readdirSync(root)).toEqual([]);
    unwrap(store.set({ mtu: 1300 }));
    unwrap(store.set({ mtu: 1300 }));
    expect(seen).toEqual([1300]);
    stop();
    unwrap(store.set({ mtu: 1301 }));
    expect(seen).toEqual([1300]);
  });

  it("reports a file that cannot be written and keeps the old settings", () => {
    const store = unwrap(SettingsStore.open(root));
    rmSync(root, { recursive: true });
    expect(store.set({ mtu: 1300 })).toMatchObject({ ok: false, error: { code: "settings-not-written" } });
    expect(store.get()).toEqual(DEFAULT_SETTINGS);
  });

  it("replaces a file whose mode was wider with one for its owner alone", () => {
    writeFileSync(file, "{}");
    chmodSync(file, 0o644);
    unwrap(unwrap(SettingsStore.open(root)).set({ mtu: 1300 }));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
