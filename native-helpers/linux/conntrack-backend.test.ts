import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { samplePeer, sampleSpec } from "../../src-shared/testing/sample-spec.ts";
import { Journal } from "../journal.ts";
import { FakeOs } from "../testing/fake-os.ts";
import { LinuxBackend } from "./linux-backend.ts";
import { SysctlTree } from "./sysctl.ts";

const ACCT = "net/netfilter/nf_conntrack_acct";

let os: FakeOs;

beforeEach(() => {
  os = new FakeOs();
  const folder = join(os.root, "sys/net/netfilter");
  mkdirSync(folder, { recursive: true });
  for (const [name, value] of [
    ["acct", 0],
    ["timestamp", 0],
    ["events", 2],
  ]) {
    writeFileSync(join(folder, `nf_conntrack_${name}`), `${value}\n`);
  }
});
afterEach(() => os.dispose());

function backend(): LinuxBackend {
  return new LinuxBackend({
    run: os.boot().run,
    clock: new FakeClock(),
    sysctls: new SysctlTree(join(os.root, "sys")),
    journal: new Journal(os.stateDir, "boot-1"),
    stateDir: os.stateDir,
    program: os.program,
    isPortFree: async () => true,
  });
}

const accounted = (): NetworkSpec => ({ ...sampleSpec(), accounting: { connections: true } });

describe("accounting of connections", () => {
  it("counts while the spec asks for it, and puts the settings back with everything else", async () => {
    const helper = backend();
    await helper.apply(accounted());
    expect(os.readSetting(ACCT)).toBe("1");
    expect(os.readSetting("net/netfilter/nf_conntrack_timestamp")).toBe("1");
    expect(os.readSetting("net/netfilter/nf_conntrack_events")).toBe("2");
    await helper.restore();
    expect(os.readSetting(ACCT)).toBe("0");
    expect(os.readSetting("net/netfilter/nf_conntrack_timestamp")).toBe("0");
  });

  it("is put back by the next helper where this one was killed", async () => {
    await backend().apply(accounted());
    expect(await backend().restore()).toMatchObject({ failed: [] });
    expect(os.readSetting(ACCT)).toBe("0");
  });

  it("is switched without touching rules, links or peers", async () => {
    const helper = backend();
    await helper.apply(sampleSpec());
    expect(os.readSetting(ACCT)).toBe("0");
    const before = os.changes.length;
    expect(await helper.apply(accounted())).toMatchObject({ ok: true, value: { changed: true } });
    expect(os.readSetting(ACCT)).toBe("1");
    expect(await helper.apply(sampleSpec())).toMatchObject({ ok: true, value: { changed: true } });
    expect(os.readSetting(ACCT)).toBe("0");
    expect(os.changes.slice(before).filter((change) => !change.startsWith("wg "))).toEqual([]);
  });

  it("stays as the spec wants it when peers change", async () => {
    const helper = backend();
    await helper.apply(accounted());
    const spec = accounted();
    await helper.apply({ ...spec, wireguard: { ...spec.wireguard, peers: [samplePeer(0)] } });
    expect(os.readSetting(ACCT)).toBe("1");
  });

  it("leaves a machine alone that counts already", async () => {
    writeFileSync(join(os.root, "sys", ACCT), "1\n");
    const helper = backend();
    await helper.apply(accounted());
    await helper.restore();
    expect(os.readSetting(ACCT)).toBe("1");
  });

  it("serves guests all the same where the kernel has no such settings", async () => {
    const helper = new LinuxBackend({
      run: os.boot().run,
      clock: new FakeClock(),
      sysctls: os.boot().sysctls,
      journal: new Journal(os.stateDir, "boot-1"),
      stateDir: os.stateDir,
      program: os.program,
      isPortFree: async () => true,
    });
    rmSync(join(os.root, "sys/net/netfilter"), { recursive: true });
    expect(await helper.apply(accounted())).toMatchObject({ ok: true });
  });

  it("tells a listener that nothing is watched while nothing is applied", () => {
    const helper = backend();
    const events: unknown[] = [];
    const stop = helper.watchConnections({ onEvent: (event) => events.push(event), isBehind: () => false });
    expect(events).toEqual([{ topic: "connections", source: { state: "off" }, dropped: 0, ended: [] }]);
    stop();
  });
});
