import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { sampleIpv4Spec, samplePeer, sampleSpec, validSpecs } from "../../src-shared/testing/sample-spec.ts";
import { Journal } from "../journal.ts";
import { FakeOs, type FakeProcess, type Mishap } from "../testing/fake-os.ts";
import { LinuxBackend } from "./linux-backend.ts";

let os: FakeOs;
let usedPorts: Set<number>;
const others: FakeOs[] = [];

beforeEach(() => {
  os = new FakeOs();
  usedPorts = new Set();
});

afterEach(() => {
  os.dispose();
  for (const other of others.splice(0)) other.dispose();
});

function backendOn(machine: FakeOs, life: FakeProcess = machine.boot()): LinuxBackend {
  return new LinuxBackend({
    run: life.run,
    clock: new FakeClock(),
    sysctls: life.sysctls,
    journal: new Journal(machine.stateDir, "boot-1"),
    stateDir: machine.stateDir,
    program: machine.program,
    isPortFree: async (port) => !usedPorts.has(port),
  });
}

function withPeers(spec: NetworkSpec, peers: NetworkSpec["wireguard"]["peers"]): NetworkSpec {
  return { ...spec, wireguard: { ...spec.wireguard, peers } };
}

function ownRules(machine: FakeOs, family: 4 | 6): string[] {
  return machine.firewalls[family]
    .save()
    .split("\n")
    .filter((line) => line.includes("HIGGS-"));
}

