import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClientLimitSpec, LimitsSpec } from "../../src-shared/limits-spec.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { samplePeer, sampleSpec } from "../../src-shared/testing/sample-spec.ts";
import { Journal } from "../journal.ts";
import { FakeOs } from "../testing/fake-os.ts";
import { LinuxBackend } from "./linux-backend.ts";

let os: FakeOs;

beforeEach(() => {
  os = new FakeOs();
});
afterEach(() => {
  os.dispose();
});

function backend(): LinuxBackend {
  const life = os.boot();
  return new LinuxBackend({
    run: life.run,
    clock: new FakeClock(),
    sysctls: life.sysctls,
    journal: new Journal(os.stateDir, "boot-1"),
    stateDir: os.stateDir,
    program: os.program,
    isPortFree: async () => true,
  });
}

function client(index: number, changes: Partial<ClientLimitSpec> = {}): ClientLimitSpec {
  const addresses = samplePeer(index - 2).allowedIps.map((prefix) => prefix.split("/")[0] ?? "");
  return { classId: index, addresses, downBitsPerSecond: 5e6, upBitsPerSecond: 2e6, priority: 5, ...changes };
}

function spec(clients: ClientLimitSpec[], total?: LimitsSpec["total"]): NetworkSpec {
  return { ...sampleSpec(), limits: { clients, ...(total === undefined ? {} : { total }) } };
}

/** The lines of the one batch a change took. */
function batchOf(changes: readonly string[]): string[] {
  expect(changes).toHaveLength(1);
  const [first = "", ...lines] = (changes[0] ?? "").split("\n");
  expect(first).toBe("tc -batch FILE");
  return lines;
}

async function changed(helper: LinuxBackend, wanted: NetworkSpec): Promise<string[]> {
  const before = os.changes.length;
  expect(await helper.apply(wanted)).toMatchObject({ ok: true });
  expect((await helper.observe()).limits?.state).toBe("matches");
  return os.changes.slice(before);
}

