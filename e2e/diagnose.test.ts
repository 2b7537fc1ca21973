import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis } from "../src-shared/model/diagnosis.ts";
import { Higgsnode, INTERNET, NetworkSnapshot, requireLab } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

/** Two addresses of the lab's internet in place of the real one's. */
const TARGETS = `egressTargets=${JSON.stringify([`${INTERNET.web.ipv4}:80`, `[${INTERNET.web.ipv6}]:80`])}`;

describe.skipIf(!requireLab())("diagnose", () => {
  let sharing: Sharing;

  beforeAll(async () => {
    sharing = await Sharing.on();
    await sharing.node.mustRun(["settings", "set", TARGETS]);
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  async function diagnose(node: Higgsnode = sharing.node): Promise<{ code: number | null; diagnosis: Diagnosis }> {
    const ran = await node.run(["diagnose", "--json"]);
    return { code: ran.code, diagnosis: JSON.parse(ran.stdout) as Diagnosis };
  }

  function outcomes(diagnosis: Diagnosis, outcome: string): string[] {
    return diagnosis.checks.filter((check) => check.outcome === outcome).map(({ id }) => id);
  }

  it("finds nothing wrong with a healthy node, exit code 0", async () => {
    const { code, diagnosis } = await diagnose();
    expect(outcomes(diagnosis, "fail")).toEqual([]);
    expect(outcomes(diagnosis, "warn")).toEqual([]);
    // The router forwards by hand, the owner has named the endpoint, and no relay is set.
    expect(outcomes(diagnosis, "skipped")).toEqual([
      "reachability.mapping",
      "reachability.outside",
      "reachability.nat-path",
      "relay.link",
      "relay.latency",
      "relay.server",
      "relay.certificate",
      "ipv6.way-in",
      "limits.applied",
    ]);
    expect(code).toBe(0);
  });

  it("changes nothing, with and without a running node", async () => {
    const { host } = sharing.node;
    const before = await NetworkSnapshot.take(host);
    await diagnose();
    await diagnose(new Higgsnode(host, `${host.folder}/no-node`));
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(host))).toEqual([]);
    expect((await sharing.state()).phase).toBe("running");
  });

  it("looks at the machine without a running node, and says which checks it did not run", async () => {
    const { host } = sharing.node;
    await sharing.node.mustRun(["off"]);
    await sharing.node.stop();
    const before = await NetworkSnapshot.take(host);
    const { code, diagnosis } = await diagnose();
    expect(code).toBe(0);
    expect(diagnosis.nodePhase).toBeNull();
    expect(outcomes(diagnosis, "pass")).toEqual(
      expect.arrayContaining(["system.privileges", "network.dns", "network.egress4"]),
    );
    expect(outcomes(diagnosis, "skipped")).toEqual(
      expect.arrayContaining(["wireguard.interface", "nat.rules", "firewall.rules"]),
    );
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(host))).toEqual([]);
  });

  it("as an ordinary user fails the privileges and skips what only root can see", async () => {
    const { host } = sharing.node;
    // The lab's own folder is root's alone.
    const folder = "/run/somebody";
    await host.mustExec(["install", "-d", "-o", "65534", folder]);
    const node = new Higgsnode(host, folder);
    const command = [
      "setpriv",
      "--reuid",
      "65534",
      "--regid",
      "65534",
      "--clear-groups",
      ...node.command(["diagnose", "--json"]),
    ];
    const ran = await host.exec(command);
    const diagnosis = JSON.parse(ran.stdout) as Diagnosis;
    expect(outcomes(diagnosis, "fail")).toContain("system.privileges");
    expect(outcomes(diagnosis, "skipped")).toEqual(
      expect.arrayContaining(["system.wireguard", "nat.support", "firewall.owners"]),
    );
    expect(ran.code).toBe(1);
  });
});