describe("applying a spec", () => {
  it("gives the machine its interface, rules and forwarding, and reports them", async () => {
    const backend = backendOn(os);
    const spec = withPeers(sampleSpec(), [samplePeer(0)]);
    const applied = await backend.apply(spec);
    expect(applied).toMatchObject({
      ok: true,
      value: { changed: true, implementation: "kernel", ipv6: { state: "on" } },
    });
    const seen = await backend.observe();
    expect(seen.wireguard).toMatchObject({ state: "present", up: true, mtu: 1420, listenPort: 51820 });
    expect(seen.firewall).toEqual({ ipv4: { state: "matches" }, ipv6: { state: "matches" } });
    expect(seen.forwarding).toEqual({ ipv4: { higgs0: true, eth0: true }, ipv6: true });
    expect(seen.applied?.specHash).toBe(applied.ok && applied.value.specHash);
    expect(backend.ownsNetwork()).toBe(true);
  });

  it("changes nothing the second time", async () => {
    const backend = backendOn(os);
    await backend.apply(withPeers(sampleSpec(), [samplePeer(0)]));
    const before = os.changes.length;
    const again = await backend.apply(withPeers(sampleSpec(), [samplePeer(0)]));
    expect(again).toMatchObject({ ok: true, value: { changed: false } });
    expect(os.changes.slice(before)).toEqual([]);
  });

  it("touches nothing but the peer list when only peers change, and keeps the other sessions", async () => {
    const backend = backendOn(os);
    await backend.apply(withPeers(sampleSpec(), [samplePeer(0)]));
    const session = os.tunnels.get("higgs0")?.peers.get(samplePeer(0).publicKey)?.session;
    const before = os.changes.length;
    await backend.apply(withPeers(sampleSpec(), [samplePeer(0), samplePeer(1)]));
    expect(os.changes.slice(before)).toEqual([`wg syncconf higgs0 ${join(os.stateDir, "wireguard.conf")}`]);
    expect(os.tunnels.get("higgs0")?.peers.get(samplePeer(0).publicKey)?.session).toBe(session);
    expect(os.tunnels.get("higgs0")?.peers.size).toBe(2);
  });

  it("puts back what somebody else took away, and only when asked", async () => {
    const backend = backendOn(os);
    await backend.apply(sampleSpec());
    os.firewalls[4].restore("*filter\n-F FORWARD\nCOMMIT\n", { test: false });
    expect((await backend.observe()).firewall.ipv4).toEqual({
      state: "differs",
      differences: ["filter: FORWARD does not jump to HIGGS-FORWARD"],
    });
    expect(await backend.apply(sampleSpec())).toMatchObject({ ok: true, value: { changed: true } });
    expect((await backend.observe()).firewall.ipv4).toEqual({ state: "matches" });
  });

  it("notices a guest whose allowed addresses were changed behind its back", async () => {
    const backend = backendOn(os);
    const spec = withPeers(sampleSpec(), [samplePeer(0)]);
    await backend.apply(spec);
    const peer = os.tunnels.get("higgs0")?.peers.get(samplePeer(0).publicKey);
    if (peer !== undefined) peer.allowedIps = ["0.0.0.0/0"];
    await backend.apply(spec);
    expect(os.tunnels.get("higgs0")?.peers.get(samplePeer(0).publicKey)?.allowedIps).toEqual(samplePeer(0).allowedIps);
  });

  it("greets guests where they were last seen when the interface had to be made anew, and nobody else", async () => {
    const backend = backendOn(os);
    const spec = withPeers(sampleSpec(), [samplePeer(0), samplePeer(1)]);
    await backend.apply(spec);
    const seen = os.tunnels.get("higgs0")?.peers.get(samplePeer(0).publicKey);
    if (seen === undefined) throw new Error("the peer is not set up");
    seen.endpoint = "203.0.113.9:4242";
    await backend.observePeers();
    await os.boot().run("ip", ["link", "del", "dev", "higgs0"]);
    await backend.apply(spec);
    const peers = os.tunnels.get("higgs0")?.peers;
    expect(peers?.get(samplePeer(0).publicKey)?.endpoint).toBe("203.0.113.9:4242");
    expect(peers?.get(samplePeer(1).publicKey)?.endpoint).toBe("(none)");
  });

  it("greets guests when the machine turns to another uplink, and when it is told to", async () => {
    const backend = backendOn(os);
    const spec = withPeers(sampleSpec(), [samplePeer(0), samplePeer(1)]);
    await backend.apply(spec);
    const seen = os.tunnels.get("higgs0")?.peers.get(samplePeer(0).publicKey);
    if (seen === undefined) throw new Error("the peer is not set up");
    seen.endpoint = "203.0.113.9:4242";
    const greetings = () => os.changes.filter((change) => change.startsWith("wg set higgs0 peer"));
    expect(greetings()).toEqual([]);
    await backend.apply({ ...spec, exit: { ...spec.exit, uplinks: ["eth1"] } });
    const { publicKey } = samplePeer(0);
    const greeting = [
      `wg set higgs0 peer ${publicKey} endpoint 203.0.113.9:4242 persistent-keepalive 25`,
      `wg set higgs0 peer ${publicKey} persistent-keepalive 0`,
    ];
    expect(greetings()).toEqual(greeting);
    await backend.greet();
    expect(greetings()).toEqual([...greeting, ...greeting]);
  });

  it("forwards from an uplink as long as it is one", async () => {
    const backend = backendOn(os);
    const spec = sampleSpec();
    const forwarding = (name: string) => os.readSetting(`net/ipv4/conf/${name}/forwarding`);
    await backend.apply(spec);
    await backend.apply({ ...spec, exit: { ...spec.exit, uplinks: ["eth1"] } });
    expect([forwarding("eth0"), forwarding("eth1")]).toEqual(["0", "1"]);
    await backend.apply(spec);
    expect([forwarding("eth0"), forwarding("eth1")]).toEqual(["1", "0"]);
    await backend.restore();
    expect([forwarding("eth0"), forwarding("eth1")]).toEqual(["0", "0"]);
  });

  it("greets nobody while nothing is applied", async () => {
    const backend = backendOn(os);
    await backend.greet();
    expect(os.changes).toEqual([]);
  });

  it("takes wireguard-go where the kernel has no WireGuard", async () => {
    os.kernelWireguard = false;
    expect(await backendOn(os).apply(sampleSpec())).toMatchObject({ ok: true, value: { implementation: "userspace" } });
  });

  it("moves to another interface name without leaving the old one", async () => {
    const backend = backendOn(os);
    await backend.apply(sampleSpec());
    const spec = sampleSpec();
    const moved = await backend.apply({ ...spec, wireguard: { ...spec.wireguard, interfaceName: "higgs7" } });
    expect(moved.ok).toBe(true);
    expect([...os.links.keys()].filter((name) => name.startsWith("higgs"))).toEqual(["higgs7"]);
  });

  it("has its journal on disk before the first change", async () => {
    const life = os.boot();
    const journalAtChange: boolean[] = [];
    const watched: FakeProcess = {
      ...life,
      run: async (program, args, options) => {
        const before = os.changes.length;
        const exists = existsSync(join(os.stateDir, "undo.json"));
        const ran = await life.run(program, args, options);
        if (os.changes.length > before) journalAtChange.push(exists);
        return ran;
      },
    };
    await backendOn(os, watched).apply(sampleSpec());
    expect(journalAtChange.length).toBeGreaterThan(3);
    expect(journalAtChange).not.toContain(false);
  });

  it("lets the machine go on learning its own IPv6 routes", async () => {
    await backendOn(os).apply(sampleSpec());
    expect([...os.forgottenAdvertisements]).not.toContain("eth0");
    expect([...os.forgottenAdvertisements]).not.toContain("eth2");
    expect(os.readSetting("net/ipv6/conf/eth0/accept_ra")).toBe("2");
  });

  it("removes the key from the disk when wg has read it", async () => {
    await backendOn(os).apply(sampleSpec());
    expect(existsSync(join(os.stateDir, "wireguard.conf"))).toBe(false);
  });
});