describe("limits", () => {
  it("are one batch beside the interface for uploads, and are reported with the queue that was taken", async () => {
    const helper = backend();
    const applied = await helper.apply(spec([client(2), client(0x1234, { classId: 0x1234 })]));
    expect(applied).toMatchObject({ ok: true, value: { limits: { state: "on", leaf: "fq_codel" } } });
    const ours = os.changes.filter((change) => change.startsWith("tc ") || change.includes("ifb"));
    expect(ours.map((change) => change.split("\n")[0])).toEqual([
      "ip link add dev higgs-ifb0 txqueuelen 1000 type ifb",
      "ip link set dev higgs-ifb0 up",
      "tc -batch FILE",
    ]);
    const lines = ours.at(-1)?.split("\n") ?? [];
    // Class ids are hexadecimal for tc, and rates are in bits.
    expect(lines).toContain(
      "class add dev higgs0 parent 1:1 classid 1:1234 htb rate 5000kbit ceil 5000kbit burst 12500 cburst 12500 prio 5 quantum 4500",
    );
    expect(lines).toContain(
      "filter add dev higgs-ifb0 parent 1: prio 1 protocol ip handle 112:34:1 u32 ht 112:34: match ip src 10.66.18.52/32 flowid 1:1234",
    );
    expect((await helper.observe()).limits).toEqual({ state: "matches" });
  });

  it("are not touched when nothing has changed, by this helper or by the next", async () => {
    await backend().apply(spec([client(2), client(3)]));
    const next = backend();
    const before = os.changes.length;
    expect(await next.apply(spec([client(2), client(3)]))).toMatchObject({ ok: true });
    expect(os.changes.slice(before).filter((change) => change.startsWith("tc"))).toEqual([]);
    const after = os.changes.length;
    expect(await next.apply(spec([client(2), client(3)]))).toMatchObject({ value: { changed: false } });
    expect(os.changes.length).toBe(after);
  });

  it("of one client change without a word about the others", async () => {
    const helper = backend();
    const others = [client(3), client(4), client(5)];
    await helper.apply(spec([client(2), ...others]));
    const lines = batchOf(await changed(helper, spec([client(2, { downBitsPerSecond: 9e6 }), ...others])));
    expect(lines).toEqual([
      "class change dev higgs0 parent 1:1 classid 1:2 htb rate 9000kbit ceil 9000kbit burst 22500 cburst 22500 prio 5 quantum 4500",
      "qdisc change dev higgs0 parent 1:2 fq_codel target 5000us interval 100000us",
    ]);
  });

  it("that are removed leave no class and no filter", async () => {
    const helper = backend();
    await helper.apply(spec([client(2), client(3)]));
    batchOf(await changed(helper, spec([client(3)])));
    for (const device of ["higgs0", "higgs-ifb0"]) {
      const { classes, filters } = os.traffic?.device(device) ?? {};
      expect([...(classes?.keys() ?? [])]).toEqual(["1:1", "1:3"]);
      expect([...(filters?.values() ?? [])].filter(({ target }) => target === "1:2")).toEqual([]);
    }
    expect(await helper.apply(sampleSpec())).toMatchObject({ ok: true });
    expect(os.links.has("higgs-ifb0")).toBe(false);
    expect(os.traffic?.device("higgs0").root).toBe(false);
    expect((await helper.observe()).limits).toEqual({ state: "absent" });
  });

  it("of one direction make a class there alone", async () => {
    const helper = backend();
    const { upBitsPerSecond, ...downOnly } = client(2);
    await helper.apply(spec([downOnly]));
    expect([...(os.traffic?.device("higgs0").classes.keys() ?? [])]).toContain("1:2");
    expect([...(os.traffic?.device("higgs-ifb0").classes.keys() ?? [])]).not.toContain("1:2");
    expect(upBitsPerSecond).toBe(2e6);
  });

  it("in total have everybody borrow from one class by priority, and those without a limit of their own too", async () => {
    const helper = backend();
    const clients = [client(2, { priority: 10 }), client(3, { priority: 1 })];
    await helper.apply(spec(clients, { downBitsPerSecond: 20e6 }));
    const { classes } = os.traffic?.device("higgs0") ?? {};
    expect(classes?.get("1:1")).toMatchObject({ rateKbit: 20_000, ceilKbit: 20_000 });
    expect(classes?.get("1:2")).toMatchObject({ rateKbit: 2, ceilKbit: 5_000, level: 0 });
    expect(classes?.get("1:3")).toMatchObject({ rateKbit: 2, ceilKbit: 5_000, level: 7 });
    expect(classes?.get("1:ffff")).toMatchObject({ rateKbit: 2, ceilKbit: 20_000, level: 5 });
    batchOf(await changed(helper, spec(clients)));
    expect(classes?.get("1:2")).toMatchObject({ rateKbit: 5_000, ceilKbit: 5_000 });
    expect(classes?.has("1:ffff")).toBe(false);
  });

  it("move to another address with its client", async () => {
    const helper = backend();
    await helper.apply(spec([client(2)]));
    await changed(helper, spec([client(2, { addresses: ["10.66.0.77"] })]));
    const filters = [...(os.traffic?.device("higgs0").filters.values() ?? [])].filter(({ target }) => target === "1:2");
    expect(filters.map(({ match }) => match)).toEqual(["dst 10.66.0.77/32"]);
  });

  it("take the best queue there is", async () => {
    os.traffic?.queues.delete("fq_codel");
    expect(await backend().apply(spec([client(2)]))).toMatchObject({ value: { limits: { leaf: "pfifo" } } });
    expect(os.traffic?.device("higgs0").classes.get("1:2")?.leaf).toBe("pfifo limit 42");
  });

  it("make a plain queue anew when it becomes shorter, so that nobody waits for what was queued at the old rate", async () => {
    os.traffic?.queues.delete("fq_codel");
    const helper = backend();
    await helper.apply(spec([client(2)]));
    const lines = batchOf(await changed(helper, spec([client(2, { downBitsPerSecond: 1e6 })])));
    expect(lines.slice(1)).toEqual([
      "qdisc del dev higgs0 parent 1:2",
      "qdisc add dev higgs0 parent 1:2 pfifo limit 10",
    ]);
  });
});

