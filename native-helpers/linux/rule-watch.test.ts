import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src-shared/clock.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { LOOK_EVERY_MS, RuleWatch } from "./rule-watch.ts";
import type { Run } from "./run.ts";

const NFT_IPTABLES = "iptables v1.8.9 (nf_tables)\n";
const LEGACY_IPTABLES = "iptables v1.8.9 (legacy)\n";

function iptables(version: string): Run {
  return async () => ({ code: 0, stdout: version, stderr: "", missing: false });
}

describe("a watch over our firewall rules", () => {
  let folder: string;
  let watch: RuleWatch | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "higgs-rule-watch-"));
  });
  afterEach(() => {
    watch?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function script(text: string): readonly [string, ...string[]] {
    const path = join(folder, "monitor.sh");
    writeFileSync(path, text);
    return ["sh", path];
  }

  async function until(what: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + 10_000;
    while (!what()) {
      if (performance.now() > deadlineMs) throw new Error("waited in vain");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it("hears of our rules, and of nothing that others do to theirs a thousand times", async () => {
    const marker = join(folder, "others-are-done");
    const others = "for i in $(seq 1000); do echo add rule inet f2b c ip saddr 10.0.0.$i drop; done";
    const command = script(
      `${others}\n: > ${marker}\nwhile [ ! -e ${folder}/go ]; do sleep 0.01; done\necho delete rule ip nat HIGGS-POSTROUTING handle 5\nexec sleep 60\n`,
    );
    let heard = 0;
    watch = new RuleWatch({
      clock: systemClock,
      run: iptables(NFT_IPTABLES),
      isAsPlanned: async () => true,
      onChange: () => heard++,
      command,
    });
    await until(() => existsSync(marker));
    expect(heard).toBe(0);
    writeFileSync(join(folder, "go"), "");
    await until(() => heard === 1);
  });

  it("starts a program that ended again, and takes what was missed for a change", async () => {
    const clock = new FakeClock();
    let heard = 0;
    watch = new RuleWatch({
      clock,
      run: iptables(NFT_IPTABLES),
      isAsPlanned: async () => true,
      onChange: () => heard++,
      command: script("exit 0\n"),
    });
    // The restart, and the look that stands in for it until then.
    await until(() => clock.pending === 2);
    await clock.advance(1_000);
    await until(() => heard === 1);
  });

  it.each([
    ["iptables is of the kind that announces nothing", LEGACY_IPTABLES, "exec sleep 60\n"],
    ["nft cannot be run", NFT_IPTABLES, undefined],
  ])("looks from time to time where %s, and tells of a difference once", async (_, version, text) => {
    const clock = new FakeClock();
    let planned = true;
    let looks = 0;
    let heard = 0;
    watch = new RuleWatch({
      clock,
      run: iptables(version),
      isAsPlanned: async () => {
        looks++;
        return planned;
      },
      onChange: () => heard++,
      command: text === undefined ? [join(folder, "no-such-program")] : script(text),
    });
    await until(() => clock.pending > 0);
    await clock.advance(LOOK_EVERY_MS);
    expect(looks).toBeGreaterThan(0);
    expect(heard).toBe(0);
    planned = false;
    await clock.advance(10 * LOOK_EVERY_MS);
    expect(heard).toBe(1);
    planned = true;
    await clock.advance(LOOK_EVERY_MS);
    planned = false;
    await clock.advance(LOOK_EVERY_MS);
    expect(heard).toBe(2);
    watch.stop();
    watch.stop();
    expect(clock.pending).toBe(0);
  });
});