describe("a spec that is refused beforehand", () => {
  async function refusedWith(code: string, spec = sampleSpec()) {
    const before = os.print();
    const backend = backendOn(os);
    expect(await backend.apply(spec)).toMatchObject({ ok: false, error: { code } });
    expect(os.print()).toBe(before);
    expect(os.changes).toEqual([]);
    expect(backend.ownsNetwork()).toBe(false);
  }

  it("asks for the name of somebody else's interface", async () => {
    os.addLink("higgs0", "veth");
    await refusedWith("interface-name-taken");
  });

  it("asks for a port that is in use", async () => {
    usedPorts.add(51820);
    await refusedWith("port-in-use");
  });

  it("has a guest network that the machine reaches elsewhere", async () => {
    os.routes.push({ dst: "10.66.4.0/24", dev: "eth1" });
    await refusedWith("prefix-conflict");
  });
});

describe("a failure on the way", () => {
  const steps = 24;

  it.each(["refused", "done-but-failed"] as const)("leaves nothing of ours, at whichever step (%s)", async (kind) => {
    const before = os.print();
    let failures = 0;
    for (let step = 0; step < steps; step++) {
      const backend = backendOn(os);
      os.arrange(kind, step);
      const applied = await backend.apply(withPeers(sampleSpec(), [samplePeer(0)]));
      const stillPending = os.calm();
      if (applied.ok) expect((await backend.restore()).failed).toEqual([]);
      else failures++;
      expect(os.print()).toBe(before);
      expect(backend.ownsNetwork()).toBe(false);
      if (stillPending) break;
    }
    expect(failures).toBeGreaterThan(2);
  });

  it("leaves nothing of ours when the journal cannot be written any more", async () => {
    const before = os.print();
    // A directory stands where the journal writes its new version.
    const life = os.boot();
    const blocked: FakeProcess = {
      ...life,
      run: (program, args, options) => {
        if (args[0] === "syncconf") mkdirSync(join(os.stateDir, "undo.json.new"), { recursive: true });
        return life.run(program, args, options);
      },
    };
    expect((await backendOn(os, blocked).apply(sampleSpec())).ok).toBe(false);
    rmSync(join(os.stateDir, "undo.json.new"), { recursive: true });
    expect(os.print()).toBe(before);
  });

  it("is reported when another program deletes our rules at once", async () => {
    const before = os.print();
    os.firewalls[4].vanishing = /^-j HIGGS-FORWARD$/;
    expect(await backendOn(os).apply(sampleSpec())).toMatchObject({
      ok: false,
      error: { code: "firewall-not-verified" },
    });
    os.firewalls[4].vanishing = undefined;
    expect(os.print()).toBe(before);
  });
});