describe("limits that somebody changed", () => {
  it.each<[string, () => void]>([
    ["took a class away", () => os.traffic?.device("higgs0").classes.delete("1:3")],
    ["changed a rate", () => Object.assign(os.traffic?.device("higgs-ifb0").classes.get("1:2") ?? {}, { ceilKbit: 9 })],
    [
      "added a class",
      () =>
        os.traffic?.perform(
          "class add dev higgs0 parent 1:1 classid 1:99 htb rate 8kbit ceil 8kbit prio 0 quantum 1500",
        ),
    ],
    ["took a filter away", () => os.traffic?.device("higgs0").filters.delete("100:3:1")],
    [
      "led a guest into another class",
      () => Object.assign(os.traffic?.device("higgs0").filters.get("100:3:1") ?? {}, { target: "1:2" }),
    ],
    ["took everything off the interface", () => os.traffic?.devices.delete("higgs0")],
    [
      "stopped leading uploads through the ifb",
      () => Object.assign(os.traffic?.device("higgs0") ?? {}, { redirect: undefined }),
    ],
    ["switched the ifb off", () => Object.assign(os.links.get("higgs-ifb0") ?? {}, { up: false })],
    [
      "deleted the ifb",
      () => {
        os.links.delete("higgs-ifb0");
        os.traffic?.devices.delete("higgs-ifb0");
      },
    ],
  ])("are seen to differ and are put right: %s", async (_, meddle) => {
    const helper = backend();
    await helper.apply(spec([client(2), client(3)]));
    meddle();
    expect((await helper.observe()).limits?.state).toBe("differs");
    expect(await helper.apply(spec([client(2), client(3)]))).toMatchObject({ ok: true });
    expect((await helper.observe()).limits).toEqual({ state: "matches" });
  });

  it("are found out by a change too, which then sets up everything anew", async () => {
    const helper = backend();
    await helper.apply(spec([client(2), client(3)]));
    os.traffic?.devices.delete("higgs0");
    expect(await helper.apply(spec([client(2), client(4)]))).toMatchObject({ value: { limits: { state: "on" } } });
    expect((await helper.observe()).limits).toEqual({ state: "matches" });
  });
});

describe("a machine that cannot limit", () => {
  it("shares all the same, and says why guests are not limited", async () => {
    os.traffic = undefined;
    const helper = backend();
    const applied = await helper.apply(spec([client(2)]));
    expect(applied).toMatchObject({
      ok: true,
      value: { limits: { state: "failed", error: { code: "limits-unsupported" } } },
    });
    expect(os.links.has("higgs-ifb0")).toBe(false);
    expect((await helper.observe()).limits?.state).toBe("absent");
    expect((await helper.capabilities()).limits).toMatchObject({ state: "unsupported" });
  });

  it("leaves an interface alone that has our ifb's name and is none", async () => {
    os.addLink("higgs-ifb0", "veth");
    Object.assign(os.traffic?.device("higgs-ifb0") ?? {}, { root: true });
    const helper = backend();
    expect(await helper.apply(spec([client(2)]))).toMatchObject({
      value: { limits: { state: "failed", error: { code: "limits-refused" } } },
    });
    await helper.restore();
    expect(os.links.get("higgs-ifb0")?.kind).toBe("veth");
    expect(os.traffic?.device("higgs-ifb0").root).toBe(true);
  });
});

describe("restoring", () => {
  it.each(["refused", "done-but-failed", "dies-before", "dies-after"] as const)(
    "leaves nothing of ours, at whichever step setting up limits comes to grief (%s)",
    async (kind) => {
      const before = os.print();
      for (let step = 0; step < 30; step++) {
        os.arrange(kind, step);
        const life = os.boot();
        const journal = new Journal(os.stateDir, "boot-1");
        const options = {
          clock: new FakeClock(),
          stateDir: os.stateDir,
          program: os.program,
          isPortFree: async () => true,
          journal,
        };
        const helper = new LinuxBackend({ ...options, run: life.run, sysctls: life.sysctls });
        await Promise.race([helper.apply(spec([client(2), client(3)])), life.died]);
        const isOver = os.calm();
        expect((await backend().restore()).failed).toEqual([]);
        expect(os.print()).toBe(before);
        if (isOver) return;
      }
      throw new Error("there were more steps than this test tries");
    },
  );
});
