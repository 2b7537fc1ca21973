import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HelperParams, HelperResult, HelperVerb } from "../../src-shared/helper/protocol.ts";
import { diagnosisSchema } from "../../src-shared/model/diagnosis.ts";
import { fail, ok, type Result, unwrap } from "../../src-shared/result.ts";
import { CAPABILITIES, INSPECTION } from "../node/testing/fake-machine.ts";
import { HOME } from "../routing/testing/observation.ts";
import { allChecks } from "./all-checks.ts";
import { diagnoseOffline, type OfflineOptions } from "./offline.ts";

/** Asks the resolvers of the machine that runs the tests, which is no business of a unit test. */
const checks = allChecks.filter(({ id }) => id !== "network.dns" && id !== "dns.upstream");

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "higgs-offline-"));
  writeFileSync(join(dataDir, "settings.json"), '{"egressTargets":[]}');
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

type Answers = Partial<{ [V in HelperVerb]: Result<unknown> }>;

function helper(answers: Answers) {
  const calls: string[] = [];
  return {
    calls,
    disposed: 0,
    async call<V extends HelperVerb>(verb: V, _params: HelperParams<V>): Promise<Result<HelperResult<V>>> {
      calls.push(verb);
      return (answers[verb] ?? fail("not-permitted", "This needs root.", "Run it with sudo.")) as Result<
        HelperResult<V>
      >;
    },
    dispose() {
      this.disposed++;
    },
  };
}

const SEEN: Answers = { capabilities: ok(CAPABILITIES), observe: ok(HOME), "inspect-firewall": ok(INSPECTION) };

async function diagnose(from: NonNullable<OfflineOptions["helper"]>) {
  const diagnosis = unwrap(await diagnoseOffline({ dataDir, helper: from, checks }));
  diagnosisSchema.parse(diagnosis);
  return diagnosis;
}

describe("diagnose without a node", () => {
  it("looks at the machine and changes nothing, and skips what only a node that shares has", async () => {
    const root = helper(SEEN);
    const diagnosis = await diagnose(root);
    expect(diagnosis.nodePhase).toBeNull();
    expect([...root.calls].sort()).toEqual(["capabilities", "inspect-firewall", "observe", "read-firewall"]);
    expect(root.disposed).toBe(1);
    const outcomeOf = (id: string) => diagnosis.checks.find((check) => check.id === id)?.outcome;
    expect(outcomeOf("system.privileges")).toBe("pass");
    expect(outcomeOf("network.uplink4")).toBe("pass");
    expect(outcomeOf("nat.rules")).toBe("skipped");
    expect(outcomeOf("wireguard.interface")).toBe("skipped");
  });

  it("fails the privileges of somebody who is not root, and skips what only root can see", async () => {
    const diagnosis = await diagnose(helper({}));
    expect(diagnosis.outcome).toBe("fail");
    const byOutcome = (outcome: string) =>
      diagnosis.checks.filter((check) => check.outcome === outcome).map(({ id }) => id);
    expect(byOutcome("fail")).toEqual(["system.privileges"]);
    const seenByEverybody = [
      "privacy.anonymous",
      "privacy.permitted",
      "privacy.retention",
      "storage.database",
      "storage.permissions",
      "storage.space",
      "system.clock",
      "system.storage",
    ];
    expect(byOutcome("pass").sort()).toEqual(seenByEverybody);
    expect(byOutcome("skipped")).toHaveLength(checks.length - seenByEverybody.length - 1);
  });

  it.each(["observe", "inspect-firewall"] as const)("is not content with half of root's view: no %s", async (verb) => {
    const diagnosis = await diagnose(helper({ ...SEEN, [verb]: fail("helper-timeout", "It did not answer.") }));
    expect(diagnosis.checks.find(({ id }) => id === "system.privileges")).toMatchObject({
      outcome: "fail",
      detail: "It did not answer.",
    });
  });

  it("does not begin over settings that cannot be read", async () => {
    writeFileSync(join(dataDir, "settings.json"), "{");
    const root = helper(SEEN);
    expect(await diagnoseOffline({ dataDir, helper: root, checks })).toMatchObject({
      ok: false,
      error: { code: "settings-invalid" },
    });
    expect(root.calls).toEqual([]);
  });
});
