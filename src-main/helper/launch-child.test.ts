import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HiggsError } from "../../src-shared/result.ts";
import { launchChild } from "./launch-child.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "higgs-child-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs `script` as the helper and resolves with what it complained of. */
async function complaintOf(script: string): Promise<HiggsError | undefined> {
  const path = join(directory, "helper.mjs");
  writeFileSync(path, script);
  return new Promise((resolve, reject) => {
    launchChild(path, 1000, resolve).then((launched) => {
      if (!launched.ok) reject(new Error(launched.error.message));
    }, reject);
  });
}

describe("launchChild", () => {
  it("hands on the last line of a helper that refuses to start", async () => {
    const error = { code: "helper-running", message: "Another helper is running.", hint: "Stop it." };
    const script = `process.stderr.write("a warning\\n" + ${JSON.stringify(`${JSON.stringify({ error })}\n`)}); process.exit(1);`;
    expect(await complaintOf(script)).toEqual(error);
  });

  it("tells the helper whom it serves", async () => {
    expect(await complaintOf("console.error(process.argv.slice(2).join(' ')); process.exit(1);")).toEqual({
      code: "helper-not-started",
      message: "The helper ended: --uid 1000",
    });
  });

  it("has no complaint of a helper that ended quietly", async () => {
    expect(await complaintOf("")).toBeUndefined();
  });

  it("keeps no more of a complaint than anybody reads", async () => {
    const complaint = await complaintOf("process.stderr.write('x'.repeat(100_000)); process.exitCode = 1;");
    expect(complaint?.message.length).toBeLessThan(5_000);
  });

  it("takes no complaint that has another shape", async () => {
    for (const text of ["null", "[]", "7", '{"error":null}', '{"error":{"code":1}}', '{"error":{"code":"a b"}}']) {
      const complaint = await complaintOf(`process.stderr.write(${JSON.stringify(text)}); process.exitCode = 1;`);
      expect(complaint?.code).toBe("helper-not-started");
    }
  });
});