describe("IPv6 that fails", () => {
  async function expectIpv4Only(code: string) {
    const backend = backendOn(os);
    const applied = await backend.apply(withPeers(sampleSpec(), [samplePeer(0)]));
    expect(applied).toMatchObject({ ok: true, value: { ipv6: { state: "failed", error: { code } } } });
    expect(os.links.get("higgs0")?.addresses).toEqual(["10.66.0.1/16"]);
    expect(os.tunnels.get("higgs0")?.peers.get(samplePeer(0).publicKey)?.allowedIps).toEqual(["10.66.0.2/32"]);
    expect(os.readSetting("net/ipv6/conf/all/forwarding")).toBe("0");
    expect(os.readSetting("net/ipv6/conf/eth0/accept_ra")).toBe("1");
    expect(ownRules(os, 6)).toEqual([]);
    const seen = await backend.observe();
    expect(seen.firewall).toEqual({ ipv4: { state: "matches" }, ipv6: { state: "absent" } });
    const before = os.changes.length;
    expect(await backend.apply(withPeers(sampleSpec(), [samplePeer(0)]))).toMatchObject({ value: { changed: false } });
    expect(os.changes.length).toBe(before);
    await backend.apply(withPeers(sampleSpec(), [samplePeer(0), samplePeer(1)]));
    expect(os.tunnels.get("higgs0")?.peers.get(samplePeer(1).publicKey)?.allowedIps).toEqual(["10.66.0.3/32"]);
  }

  it("leaves IPv4 working where the kernel has no NAT for it", async () => {
    os.firewalls[6].refusedTables.add("nat");
    await expectIpv4Only("firewall-refused");
  });

  it("leaves IPv4 working where the machine has IPv6 addresses switched off", async () => {
    os.ipv6Disabled = true;
    await expectIpv4Only("ipv6-address-refused");
  });

  it("leaves IPv4 working where its forwarding cannot be switched on", async () => {
    const life = os.boot();
    const write = life.sysctls.write.bind(life.sysctls);
    life.sysctls.write = (key, value) => {
      if (key === "net/ipv6/conf/all/forwarding" && value === "1") throw new Error("Read-only file system");
      write(key, value);
    };
    const applied = await backendOn(os, life).apply(sampleSpec());
    expect(applied).toMatchObject({
      ok: true,
      value: { ipv6: { state: "failed", error: { code: "ipv6-forwarding-refused" } } },
    });
    expect(os.links.get("higgs0")?.addresses).toEqual(["10.66.0.1/16"]);
    expect(os.readSetting("net/ipv6/conf/eth0/accept_ra")).toBe("1");
    expect(os.readSetting("net/ipv4/conf/eth0/forwarding")).toBe("1");
  });
});

describe("restoring", () => {
  it("undoes what a helper that was killed has left, in the next life", async () => {
    const before = os.print();
    await backendOn(os).apply(sampleSpec());
    const next = backendOn(os);
    expect(next.ownsNetwork()).toBe(true);
    const restored = await next.restore();
    expect(restored.failed).toEqual([]);
    expect(restored.undone).toContain("interface higgs0");
    expect(os.print()).toBe(before);
    expect(await next.restore()).toEqual({ undone: [], failed: [] });
  });

  it("keeps in its journal what could not be undone, and tries it again", async () => {
    const before = os.print();
    const backend = backendOn(os);
    await backend.apply(sampleSpec());
    os.arrange("refused", 0);
    expect((await backend.restore()).failed).toHaveLength(1);
    expect(backend.ownsNetwork()).toBe(true);
    expect((await backend.restore()).failed).toEqual([]);
    expect(os.print()).toBe(before);
    expect(backend.ownsNetwork()).toBe(false);
  });

  it("leaves a foreign rule alone whose comment speaks of a chain of ours", async () => {
    const rule = '-s 192.0.2.1/32 -m comment --comment "before -j HIGGS-FORWARD please" -j ACCEPT';
    os.firewalls[4].restore(`*filter\n-A FORWARD ${rule}\nCOMMIT\n`, { test: false });
    const before = os.print();
    const backend = backendOn(os);
    await backend.apply(sampleSpec());
    expect(os.firewalls[4].save()).toContain(rule);
    await backend.restore();
    expect(os.print()).toBe(before);
  });

  it("leaves forwarding on that somebody has switched on for the whole machine meanwhile", async () => {
    const backend = backendOn(os);
    await backend.apply(sampleIpv4Spec());
    os.writeSetting("net/ipv4/conf/all/forwarding", "1");
    await backend.restore();
    expect(os.readSetting("net/ipv4/conf/eth0/forwarding")).toBe("1");
    expect(os.readSetting("net/ipv4/conf/all/forwarding")).toBe("1");
  });
});

