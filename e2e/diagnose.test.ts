import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis } from "../src-shared/model/diagnosis.ts";
import { Higgsnode, INTERNET, NetworkSnapshot, poll, requireLab } from "./lab/index.ts";
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
    expect(outcomes(diagnosis, "skipped")).toEqual([]);
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

  // The node repairs such things by itself, so that a fault may be gone before it is looked at: it is planted again then.
  it.each([
    ["a rule of ours deleted", "iptables -t nat -F HIGGS-POSTROUTING", "nat.rules"],
    ["forwarding switched off", "echo 0 > /proc/sys/net/ipv4/conf/eth0/forwarding", "routing.forwarding"],
    ["the firewall flushed", "iptables -F HIGGS-GUEST", "firewall.rules"],
    ["a dropping rule before ours", "iptables -I FORWARD -i higgs0 -j DROP", "firewall.rules"],
    [
      "a nftables table that drops",
      "nft add table inet x; nft 'add chain inet x f { type filter hook forward priority 0; policy drop; }'",
      "firewall.obstacles",
    ],
    ["no resolver", "echo 'nameserver 11.22.44.99' > /etc/resolv.conf", "network.dns"],
  ])("names %s", async (_, command, id) => {
    const { host } = sharing.node;
    const resolvers = await host.readFile("/etc/resolv.conf");
    const { code, diagnosis } = await poll(
      `a diagnosis that names ${id}`,
      async () => {
        await host.mustExec(["sh", "-c", command]);
        const found = await diagnose();
        return outcomes(found.diagnosis, "fail").includes(id) ? found : undefined;
      },
      { timeoutMs: 20_000, intervalMs: 100 },
    );
    await host.mustExec([
      "sh",
      "-c",
      "while iptables -D FORWARD -i higgs0 -j DROP; do :; done; nft delete table inet x; true",
    ]);
    await host.writeFile("/etc/resolv.conf", resolvers);
    const found = diagnosis.checks.find((check) => check.id === id);
    expect(found?.fix).toBeTruthy();
    expect(code).toBe(1);
    await sharing.node.mustRun(["off"]);
    await sharing.node.mustRun(["on"]);
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
