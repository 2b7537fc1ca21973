import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Journal } from "./journal.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "higgs-journal-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const key = "net/ipv4/conf/eth0/forwarding";

describe("the undo journal", () => {
  it("is read by the next helper of the same boot", () => {
    new Journal(directory, "boot-1").add({ interfaces: ["higgs0"], sysctls: [{ key, original: "0" }] });
    expect(new Journal(directory, "boot-1").read()).toEqual({
      version: 1,
      bootId: "boot-1",
      interfaces: ["higgs0"],
      sysctls: [{ key, original: "0" }],
    });
  });

  it("is void after another boot, and is not mixed with that boot's entries", () => {
    new Journal(directory, "boot-1").add({ interfaces: ["higgs0"], sysctls: [{ key, original: "0" }] });
    const later = new Journal(directory, "boot-2");
    expect(later.read()).toBeUndefined();
    later.add({ interfaces: ["higgs1"] });
    expect(later.read()).toMatchObject({ interfaces: ["higgs1"], sysctls: [] });
  });

  it("keeps the first original: what we wrote ourselves is nobody's wish", () => {
    const journal = new Journal(directory, "boot-1");
    journal.add({ sysctls: [{ key, original: "0" }] });
    journal.add({ sysctls: [{ key, original: "1" }], interfaces: ["higgs0"] });
    journal.add({ interfaces: ["higgs0"] });
    expect(journal.read()).toMatchObject({ interfaces: ["higgs0"], sysctls: [{ key, original: "0" }] });
  });

  it.each(["", "{", '{"version":2}', "null", "[]", '{"version":1,"bootId":"boot-1","interfaces":"x","sysctls":[]}'])(
    "still says that something was changed when it holds %j",
    (text) => {
      writeFileSync(join(directory, "undo.json"), text);
      expect(new Journal(directory, "boot-1").read()).toMatchObject({ interfaces: [], sysctls: [] });
    },
  );

  it("leaves one file, readable by its owner only, and none when cleared", () => {
    const journal = new Journal(directory, "boot-1");
    journal.add({ interfaces: ["higgs0"] });
    expect(readdirSync(directory)).toEqual(["undo.json"]);
    expect(statSync(join(directory, "undo.json")).mode & 0o777).toBe(0o600);
    journal.clear();
    journal.clear();
    expect(readdirSync(directory)).toEqual([]);
    expect(journal.read()).toBeUndefined();
  });

  it("keeps the earlier version when a helper dies while writing the next", () => {
    const journal = new Journal(directory, "boot-1");
    journal.add({ interfaces: ["higgs0"] });
    writeFileSync(join(directory, "undo.json.new"), '{"version":1,"boot');
    expect(journal.read()?.interfaces).toEqual(["higgs0"]);
    journal.add({ sysctls: [{ key, original: "0" }] });
    expect(JSON.parse(readFileSync(join(directory, "undo.json"), "utf8"))).toMatchObject({ interfaces: ["higgs0"] });
  });
});