/** What other programs, and fate, do between two steps of ours. */
type Step =
  | { do: "apply"; spec: NetworkSpec }
  | { do: "restore" }
  | { do: "crash" }
  | { do: "mishap"; kind: Mishap; stepsAhead: number }
  | { do: "rule"; family: 4 | 6; line: string }
  | { do: "forwarding"; key: string; value: string }
  | { do: "flush" };

const foreignLines = [
  "*filter\n-A FORWARD -s 192.0.2.1/32 -j ACCEPT\nCOMMIT\n",
  "*filter\n-I FORWARD 1 -j DROP\nCOMMIT\n",
  "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n",
  "*filter\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -j RETURN\nCOMMIT\n",
  "*nat\n-I POSTROUTING 1 -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\nCOMMIT\n",
  "*mangle\n-A FORWARD -o eth0 -j RETURN\nCOMMIT\n",
  '*filter\n-A INPUT -m comment --comment "a \\"-j HIGGS-INPUT\\" b" -j ACCEPT\nCOMMIT\n',
];

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("apply" as const), spec: validSpecs(["eth0", "eth1"]) }) },
  { weight: 1, arbitrary: fc.constant({ do: "restore" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "crash" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("mishap" as const),
      kind: fc.constantFrom<Mishap>("refused", "done-but-failed", "dies-before", "dies-after"),
      stepsAhead: fc.integer({ min: 0, max: 14 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("rule" as const),
      family: fc.constantFrom(4 as const, 6 as const),
      line: fc.constantFrom(...foreignLines),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("forwarding" as const),
      key: fc.constantFrom("net/ipv4/conf/all/forwarding", "net/ipv4/conf/eth2/forwarding"),
      value: fc.constantFrom("0", "1"),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "flush" as const }) },
);

describe("whatever happens", () => {
  it("restore leaves nothing of ours, and everything of others", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 10 }), fc.boolean(), async (sequence, kernel) => {
        const machine = new FakeOs();
        // The same machine with the same neighbours, on which we never ran.
        const twin = new FakeOs();
        others.push(machine, twin);
        machine.kernelWireguard = kernel;
        let life = machine.boot();
        let backend = backendOn(machine, life);
        const reborn = () => {
          life = machine.boot();
          backend = backendOn(machine, life);
        };
        for (const step of sequence) {
          switch (step.do) {
            case "apply": {
              const ended = await Promise.race([backend.apply(step.spec), life.died.then(() => "died" as const)]);
              if (ended === "died") reborn();
              else if (ended.ok) expect(await expectationOf(backend)).toEqual([]);
              break;
            }
            case "restore": {
              const ended = await Promise.race([backend.restore(), life.died.then(() => "died" as const)]);
              if (ended === "died") reborn();
              break;
            }
            case "crash":
              reborn();
              break;
            case "mishap":
              machine.arrange(step.kind, step.stepsAhead);
              break;
            case "rule":
              for (const each of [machine, twin]) each.firewalls[step.family].restore(step.line, { test: false });
              break;
            case "forwarding":
              for (const each of [machine, twin]) each.writeSetting(step.key, step.value);
              break;
            case "flush":
              for (const each of [machine, twin]) {
                each.firewalls[4].restore("*filter\n-F FORWARD\nCOMMIT\n", { test: false });
              }
          }
        }
        machine.calm();
        expect((await backend.restore()).failed).toEqual([]);
        expect(machine.print()).toBe(twin.print());
        expect([...machine.forgottenAdvertisements].filter((name) => name.startsWith("eth"))).toEqual([]);
        expect(backend.ownsNetwork()).toBe(false);
        machine.dispose();
        twin.dispose();
      }),
      { numRuns: 150, seed: 20260101 },
    );
  });
});

/** What an apply that succeeded must be seen to have done; empty when all is there. */
async function expectationOf(backend: LinuxBackend): Promise<string[]> {
  const seen = await backend.observe();
  const wrong: string[] = [];
  if (seen.wireguard.state !== "present" || !seen.wireguard.up) wrong.push("no interface");
  if (seen.firewall.ipv4.state !== "matches") wrong.push(JSON.stringify(seen.firewall.ipv4));
  if (seen.firewall.ipv6.state !== "matches" && seen.firewall.ipv6.state !== "absent")
    wrong.push(JSON.stringify(seen.firewall.ipv6));
  return wrong;
}
