/** The commands around the diagnosis: trace, self-test, report. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SelfTest } from "../../src-shared/model/diagnosis.ts";
import type { FirewallTrace } from "../../src-shared/model/firewall-trace.ts";
import { fail, ok } from "../../src-shared/result.ts";
import { selfTestText } from "./self-test.ts";
import { CliHarness } from "./testing/cli-harness.ts";
import { traceText } from "./trace.ts";

const BLOCKED: FirewallTrace = {
  verdict: "blocked",
  reason: "ufw refuses it: filter ufw-reject-forward: -j REJECT",
  fix: "Let guests through: sudo ufw route allow in on higgs0",
  steps: [
    { place: "route", rule: "dev eth0", owner: "kernel", effect: "passes" },
    { place: "filter ufw-reject-forward", rule: "-j REJECT", owner: "ufw", effect: "rejects" },
  ],
  probe: { outcome: "refused", detail: "A temporary guest was told: EHOSTUNREACH." },
};

let cli: CliHarness;

beforeEach(async () => {
  cli = await CliHarness.create();
});

afterEach(() => cli.dispose());

describe("higgsnode diagnose trace", () => {
  it("asks the node, and exits with 0 where the packet gets through", async () => {
    await cli.serve();
    const { code, out } = await cli.run("diagnose", "trace", "anna", "[2001:db8::80]:443", "--udp");
    expect(code).toBe(0);
    expect(out).toMatch(/^It gets out of this computer, by the rules\. Nothing stands in the way\./);
    expect(cli.node.calls).toContain("diagnose.trace");
    expect(JSON.parse((await cli.run("diagnose", "trace", "anna", "192.0.2.1:443", "--json")).out).verdict).toBe(
      "passes",
    );
  });

  it.each(["example.org:443", "192.0.2.1", "192.0.2.1:0", "2001:db8::80:443:"])(
    "takes no %s for an address with its port",
    async (to) => {
      expect((await cli.run("diagnose", "trace", "anna", to)).code).toBe(2);
    },
  );

  it("needs a running node", async () => {
    expect((await cli.run("diagnose", "trace", "anna", "192.0.2.1:443")).code).toBe(3);
  });

  it("promises no more of a packet than a real one has met", () => {
    const passing = (outcome: "answered" | "refused" | "silence" | "not-sent") =>
      traceText({ ...BLOCKED, verdict: "passes", probe: { outcome, detail: "" } });
    expect(passing("answered")).toMatch(/^It gets through\./);
    expect(passing("refused")).toMatch(/^It gets out of this computer, and is refused further on\./);
    expect(passing("silence")).toMatch(/nobody answers\.[\s\S]*A real packet: not answered\./);
    expect(passing("not-sent")).toMatch(/^It gets out of this computer, by the rules\./);
  });

  it("says what decides, what to do, and what a real packet met", () => {
    expect(traceText(BLOCKED).split("\n")).toEqual([
      "It does not get through. ufw refuses it: filter ufw-reject-forward: -j REJECT",
      "To fix: Let guests through: sudo ufw route allow in on higgs0",
      "",
      "On its way:",
      "  passes     route: dev eth0  (kernel)",
      "  rejects    filter ufw-reject-forward: -j REJECT  (ufw)",
      "",
      "A real packet: refused. A temporary guest was told: EHOSTUNREACH.",
    ]);
  });
});

describe("higgsnode self-test", () => {
  const FAILED: SelfTest = {
    outcome: "fail",
    finishedAt: "2026-07-01T00:00:00.000Z",
    steps: [{ stage: "handshake", outcome: "fail", detail: "Nobody answered.", durationMs: 7_000 }],
  };

  it("exits with 0 where a guest gets what it needs, and with 3 where no node runs", async () => {
    expect((await cli.run("self-test")).code).toBe(3);
    await cli.serve();
    const { code, out } = await cli.run("self-test", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out).outcome).toBe("pass");
  });

  it("names the stage that failed", () => {
    expect(selfTestText(FAILED)).toContain("FAIL  Handshake");
    expect(selfTestText(FAILED)).toContain("A guest does not get what it needs.");
  });
});

describe("higgsnode report", () => {
  const REPORT = { createdAt: "2026-07-01T00:00:00.000Z", json: '{"a":1}\n', text: "HiggsNode report\n" };

  it("prints words or JSON, of a running node and without one", async () => {
    cli.parts = { ...cli.parts, reportOffline: async () => ok(REPORT) };
    expect(await cli.run("report")).toMatchObject({ code: 0, out: REPORT.text });
    expect(await cli.run("report", "--json")).toMatchObject({ code: 0, out: REPORT.json });
    await cli.serve();
    expect(await cli.run("report", "--json")).toMatchObject({ code: 0, out: "{}" });
  });

  it("writes a file for its owner alone, and never over another one", async () => {
    cli.parts = { ...cli.parts, reportOffline: async () => ok(REPORT) };
    const file = path.join(cli.dataDir, "report.txt");
    expect(await cli.run("report", "--out", file)).toMatchObject({ code: 0, out: "" });
    expect(readFileSync(file, "utf8")).toBe(REPORT.text);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await cli.run("report", "--out", file)).toMatchObject({
      code: 1,
      err: expect.stringContaining("there is such a file already"),
    });
  });

  it("says why there is none", async () => {
    cli.parts = { ...cli.parts, reportOffline: async () => fail("settings-invalid", "The settings cannot be read.") };
    expect(await cli.run("report")).toMatchObject({ code: 1, err: "higgsnode: The settings cannot be read.\n" });
  });
});
