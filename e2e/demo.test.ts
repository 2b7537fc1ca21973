import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeProgram, requireLab } from "./lab/index.ts";

/** Lab, node and two guests come up in some five seconds. */
const DEMO_TIMEOUT_MS = 90_000;

describe.skipIf(!requireLab())("the demo", () => {
  it("tells its story to the end and leaves nothing", () => {
    const ran = spawnSync(nodeProgram(), [join(import.meta.dirname, "../scripts/demo.mjs"), "--once"], {
      encoding: "utf8",
      timeout: DEMO_TIMEOUT_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain("http://127.0.0.1:");
  });
});
