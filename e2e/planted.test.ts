/** Faults as they are found at home, planted one by one: the diagnosis names each, and nothing on a healthy node. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckResult, Diagnosis } from "../src-shared/model/diagnosis.ts";
import { Higgsnode, INTERNET, LAN, type LabHost, nodeProgram, poll, requireLab } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

/** Two addresses of the lab's internet in place of the real one's. */
const TARGETS = [`${INTERNET.web.ipv4}:80`, `[${INTERNET.web.ipv6}]:80`];
const FOUND_WITHIN_MS = 20_000;

/** What the machine refused in the middle of a repair is tried again at the next check, half a minute later at most. */
const RUNNING_WITHIN_MS = 60_000;

interface Ran {
  code: number | null;
  diagnosis: Diagnosis;
}

interface Fault {
  title: string;
  id: string;
  plant: string;
  undo: string;
  outcome?: "warn" | "fail";
  /** What the check must say of it. */
  says?: RegExp;
}

describe.skipIf(!requireLab())("planted faults", () => {
  let sharing: Sharing;
  let host: LabHost;

  beforeAll(async () => {
    sharing = await Sharing.on();
    ({ host } = sharing.node);
    await sharing.node.mustRun(["settings", "set", `egressTargets=${JSON.stringify(TARGETS)}`]);
    await sharing.node.mustRun(["client", "add", "anna"]);
    await sharing.node.mustRun(["limit", "set", "anna", "--down", "10mbit", "--up", "5mbit"]);
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  function sh(script: string, on = host): Promise<string> {
    return on.mustExec(["sh", "-c", script]);
  }

  async function diagnose(node = sharing.node, before = ""): Promise<Ran> {
    const ran = await host.exec(["sh", "-c", `${before}\nexec "$@"`, "sh", ...node.command(["diagnose", "--json"])]);
    return { code: ran.code, diagnosis: JSON.parse(ran.stdout) as Diagnosis };
  }

  function find({ diagnosis }: Ran, id: string): CheckResult | undefined {
    return diagnosis.checks.find((check) => check.id === id);
  }

  function expectFound(ran: Ran, { id, outcome = "fail", says }: Pick<Fault, "id" | "outcome" | "says">): void {
    const check = find(ran, id);
    expect(check).toMatchObject({ id, outcome });
    expect(check?.fix).toBeTruthy();
    if (says !== undefined) expect(check?.detail).toMatch(says);
    expect(ran.code).toBe(ran.diagnosis.outcome === "fail" ? 1 : 0);
    if (outcome === "fail") expect(ran.code).toBe(1);
  }

  async function backToRunning(): Promise<void> {
    await poll(
      "the node to be running",
      async () => {
        const { phase } = await sharing.state();
        if (phase === "failed") await sharing.node.run(["on"]);
        return phase === "running" ? true : undefined;
      },
      { timeoutMs: RUNNING_WITHIN_MS, intervalMs: 100 },
    );
  }

  it("finds nothing wrong with a healthy node, in less than five seconds and with exit code 0", async () => {
    const ran = await diagnose();
    expect(ran.diagnosis.checks.filter(({ outcome }) => outcome === "fail" || outcome === "warn")).toEqual([]);
    expect(find(ran, "limits.applied")?.outcome).toBe("pass");
    expect(ran.code).toBe(0);
    // The time limit of a check is four seconds: none of a healthy node comes near it.
    expect(Math.max(...ran.diagnosis.checks.map(({ durationMs }) => durationMs))).toBeLessThan(4_000);
  });

  it("prints the same checks in the same order every time", async () => {
    const [first, second] = [await diagnose(), await diagnose()];
    const shape = ({ diagnosis }: Ran) => diagnosis.checks.map(({ id, group, title }) => ({ id, group, title }));
    expect(shape(second)).toEqual(shape(first));
    expect(Object.keys(first.diagnosis)).toEqual(["version", "finishedAt", "nodePhase", "outcome", "checks"]);
  });

  // The node repairs these by itself within a second: they are planted again until the diagnosis has ended.
  describe("that the node repairs", () => {
    const faults: Fault[] = [
      {
        title: "a rule of another program before ours, which drops",
        id: "firewall.guests4",
        plant: "iptables -D FORWARD -i higgs0 -j DROP; iptables -I FORWARD 1 -i higgs0 -j DROP",
        undo: "while iptables -D FORWARD -i higgs0 -j DROP; do :; done",
        says: /another program refuses it: filter FORWARD: -i higgs0 -j DROP/i,
      },
      {
        title: "Docker's chain before ours, which drops",
        id: "firewall.guests4",
        plant:
          "iptables -N DOCKER-USER && iptables -A DOCKER-USER -i higgs0 -j DROP; iptables -D FORWARD -j DOCKER-USER; iptables -I FORWARD 1 -j DOCKER-USER",
        undo: "iptables -D FORWARD -j DOCKER-USER; iptables -F DOCKER-USER; iptables -X DOCKER-USER",
        says: /Docker refuses it: filter DOCKER-USER: -i higgs0 -j DROP/,
      },
      {
        title: "ufw's policy, with our jump gone",
        id: "firewall.guests4",
        plant: "iptables -P FORWARD DROP; iptables -D FORWARD -j HIGGS-FORWARD",
        undo: "iptables -P FORWARD ACCEPT",
        says: /policy/,
      },
      {
        title: "the masquerade deleted",
        id: "nat.rules",
        plant: "iptables -t nat -F HIGGS-POSTROUTING",
        undo: "true",
        says: /MASQUERADE/,
      },
      {
        title: "forwarding switched off",
        id: "routing.forwarding",
        plant: "echo 0 > /proc/sys/net/ipv4/conf/higgs0/forwarding",
        undo: "true",
      },
      {
        title: "IPv6 forwarding switched off",
        id: "ipv6.forwarding",
        plant: "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
        undo: "true",
      },
      {
        title: "the tunnel interface down",
        id: "wireguard.interface",
        plant: "ip link set higgs0 down",
        undo: "true",
      },
      {
        title: "the limits taken out of the kernel",
        id: "limits.applied",
        plant: "tc qdisc del dev higgs0 root",
        undo: "true",
      },
    ];

    it.each(faults)("finds $title", async (fault) => {
      const again = `main=$$; (while kill -0 $main; do ${fault.plant}; sleep 0.08; done) > /dev/null 2>&1 &`;
      const ran = await poll(
        fault.title,
        async () => {
          const one = await diagnose(sharing.node, again);
          const check = find(one, fault.id);
          // What was read in the middle of a repair may name something else that was so for a moment.
          return check?.outcome === "fail" && (fault.says?.test(check.detail) ?? true) ? one : undefined;
        },
        { timeoutMs: FOUND_WITHIN_MS, intervalMs: 50 },
      );
      // The last of the planting must be over before it is undone.
      await sh(`sleep 0.5; ${fault.undo}; true`);
      expectFound(ran, fault);
      await backToRunning();
    });
  });

  describe("that last", () => {
    const faults: Fault[] = [
      {
        title: "a table of nftables that drops what is forwarded",
        id: "firewall.obstacles",
        plant: "nft add table inet x; nft 'add chain inet x f { type filter hook forward priority 0; policy drop; }'",
        undo: "nft delete table inet x",
        says: /inet x f/,
      },
      {
        title: "the same table in a guest's way",
        id: "firewall.guests4",
        plant: "nft add table inet y; nft 'add chain inet y f { type filter hook forward priority 0; policy drop; }'",
        undo: "nft delete table inet y",
        says: /nftables inet y f/,
      },
      {
        title: "no name server that answers",
        id: "dns.upstream",
        plant: "cp /etc/resolv.conf /run/resolv; echo 'nameserver 11.22.44.99' > /etc/resolv.conf",
        undo: "cp /run/resolv /etc/resolv.conf",
        says: /11\.22\.44\.99/,
      },
      {
        title: "an uplink that is too narrow for the tunnel",
        id: "mtu.link",
        outcome: "warn",
        plant: "ip link set eth0 mtu 1400",
        undo: "ip link set eth0 mtu 1500",
        says: /eth0 takes 1400 bytes/,
      },
      {
        title: "a data folder that others may read",
        id: "storage.permissions",
        plant: 'chmod 755 "$DATA"',
        undo: 'chmod 700 "$DATA"',
        outcome: "warn",
      },
    ];

    it.each(faults)("finds $title", async (fault) => {
      const data = `DATA=${sharing.node.dataFolder};`;
      await sh(`${data} ${fault.plant}`);
      try {
        expectFound(await diagnose(), fault);
      } finally {
        await sh(`${data} ${fault.undo}`);
      }
      await backToRunning();
    });

    it("finds a path on which large packets vanish without a word", async () => {
      const router = sharing.lab.host("router");
      await sh("ip link set wan mtu 1300; iptables -I OUTPUT -p icmp --icmp-type 3 -j DROP", router);
      try {
        expectFound(await diagnose(), { id: "mtu.path4", says: /More than 1280 bytes vanish/ });
      } finally {
        await sh("ip link set wan mtu 1500; iptables -D OUTPUT -p icmp --icmp-type 3 -j DROP", router);
      }
    });

    it("finds an internet that does not answer", async () => {
      const router = sharing.lab.host("router");
      await sh("iptables -I FORWARD -p tcp -j DROP", router);
      try {
        expectFound(await diagnose(), { id: "network.egress4", says: /Nothing answers/ });
      } finally {
        await sh("iptables -D FORWARD -p tcp -j DROP", router);
      }
      await backToRunning();
    });

    it("finds a relay that is not there", async () => {
      await sharing.node.mustRun(["settings", "set", 'relayServers=["wss://11.22.44.99"]']);
      expectFound(await diagnose(), { id: "relay.server", says: /No answer from wss:\/\/11\.22\.44\.99/ });
      await sharing.node.mustRun(["settings", "set", "relayServers=[]"]);
    });
  });

  describe("without a running node", () => {
    /** A node that never ran, with the lab's internet in its settings. */
    async function another(name: string, mount?: string): Promise<Higgsnode> {
      const folder = join(host.folder, name);
      mkdirSync(folder, { mode: 0o700 });
      if (mount !== undefined) await sh(`mount -t tmpfs -o ${mount} tmpfs ${folder}`);
      return new Higgsnode(host, folder);
    }

    beforeAll(async () => {
      await sharing.node.mustRun(["off"]);
      await sharing.node.stop();
    });

    it("finds the WireGuard port taken by another program", async () => {
      const taker = host.spawn([
        nodeProgram(),
        "-e",
        "const s = require('dgram').createSocket('udp4'); s.bind(51820, () => console.log('bound'))",
      ]);
      await taker.line((line) => line === "bound", FOUND_WITHIN_MS);
      expectFound(await diagnose(), { id: "wireguard.port", says: /51820/ });
      await taker.stop();
    });

    it("finds that there is no way to the internet", async () => {
      await sh("ip route del default");
      expectFound(await diagnose(), { id: "network.uplink4", says: /no default route/ });
      await sh(`ip route add default via ${LAN.router.ipv4} dev eth0`);
    });

    it("finds a guest network that is taken", async () => {
      const node = await another("conflict");
      writeFileSync(join(node.dataFolder, "settings.json"), '{"guestIpv4":"10.66.0.0/16","egressTargets":[]}');
      await sh("ip address add 10.66.1.1/24 dev eth0");
      expectFound(await diagnose(node), { id: "network.guest-prefix" });
      await sh("ip address del 10.66.1.1/24 dev eth0");
    });

    it("finds that wg is not installed", async () => {
      await sh("mount --bind /dev/null /usr/bin/wg");
      expectFound(await diagnose(), { id: "system.programs", says: /wg/ });
      await sh("umount /usr/bin/wg");
    });

    it("finds a data folder that cannot be written to", async () => {
      expectFound(await diagnose(await another("readonly", "ro,mode=0700")), { id: "system.storage" });
    });

    it("finds a disk that is full", async () => {
      expectFound(await diagnose(await another("full", "size=1m,mode=0700")), { id: "storage.space" });
    });

    it("finds a damaged database", async () => {
      const node = await another("damaged");
      writeFileSync(join(node.dataFolder, "settings.json"), '{"egressTargets":[]}');
      writeFileSync(
        join(node.dataFolder, "higgsnode.db"),
        "This is no database, and long enough to look at. ".repeat(99),
      );
      expectFound(await diagnose(node), { id: "storage.database" });
    });

    it("finds logs that should have been deleted, and those that hold whole addresses", async () => {
      const db = new DatabaseSync(join(sharing.node.dataFolder, "higgsnode.db"));
      db.exec(
        "INSERT INTO connection_log (ended_at, client, destination, port, protocol, exact) VALUES (1000, 'c', '192.0.2.1', 443, 'tcp', 1)",
      );
      db.close();
      const ran = await diagnose();
      expectFound(ran, { id: "privacy.retention", outcome: "warn", says: /^1 entries are older/ });
      expectFound(ran, { id: "privacy.anonymous", says: /^1 entries hold whole addresses/ });
    });

    it("says with exit code 2 that it could not run, where the settings cannot be read", async () => {
      const node = await another("unreadable");
      writeFileSync(join(node.dataFolder, "settings.json"), "{");
      const ran = await node.run(["diagnose", "--json"]);
      expect(ran.code).toBe(2);
      expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: "settings-invalid" } });
    });
  });
});
