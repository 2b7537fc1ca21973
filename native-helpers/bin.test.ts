/** The helper's program as others start it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";

const PROGRAM = join(import.meta.dirname, "bin.ts");
const NOBODY = 65_534;

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill("SIGKILL");
});

describe("the helper's program", () => {
  it("has given up root for good before it reads what it is to try as a guest", async () => {
    child = spawn(process.execPath, [PROGRAM, "guest-probe"], { stdio: ["pipe", "ignore", "ignore"] });
    const own = process.getuid?.() ?? 0;
    const wanted = own === 0 ? NOBODY : own;
    const status = () => readFileSync(`/proc/${child?.pid}/status`, "utf8");
    await vi.waitFor(
      () => expect(status()).toMatch(new RegExp(`^Uid:\\t${wanted}\\t${wanted}\\t${wanted}\\t${wanted}$`, "m")),
      { interval: 10, timeout: 20_000 },
    );
    expect(status()).toMatch(/^CapEff:\t0+$/m);
    if (own === 0) expect(status()).toMatch(/^Groups:\t *$/m);
  });

  it("that pkexec starts for one user serves no other", () => {
    const ran = spawnSync(process.execPath, [PROGRAM, "--uid", "1001"], {
      env: { PKEXEC_UID: "1000" },
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: "bad-arguments" } });
  });
});
