import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Diagnosis } from "../../src-shared/model/diagnosis.ts";
import { fail, ok } from "../../src-shared/result.ts";
import { FAKE_CHECKS, FAKE_EXIT, FAKE_NOW } from "../ipc/testing/fake-node.ts";
import { CliHarness } from "./testing/cli-harness.ts";

let cli: CliHarness;
beforeEach(async () => {
  cli = await CliHarness.create();
});
afterEach(() => cli.dispose());

const OFFLINE: Diagnosis = {
  version: "1.2.3",
  finishedAt: FAKE_NOW,
  nodePhase: null,
  outcome: "pass",
  checks: FAKE_CHECKS.filter((check) => check.outcome !== "fail"),
};

describe("higgsnode diagnose", () => {
  it("asks the running node, groups its checks, and exits with 1 where one failed", async () => {
    await cli.serve();
    const { code, out, err } = await cli.run("diagnose");
    expect([code, err]).toEqual([1, ""]);
    expect(out).toMatchInlineSnapshot(`
      "System requirements
        ok    May change the network

      WireGuard
        FAIL  WireGuard tools are installed
              wg was not found in PATH
              To fix: apt install wireguard-tools

      Address translation (NAT)
        skip  Guests are masqueraded
              sharing is off

      3 checks: 1 passed, 0 with a warning, 1 failed, 1 skipped. The node is stopped.
      "
    `);
  });

  it("shows what every check measured with --verbose", async () => {
    await cli.serve();
    expect((await cli.run("diagnose", "--verbose")).out).toContain(
      "  ok    May change the network (1 ms)\n        root\n",
    );
  });

  it("exits with 0 where every check passed, also when some were skipped", async () => {
    await cli.serve();
    cli.node.diagnosis = OFFLINE.checks;
    expect((await cli.run("diagnose")).code).toBe(0);
  });

  it("gives the whole diagnosis as JSON", async () => {
    await cli.serve();
    const { code, out } = await cli.run("diagnose", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ outcome: "fail", nodePhase: "stopped", checks: FAKE_CHECKS });
  });

  it("shows its progress where somebody watches", async () => {
    await cli.serve();
    cli.stderrIsTerminal = true;
    expect((await cli.run("diagnose")).err).toBe(
      "[1/3] May change the network\n[2/3] WireGuard tools are installed\n[3/3] Guests are masqueraded\n",
    );
  });

  it("runs by itself where no node runs", async () => {
    const asked: unknown[] = [];
    cli.parts = {
      ...cli.parts,
      diagnoseOffline: async ({ dataDir, helperPath }) => {
        asked.push({ dataDir, helperPath });
        return ok(OFFLINE);
      },
    };
    const { code, out } = await cli.run("diagnose", "--helper", "/opt/other.mjs");
    expect(code).toBe(0);
    expect(out).toContain("No node is running.");
    expect(asked).toEqual([{ dataDir: cli.dataDir, helperPath: "/opt/other.mjs" }]);
  });

  it("exits with 2 where it could not run", async () => {
    cli.parts = { ...cli.parts, diagnoseOffline: async () => fail("helper-missing", "there is no helper") };
    expect(await cli.run("diagnose")).toEqual({ code: 2, out: "", err: "higgsnode: there is no helper.\n" });
  });
});

describe("higgsnode restore-network", () => {
  it("says what was undone", async () => {
    cli.parts = {
      ...cli.parts,
      restoreNetwork: async () =>
        ok({ undone: ["interface higgs0 removed", "net.ipv4.ip_forward set to 0"], failed: [] }),
    };
    expect(await cli.run("restore-network")).toEqual({
      code: 0,
      out: "Undone:\n  interface higgs0 removed\n  net.ipv4.ip_forward set to 0\n",
      err: "",
    });
  });

  it("says that nothing was left", async () => {
    cli.parts = { ...cli.parts, restoreNetwork: async () => ok({ undone: [], failed: [] }) };
    expect(await cli.run("restore-network")).toMatchObject({ code: 0, out: "Nothing was left to undo.\n" });
    expect(JSON.parse((await cli.run("restore-network", "--json")).out)).toEqual({ undone: [], failed: [] });
  });

  it("exits with 1 where something could not be undone", async () => {
    cli.parts = { ...cli.parts, restoreNetwork: async () => ok({ undone: [], failed: ["table nat: busy"] }) };
    expect(await cli.run("restore-network")).toMatchObject({
      code: 1,
      out: "Could not be undone:\n  table nat: busy\n",
    });
  });

  it("exits with 4 where permission is refused", async () => {
    cli.parts = { ...cli.parts, restoreNetwork: async () => fail("permission-refused", "refused") };
    expect((await cli.run("restore-network")).code).toBe(4);
  });

  it("leaves a sharing node's network alone", async () => {
    await cli.serve();
    cli.node.setPhase({ phase: "running", since: FAKE_NOW, exit: FAKE_EXIT });
    expect(await cli.run("restore-network")).toEqual({
      code: 1,
      out: "",
      err: "higgsnode: a node is sharing, and its network is its own. Turn it off with: higgsnode off\n",
    });
  });

  it("cleans up beside a node that does not share", async () => {
    await cli.serve();
    cli.parts = { ...cli.parts, restoreNetwork: async () => ok({ undone: ["interface higgs0 removed"], failed: [] }) };
    expect((await cli.run("restore-network")).code).toBe(0);
  });
});
