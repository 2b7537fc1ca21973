import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { HostResolvers, parseResolvConf } from "./resolvers.ts";

function addresses(text: string): string[] {
  return parseResolvConf(text).map((resolver) => resolver.address);
}

describe("parseResolvConf", () => {
  it("takes the name servers, three at most, and passes over everything else", () => {
    expect(
      addresses(
        "# made by hand\nsearch lan\nnameserver 192.0.2.1 # first\n  nameserver\t2001:db8::1\nnameserver nonsense\n" +
          ";nameserver 192.0.2.9\nnameserver 192.0.2.1\noptions edns0\nnameserver fe80::1%eth0\nnameserver 192.0.2.4\n",
      ),
    ).toEqual(["192.0.2.1", "2001:db8::1", "fe80::1%eth0"]);
    expect(addresses("")).toEqual([]);
    expect(addresses("nameserver 192.0.2.1%eth0\r\nnameserver 192.0.2.2\r\n")).toEqual(["192.0.2.2"]);
  });
});

describe("HostResolvers", () => {
  let root: string;
  let file: string;
  const clock = new FakeClock();

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "higgs-resolvers-"));
    file = join(root, "resolv.conf");
  });

  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it("follows the file as it changes, disappears and comes back", async () => {
    const resolvers = new HostResolvers({ clock, platform: "linux", resolvConfPath: file });
    expect(resolvers.current()).toEqual([{ address: "127.0.0.1", port: 53 }]);
    writeFileSync(file, "nameserver 192.0.2.1\n");
    expect(resolvers.current()).toEqual([{ address: "127.0.0.1", port: 53 }]);
    await clock.advance(1_000);
    expect(resolvers.current()).toEqual([{ address: "192.0.2.1", port: 53 }]);
    rmSync(file);
    await clock.advance(1_000);
    expect(resolvers.current()).toEqual([{ address: "192.0.2.1", port: 53 }]);
    writeFileSync(file, "nameserver 192.0.2.22\n");
    await clock.advance(1_000);
    expect(resolvers.current()).toEqual([{ address: "192.0.2.22", port: 53 }]);
    writeFileSync(file, "# none at all\n");
    await clock.advance(1_000);
    expect(resolvers.current()).toEqual([{ address: "127.0.0.1", port: 53 }]);
  });

  it("asks the system where there is no resolv.conf to rely on", () => {
    const found = new HostResolvers({ clock, platform: "win32" }).current();
    for (const { port } of found) expect(port).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(3);
  });
});
