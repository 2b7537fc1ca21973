import { describe, expect, it, vi } from "vitest";
import type { HiggsError } from "../../src-shared/result.ts";
import { launchElevated, type Prompt } from "./launch-elevated.ts";

const HELPER = "/opt/HiggsNode/resources/helper.mjs";
const NODE = "/usr/bin/node";

function launchWith(error: Error | undefined): { command: string; name: string; complaint: HiggsError | undefined } {
  const seen = { command: "", name: "", complaint: undefined as HiggsError | undefined };
  const prompt: Prompt = (command, { name }, done) => {
    Object.assign(seen, { command, name });
    done(error);
  };
  launchElevated(
    HELPER,
    (complaint) => {
      seen.complaint = complaint;
    },
    prompt,
    NODE,
  );
  return seen;
}

describe("launchElevated", () => {
  it("gives the root shell the same text whatever the environment says", () => {
    const before = { ...process.env };
    const plain = launchWith(undefined).command;
    Object.assign(process.env, { HIGGS_STATE_DIR: "/tmp/$(id)", NODE_OPTIONS: "--require=/tmp/x", USER: "`id`" });
    try {
      expect(launchWith(undefined).command).toBe(plain);
    } finally {
      process.env = before;
    }
    expect(plain).toBe(`"${NODE}" "${HELPER}"`);
    expect(launchWith(undefined).name).toBe("HiggsNode");
  });

  it("has nothing to complain of when the helper ends well", () => {
    expect(launchWith(undefined).complaint).toBeUndefined();
  });

  it.each([
    ["User did not grant permission.", "permission-refused"],
    ["No polkit authentication agent found.", "permission-refused"],
    ["Command failed: /bin/bash\nsecond line", "helper-not-started"],
  ])("says of %j that it is %s", (message, code) => {
    const { complaint } = launchWith(new Error(message));
    expect(complaint?.code).toBe(code);
    expect(complaint?.message).not.toContain("\n");
  });

  it.each([
    '/opt/a"; reboot; "/helper.mjs',
    "/opt/$(reboot)/helper.mjs",
    "/opt/`reboot`/helper.mjs",
    "/opt/a\\",
    "/opt/a\nreboot",
    "/opt/a;b",
    "/opt/a'b",
    "/opt/a%PATH%",
    "/opt/a!b",
    "--eval",
    "helper.mjs",
    "../helper.mjs",
    "",
  ])("asks for no permission for a helper at %j", (path) => {
    const prompt = vi.fn();
    const onExit = vi.fn();
    expect(launchElevated(path, onExit, prompt, NODE)).toMatchObject({ error: { code: "helper-path-unsafe" } });
    expect(launchElevated(HELPER, onExit, prompt, path)).toMatchObject({ error: { code: "helper-path-unsafe" } });
    expect(prompt).not.toHaveBeenCalled();
    expect(onExit).not.toHaveBeenCalled();
  });
});
