import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HiggsError } from "../../src-shared/result.ts";
import { installedHelper, launchInstalled } from "./launch-installed.ts";

const isRoot = process.getuid?.() === 0;

describe("the helper of an installed package", () => {
  let folder: string;
  let program: string;
  let helper: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "higgsnode-installed-"));
    program = join(folder, "higgsnode-helper");
    helper = join(folder, "helper.mjs");
    for (const file of [program, helper]) {
      writeFileSync(file, "#!/bin/sh\n");
      chmodSync(file, 0o755);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.runIf(isRoot)("is taken where it and its folder are root's alone", () => {
    expect(installedHelper(helper, folder)).toBe(program);
  });

  it.each([
    ["the program", () => program],
    ["the helper", () => helper],
    ["their folder", () => folder],
  ])("is not taken where others may write to %s", (_, which) => {
    chmodSync(which(), 0o777);
    expect(installedHelper(helper, folder)).toBeUndefined();
  });

  it("is not taken from where no package puts it", () => {
    expect(installedHelper(helper)).toBeUndefined();
  });

  it("is not taken where there is none", () => {
    rmSync(program);
    expect(installedHelper(helper, folder)).toBeUndefined();
  });

  it.each<[number, string | undefined]>([
    [0, undefined],
    [126, "permission-refused"],
    [127, "permission-refused"],
    [3, "helper-not-started"],
  ])("that ends with %i is told as %s", async (code, complaint) => {
    const pkexec = join(folder, "pkexec");
    writeFileSync(pkexec, `#!/bin/sh\n[ "$1" = ${program} ] || exit 99\nexit ${code}\n`);
    chmodSync(pkexec, 0o755);
    const ended = Promise.withResolvers<HiggsError | undefined>();
    expect(await launchInstalled(program, ended.resolve, pkexec)).toEqual({ ok: true, value: undefined });
    expect((await ended.promise)?.code).toBe(complaint);
  });

  it("that cannot be started at all is a failure", async () => {
    expect(await launchInstalled(program, () => {}, join(folder, "missing"))).toMatchObject({ ok: false });
  });
});
