import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "./abuse/helper-abuse.ts";
import { NetworkSnapshot, nodeProgram, requireLab } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

const SPEC = {
  version: 1,
  wireguard: {
    interfaceName: "higgs0",
    listenPort: 51_821,
    mtu: 1420,
    addresses: ["10.99.0.1/16"],
    peers: [],
  },
  guests: { ipv4: "10.99.0.0/16", ipv6: null },
  exit: { uplinks: ["eth0"], ipv4: "masquerade", ipv6: "off" },
  isolation: { blockedDestinations: [], allowedDestinations: [], blockedPorts: [] },
  dns: null,
};

const EXPECTED: Record<string, Outcome> = {
  "wrong token": { code: "wrong-token", hungUp: true },
  "no hello": { code: "hello-first", hungUp: true },
  "hello of 2 kB": { code: "message-too-big", hungUp: true },
  "10 MB": { code: "message-too-big", hungUp: true },
  "truncated JSON": { code: "bad-message", hungUp: true },
  "unknown verb": { code: "unknown-verb", hungUp: false },
  "prototype verb": { code: "unknown-verb", hungUp: false },
  "interface ../x": { code: "bad-spec", hungUp: false },
  "interface eth0": { code: "bad-spec", hungUp: false },
  "uplink ../../kernel": { code: "bad-spec", hungUp: false },
  "public guest prefix": { code: "bad-spec", hungUp: false },
  "unknown field": { code: "bad-spec", hungUp: false },
  "newline in a prefix": { code: "bad-spec", hungUp: false },
  "allowed IPs of everybody": { code: "bad-spec", hungUp: false },
  "second controller": { code: "helper-busy", hungUp: false },
};

describe.skipIf(!requireLab())("whoever owns the unprivileged side", () => {
  let sharing: Sharing;

  beforeAll(async () => {
    sharing = await Sharing.on();
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  it("gets a stable code for every kind of nonsense, and changes nothing", async () => {
    const { host } = sharing.node;
    const before = await NetworkSnapshot.take(host);
    const specFile = join(host.folder, "spec.json");
    await host.writeFile(specFile, JSON.stringify(SPEC));
    const program = join(import.meta.dirname, "abuse/helper-abuse.ts");
    const printed = await host.mustExec([nodeProgram(), program, specFile], { timeoutMs: 60_000 });
    expect(JSON.parse(printed)).toEqual(EXPECTED);
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(host))).toEqual([]);
    expect((await sharing.state()).phase).toBe("running");
  });

  it("cannot read the private key or the journal as another user", async () => {
    const { host } = sharing.node;
    for (const path of [
      "/var/lib/higgsnode/wireguard.key",
      "/var/lib/higgsnode/undo.json",
      "/run/higgsnode/0/helper.token",
    ]) {
      await host.mustExec(["cat", path]);
      const ran = await host.exec(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "cat", path]);
      expect(ran.stderr).toContain("Permission denied");
    }
  });
});
