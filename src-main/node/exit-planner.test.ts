import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS, type Settings } from "../../src-shared/model/settings.ts";
import type { NetworkObservation } from "../../src-shared/network-observation.ts";
import { networkSpecSchema } from "../../src-shared/network-spec.ts";
import { type Result, unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { ClientRegistry } from "../clients/client-registry.ts";
import { HOME, link, observation } from "../routing/testing/observation.ts";
import { migrate } from "../storage/migrations.ts";
import { WireGuardManager } from "../wireguard/wireguard-manager.ts";
import { type ExitPlan, type PlanInputs, planExit } from "./exit-planner.ts";

const PREFIXES = { ipv4: "10.66.0.0/16", ipv6: "fd12:3456:789a::/64" };

let db: DatabaseSync;
let registry: ClientRegistry;

beforeEach(() => {
  db = new DatabaseSync(":memory:");
  migrate(db);
  registry = new ClientRegistry({ db, clock: new FakeClock(), settings: () => DEFAULT_SETTINGS });
});

afterEach(() => {
  registry.close();
  db.close();
});

function plan(
  seen: NetworkObservation = HOME,
  settings: Partial<Settings> = {},
  prefixes: PlanInputs["prefixes"] = PREFIXES,
): Result<ExitPlan> {
  return planExit(seen, {
    settings: { ...DEFAULT_SETTINGS, ...settings },
    prefixes,
    clientCount: registry.list().length,
    wireguard: new WireGuardManager({ registry }),
    dnsPort: 20053,
    mapped: undefined,
  });
}

describe("planExit", () => {
  it("serves both families through an ordinary home", () => {
    unwrap(registry.add("Ann"));
    const planned = unwrap(plan());
    networkSpecSchema.parse(planned.spec);
    expect(planned).toMatchObject({
      tunnelAddresses: ["10.66.0.1", "fd12:3456:789a::1"],
      uplink: { ipv4: "eth0", ipv6: "eth0" },
      clientCount: 1,
      ipv6Off: undefined,
      problems: [],
    });
    expect(planned.spec.exit).toEqual({ uplinks: ["eth0"], ipv4: "masquerade", ipv6: "nat66" });
    expect(planned.spec.wireguard.peers).toHaveLength(1);
    expect(planned.spec.dns).toEqual({ port: 20053 });
  });

  it("cannot be made without a way to the internet", () => {
    const alone = observation([link("eth0", ["192.168.1.20/24"])], ["192.168.1.0/24 dev eth0"]);
    expect(plan(alone)).toMatchObject({ ok: false, error: { code: "no-uplink" } });
  });

  it("says why guests get no IPv6", () => {
    const ipv4Only = observation([link("eth0", ["192.168.1.20/24"])], ["default via 192.168.1.1 dev eth0"]);
    expect(unwrap(plan(ipv4Only))).toMatchObject({
      ipv6Off: { code: "ipv6-no-uplink" },
      uplink: { ipv4: "eth0", ipv6: null },
      spec: { exit: { ipv6: "off" } },
    });
    expect(unwrap(plan(HOME, { guestIpv6: "off" }, { ...PREFIXES, ipv6: null }))).toMatchObject({
      ipv6Off: { code: "ipv6-switched-off" },
      tunnelAddresses: ["10.66.0.1"],
      spec: { exit: { ipv6: "off" }, guests: { ipv6: null } },
    });
  });

  it("is reached where the owner says, else at the address of the uplink", () => {
    const endpoint = { host: "home.example.org", port: 4000 };
    expect(unwrap(plan(HOME, { publicEndpoint: endpoint })).reach).toMatchObject({ endpoint, source: "owner" });
    expect(unwrap(plan(HOME, { listenPort: 4001 })).reach).toMatchObject({
      endpoint: { host: "192.168.1.20", port: 4001 },
      source: "uplink",
    });
    const ipv6Only = observation([link("eth0", ["2001:db8:1:2::20/64"])], ["default via fe80::1 dev eth0"]);
    expect(unwrap(plan(ipv6Only)).reach).toMatchObject({
      endpoint: { host: "2001:db8:1:2::20" },
      ipv6: { host: "2001:db8:1:2::20", port: 51820 },
    });
  });

  it("is reached where a handshake from outside was answered, whatever the router says", () => {
    const proven = { host: "203.0.113.7", port: 40_000 };
    const reached = planExit(HOME, {
      settings: DEFAULT_SETTINGS,
      prefixes: PREFIXES,
      clientCount: 0,
      wireguard: new WireGuardManager({ registry }),
      dnsPort: 20053,
      mapped: { host: "203.0.113.8", port: 51820 },
      proven,
    });
    expect(unwrap(reached).reach).toMatchObject({ endpoint: proven, source: "proven" });
  });

  it("has the relay's probe as a peer without addresses, and a client of the same key before it", () => {
    const probePeer = { publicKey: unwrap(registry.add("Ann")).publicKey, allowedIps: [] };
    const other = { publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", allowedIps: [] };
    const peersWith = (peer: typeof probePeer) =>
      unwrap(
        planExit(HOME, {
          settings: DEFAULT_SETTINGS,
          prefixes: PREFIXES,
          clientCount: 1,
          wireguard: new WireGuardManager({ registry }),
          dnsPort: 20053,
          mapped: undefined,
          probePeer: peer,
        }),
      ).spec.wireguard.peers;
    expect(peersWith(other)).toMatchObject([{ publicKey: probePeer.publicKey }, other]);
    expect(peersWith(probePeer)).toHaveLength(1);
    expect(peersWith(probePeer)[0]?.allowedIps).toHaveLength(2);
  });

  it("has a problem where the guest network is too small for its clients", () => {
    for (const name of ["Ann", "Ben", "Cem"]) unwrap(registry.add(name));
    const small = { ipv4: "10.66.0.0/30", ipv6: null };
    const planned = unwrap(plan(HOME, { guestIpv6: "off" }, small));
    expect(planned.spec.wireguard.peers).toHaveLength(1);
    expect(planned.problems).toMatchObject([
      { code: "clients-without-address", message: expect.stringContaining("2 clients have no address") },
    ]);
  });
});
