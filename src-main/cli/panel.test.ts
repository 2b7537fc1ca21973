import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSecret } from "./read-secret.ts";
import { CliHarness } from "./testing/cli-harness.ts";

let cli: CliHarness;

beforeEach(async () => {
  cli = await CliHarness.create();
});
afterEach(async () => {
  await cli.node.privacy.close();
  await cli.dispose();
});

describe("higgsnode panel password", () => {
  it("keeps the hash of what stdin holds, for its owner alone, without a running node", async () => {
    cli.secret = "correct horse battery";
    expect((await cli.run("panel", "password")).code).toBe(0);
    const file = path.join(cli.dataDir, "panel-password");
    expect(readFileSync(file, "utf8")).toMatch(/^scrypt:/);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("refuses one that is too short, and keeps nothing", async () => {
    cli.secret = "short";
    const { code, err } = await cli.run("panel", "password");
    expect(code).toBe(1);
    expect(err).toContain("at least 10 characters");
    expect(existsSync(path.join(cli.dataDir, "panel-password"))).toBe(false);
  });
});

describe("higgsnode start --panel-listen", () => {
  it("does not begin beyond this computer without encryption, or without a password", async () => {
    const open = await cli.run("start", "--panel-listen", "192.0.2.1:8443");
    expect(open).toMatchObject({ code: 1, out: "" });
    expect(open.err).toContain("--panel-insecure");
    const { err } = await cli.run("start", "--panel-listen", "192.0.2.1:8443", "--panel-insecure");
    expect(err).toContain("higgsnode panel password");
  });

  it("takes an address with a port, and not both that and --panel-port", async () => {
    expect((await cli.run("start", "--panel-listen", "example.org:80")).code).toBe(2);
    expect((await cli.run("start", "--panel-listen", "127.0.0.1:80", "--panel-port", "81")).code).toBe(2);
  });
});

describe("a secret from a pipe", () => {
  it.each([
    ["its first line", ["one\ntwo\n"], "one"],
    ["a line that comes in pieces, with a carriage return", ["on", "e\r", "\n"], "one"],
    ["what there is where no line ends", ["one"], "one"],
    ["nothing where nothing comes", [], ""],
  ])("is %s", async (_what, chunks, expected) => {
    const input = new PassThrough();
    for (const chunk of chunks) input.write(chunk);
    input.end();
    const shown = new PassThrough();
    expect(await readSecret(input, shown, "Password: ")).toBe(expected);
    expect(shown.read()).toBeNull();
  });

  it("is not read to its end where it never ends", async () => {
    const input = new PassThrough();
    input.write("x".repeat(10_000));
    expect(await readSecret(input, new PassThrough(), "")).toHaveLength(4_096);
  });
});
