import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ClientConfigParts, renderClientConfig } from "./client-config.ts";

const WG_QUICK = "/usr/bin/wg-quick";

const parts: ClientConfigParts = {
  privateKey: "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=",
  addresses: ["10.66.0.2", "fd12:3456:789a::2"],
  dns: ["10.66.0.1", "fd12:3456:789a::1"],
  mtu: 1420,
  serverPublicKey: "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
  presharedKey: "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=",
  endpoint: { host: "2001:db8::1", port: 51820 },
};

describe("renderClientConfig", () => {
  it("writes what wg-quick reads", () => {
    expect(renderClientConfig(parts)).toBe(`[Interface]
PrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=
Address = 10.66.0.2/32, fd12:3456:789a::2/128
DNS = 10.66.0.1, fd12:3456:789a::1
MTU = 1420

[Peer]
PublicKey = hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
PresharedKey = 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
Endpoint = [2001:db8::1]:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
`);
  });

  it("draws IPv6 into the tunnel also where the node has no IPv6 address for the guest", () => {
    const text = renderClientConfig({ ...parts, addresses: ["10.66.0.2"], dns: [], presharedKey: null });
    expect(text).toContain("Address = 10.66.0.2/32, fd48:6967:6773:4e6f:6465::2/128\n");
    expect(text).toContain("AllowedIPs = 0.0.0.0/0, ::/0\n");
    expect(text).not.toContain("DNS");
    expect(text).not.toContain("PresharedKey");
  });

  it.runIf(existsSync(WG_QUICK))("is taken by wg-quick strip, which leaves what wg setconf knows", () => {
    const root = mkdtempSync(join(tmpdir(), "higgs-config-"));
    try {
      const file = join(root, "wgtest.conf");
      writeFileSync(file, renderClientConfig(parts), { mode: 0o600 });
      const stripped = execFileSync(WG_QUICK, ["strip", file], { encoding: "utf8" });
      const keys = stripped.split("\n").flatMap((line) => /^(\w+) = /.exec(line)?.[1] ?? []);
      expect(keys).toEqual([
        "PrivateKey",
        "PublicKey",
        "PresharedKey",
        "Endpoint",
        "AllowedIPs",
        "PersistentKeepalive",
      ]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
