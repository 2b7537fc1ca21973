import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeProgram, requireLab } from "./support.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/lab.mjs");

function lab(...argv: string[]) {
  return spawnSync(nodeProgram(), [SCRIPT, ...argv], { encoding: "utf8", timeout: 60_000 });
}

describe.skipIf(!requireLab())("npm run lab", () => {
  it("runs a command in a host and ends with its status, options of the command left to the command", () => {
    const result = lab(
      "--topology",
      "cgnat",
      "exec",
      "isp",
      "sh",
      "-c",
      "uname -n; ip -br address show dev wan; exit 7",
    );
    expect(result.stdout).toMatch(/^isp\nwan@\S+ +UP +11\.22\.33\.2\/24/);
    expect(result.status).toBe(7);
  });

  it("brings up as many guests as it is asked for", () => {
    expect(lab("--guests", "2", "exec", "guest2", "uname", "-n").stdout).toBe("guest2\n");
  });

  it("names the hosts there are when asked for another", () => {
    const result = lab("exec", "fridge", "true");
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^lab: the lab has no host fridge, it has .*neighbour/);
  });
});
