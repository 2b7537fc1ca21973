import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { type HealthEvent, type HealthFactCode, healthHistorySchema } from "../../src-shared/model/health.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import type { RecoveryLine } from "../node/recovery-ladder.ts";
import { NodeRig, settled } from "../node/testing/node-rig.ts";
import { migrate } from "../storage/migrations.ts";
import { joinHealth } from "./join-health.ts";

const SILENT: HealthVerdict = { state: "bad", error: { code: "dns-silent", message: "Nobody answers." } };
const UNRESOLVED: HealthVerdict = { state: "bad", error: { code: "dns-no-resolver", message: "No resolver." } };

function joined() {
  const rig = new NodeRig();
  const { clock } = rig;
  const db = new DatabaseSync(":memory:");
  migrate(db);
  const acted: string[] = [];
  const recorded: HealthEvent[] = [];
  const answers: { dns: HealthVerdict; egressIpv4: HealthVerdict } = {
    dns: { state: "good" },
    egressIpv4: { state: "good" },
  };
  const health = joinHealth({
    clock,
    random: () => 0.5,
    logger: silentLogger(),
    db,
    dataDir: "/nowhere",
    node: rig.node,
    helper: rig.helper,
    settings: () => DEFAULT_SETTINGS,
    portMapping: () => ({ state: "off" }),
    reachability: () => ({ state: "unknown", reason: { code: "no-relay", message: "No relay." } }),
    relay: () => ({ state: "off" }),
    repairs: {
      remap: async () => void acted.push("remap"),
      reconnect: () => void acted.push("reconnect"),
      rebind: async () => void acted.push("rebind"),
    },
    uptimeMs: () => clock.monotonicMs(),
    probes: {
      dns: async () => answers.dns,
      egressIpv4: async () => answers.egressIpv4,
      egressIpv6: async () => ({ state: "off" }),
      disk: async () => ({ state: "good" }),
    },
    onChange: () => {},
    onRecorded: (event) => void recorded.push(event),
  });
  // As the composition root joins the two.
  rig.onRecovery = (line: RecoveryLine) => health.noteRecovery(line);
  const stateOf = (code: HealthFactCode) => health.manager.state.facts.find((fact) => fact.code === code)?.state;
  return { rig, clock, db, health, acted, recorded, answers, stateOf };
}

describe("health joined to a node", () => {
  it("is off, then good, then off again with sharing", async () => {
    const { rig, clock, health } = joined();
    expect(health.manager.state.overall).toBe("off");
    await rig.node.on();
    await clock.advance(1_000);
    expect(health.manager.state.overall).toBe("good");
    await rig.node.off();
    expect(health.manager.state.overall).toBe("off");
    expect(clock.pending).toBe(0);
  });

  it("records what the node repaired, from the fault to the repair", async () => {
    const { rig, health, recorded } = joined();
    await rig.node.on();
    rig.helper.distort = (seen) => {
      rig.helper.distort = (next) => next;
      return { ...seen, firewall: { ...seen.firewall, ipv4: { state: "absent" } } };
    };
    await rig.node.settle();
    expect(recorded.map(({ kind, fact }) => [kind, fact])).toEqual([
      ["unhealthy", "nat"],
      ["recovery-step", "nat"],
      ["recovered", "nat"],
      ["healthy", "nat"],
    ]);
    const context = { signal: new AbortController().signal };
    const history = await health.handlers["health.history"]({ limit: 10 }, context);
    expect(healthHistorySchema.parse(history).events).toEqual([...recorded].reverse());
  });

  it("finds by itself, within a check, what no event told of", async () => {
    const { rig, clock } = joined();
    await rig.node.on();
    rig.clients = 3;
    await clock.advance(30_000);
    await settled();
    expect(rig.helper.applied?.wireguard.peers).toHaveLength(3);
  });

  it("shows a lost helper as such, and nothing good that nobody can see", async () => {
    const { rig, clock, health, stateOf } = joined();
    await rig.node.on();
    rig.helper.refusal = { code: "helper-not-started", message: "It does not start." };
    rig.helper.lose();
    await settled();
    await clock.advance(3_000);
    await settled();
    expect(health.manager.state.overall).toBe("bad");
    expect(stateOf("helper")).toBe("bad");
    expect(stateOf("nat")).toBe("unknown");
    expect(health.manager.state.recovery.state).toBe("waiting");
  });

  it("opens the name service anew where it is silent, and not where resolvers are", async () => {
    const { rig, clock, health, acted, answers } = joined();
    await rig.node.on();
    answers.dns = UNRESOLVED;
    await health.manager.check();
    await clock.advance(20_000);
    expect(acted).toEqual([]);
    answers.dns = SILENT;
    await health.manager.check();
    await clock.advance(1_000);
    expect(acted[0]).toBe("rebind");
  });

  it("looks for another way out when the internet does not answer", async () => {
    const { rig, clock, answers, health, recorded } = joined();
    await rig.node.on();
    answers.egressIpv4 = { state: "bad", error: { code: "egress-no-answer", message: "Nobody answers." } };
    await health.manager.check();
    const before = rig.helper.count("observe");
    await clock.advance(15_000);
    await settled();
    expect(rig.helper.count("observe")).toBeGreaterThan(before);
    expect(recorded).toContainEqual(
      expect.objectContaining({ kind: "recovery-step", fact: "egressIpv4", step: "replan" }),
    );
    expect(rig.helper.count("apply")).toBe(1);
  });

  it("saves the uptime when it is closed, and stops", async () => {
    const { rig, clock, db, health } = joined();
    await rig.node.on();
    await clock.advance(10_000);
    health.close();
    health.close();
    expect(Number(db.prepare("SELECT sum(working_ms) AS ms FROM uptime_days").get()?.ms)).toBeGreaterThan(5_000);
    await rig.node.dispose();
    expect(clock.pending).toBe(0);
  });
});
