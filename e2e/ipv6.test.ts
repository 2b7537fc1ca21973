/** Guests' IPv6 in each of its modes, seen from the other end of the internet; and what happens where it does not work. */
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ExitState, Ipv6State } from "../src-shared/model/node-state.ts";
import { type Guest, INTERNET, LAN, poll, requireLab, WAN, WEB_NAME } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

const ADVERTISER = join(import.meta.dirname, "lab/servers/router-advertiser.pl");
const TARGET = `[${INTERNET.web.ipv6}]:80`;
/** Routed to the node's home and on to the node, beside the home's own prefix. */
const ROUTED = "2a0a:66:0:1::/64";
const DELEGATED = "2a0a:67::/56";
/** A router that does not hear PCP costs three seconds before UPnP is tried; a machine busy with other tests takes longer. */
const PINHOLE_TIMEOUT_MS = 40_000;
/** Nobody out there knows the way to it. */
const NOT_ROUTED = "2a0a:68::/64";

let sharing: Sharing | undefined;
afterEach(async () => {
  await sharing?.dispose();
  sharing = undefined;
});

async function started(prepare?: (made: Sharing) => Promise<void>): Promise<Sharing> {
  const made = await Sharing.create();
  sharing = made;
  await prepare?.(made);
  await made.node.mustRun(["settings", "set", `egressTargets=${JSON.stringify([TARGET])}`]);
  await made.node.mustRun(["on"]);
  await made.waitForPhase("running");
  return made;
}

/** A prefix that the provider routes to the home, and the home's router to the node. */
async function route(made: Sharing, prefix: string): Promise<void> {
  await made.lab.host("inet").ip([`route add ${prefix} via ${WAN.customer.ipv6}`]);
  await made.lab.router.host.ip([`route add ${prefix} via ${LAN.node.ipv6}`]);
}

async function exitOf(made: Sharing): Promise<ExitState> {
  const { exit } = await made.state();
  return exit ?? expect.fail("the node does not share");
}

/** The state of guests' IPv6 once it was tried. */
function tried(made: Sharing): Promise<Extract<Ipv6State, { state: "on" }>> {
  return poll(
    "IPv6 to be tried",
    async () => {
      const { ipv6 } = await exitOf(made);
      return ipv6.state === "on" && ipv6.check !== undefined ? ipv6 : undefined;
    },
    { timeoutMs: 20_000, intervalMs: 100 },
  );
}

async function whoami(guest: Guest, family: 4 | 6): Promise<string> {
  const page = await guest.fetch(`http://${WEB_NAME}/whoami`, { family });
  expect(page).toMatchObject({ ok: true, status: 200 });
  return (JSON.parse(page.body ?? "") as { address: string }).address;
}

describe.skipIf(!requireLab())("guests' IPv6", () => {
  it("leaves with the node's address where no prefix is routed to it", async () => {
    const made = await started();
    expect(await tried(made)).toMatchObject({ mode: "nat66", check: { outcome: "passed" } });
    const guest = await made.connectGuest("Ann");
    expect(await whoami(guest, 6)).toBe(LAN.node.ipv6);
    expect((await exitOf(made)).reach.ipv6).toEqual({ host: LAN.node.ipv6, port: 51820 });
  });

  it("leaves with the same host part of a prefix that the owner names, and back again with the same configuration", async () => {
    const made = await started((one) => route(one, ROUTED));
    const guest = await made.connectGuest("Ann");
    expect(await whoami(guest, 6)).toBe(LAN.node.ipv6);
    await made.node.mustRun(["settings", "set", `guestIpv6Prefix=${ROUTED}`]);
    expect(await tried(made)).toMatchObject({ mode: "nptv6", prefix: ROUTED, check: { outcome: "passed" } });
    expect(await whoami(guest, 6)).toBe("2a0a:66:0:1::2");
    // Nobody comes in who was not asked for, not even past the router's filter; nothing runs in circles with the router.
    await guest.listen(8085);
    expect(await made.user("router").tcpProbe("2a0a:66:0:1::2", 8085)).toBe("silence");
    expect(await made.user("router").ping("2a0a:66:0:1::9")).toMatchObject({ received: 0 });
    await made.node.mustRun(["settings", "set", "guestIpv6Mode=nat66"]);
    expect(await whoami(guest, 6)).toBe(LAN.node.ipv6);
    await made.node.mustRun(["off"]);
    expect(await made.node.host.mustExec(["ip6tables-save"])).not.toContain("HIGGS");
  });

  it("leaves with a part of the prefix that was delegated to the machine, which is found", async () => {
    const made = await started(async (one) => {
      await route(one, DELEGATED);
      // As systemd-networkd and dhcpcd hold a delegated prefix.
      await one.node.host.ip([`route add unreachable ${DELEGATED} dev lo`]);
    });
    const ipv6 = await tried(made);
    expect(ipv6).toMatchObject({ mode: "nptv6", prefix: "2a0a:67:0:ff::/64", check: { outcome: "passed" } });
    expect(ipv6.reason).toContain("delegated");
    const guest = await made.connectGuest("Ann");
    expect(await whoami(guest, 6)).toBe("2a0a:67:0:ff::2");
  });

  it("leaves untranslated with addresses of a prefix that is routed to the node", async () => {
    const made = await started(async (one) => {
      await route(one, ROUTED);
      await one.node.mustRun(["settings", "set", `guestIpv6=${ROUTED}`]);
    });
    expect(await tried(made)).toMatchObject({ mode: "routed", prefix: ROUTED, check: { outcome: "passed" } });
    const configuration = await made.node.addClient("Ann");
    expect(configuration).toMatch(/^Address = .*2a0a:66:0:1::2\/128/m);
    const guest = await made.lab.addGuest();
    await guest.up(configuration);
    await guest.waitForHandshake();
    expect(await whoami(guest, 6)).toBe("2a0a:66:0:1::2");
    await guest.listen(8085);
    expect(await made.user("router").tcpProbe("2a0a:66:0:1::2", 8085)).toBe("silence");
    // Isolation is the same as ever.
    await made.user("neighbour").listen(8080);
    expect(await guest.tcpConnects(LAN.neighbour.ipv6, 8080)).toBe(false);
  });

  it("is said not to work where nobody answers to it, and IPv4 works all the same", async () => {
    const made = await started(async (one) => {
      await one.node.mustRun(["settings", "set", `guestIpv6Prefix=${NOT_ROUTED}`]);
    });
    expect(await tried(made)).toMatchObject({
      mode: "nptv6",
      check: { outcome: "failed", error: { code: "ipv6-no-answer" } },
    });
    const guest = await made.connectGuest("Ann");
    expect(await whoami(guest, 4)).toContain(WAN.customer.ipv4);
    expect(await made.node.mustRun(["status"])).toContain("Nobody on the internet answers");
  });

  it("is left out, with the reason, where the kernel has no IPv6 address translation, and IPv4 works all the same", async () => {
    const made = await started(async (one) => {
      const { host } = one.node;
      // The helper looks here first; only this host sees it.
      await host.mustExec(["mount", "-t", "tmpfs", "tmpfs", "/usr/local/sbin"]);
      const wrapper = `#!/bin/sh
text=$(cat)
case "$text" in
  *'*nat'*) echo "ip6tables-restore: unable to initialize table 'nat'" >&2; exit 3 ;;
esac
printf '%s\\n' "$text" | /usr/sbin/ip6tables-restore "$@"
`;
      await host.writeFile("/usr/local/sbin/ip6tables-restore", wrapper, 0o755);
    });
    const { ipv6 } = await exitOf(made);
    expect(ipv6).toMatchObject({ state: "failed", error: { code: "firewall-refused" } });
    expect(await made.node.mustRun(["status"])).toContain("unable to initialize table 'nat'");
    const guest = await made.connectGuest("Ann");
    expect(await whoami(guest, 4)).toContain(WAN.customer.ipv4);
    // Nothing of the guest's goes round the tunnel.
    expect((await guest.fetch(`http://[${INTERNET.web.ipv6}]/whoami`, { timeoutMs: 3_000 })).ok).toBe(false);
  });

  it("costs the machine none of the routes it learns by router advertisement, on and off", async () => {
    const acceptRa = (made: Sharing) => made.node.host.readFile("/proc/sys/net/ipv6/conf/eth0/accept_ra");
    const learnt = async (made: Sharing) => {
      const routes = await made.node.host.mustExec(["ip", "-6", "route", "show", "default"]);
      return /^default via fe80:\S+ dev eth0 proto (?:ra|kernel)/m.test(routes);
    };
    const made = await started(async (one) => {
      const { host } = one.node;
      await host.mustExec(["ip", "-6", "route", "del", "default"]);
      await host.ip([`address del ${LAN.node.ipv6}/64 dev eth0`]);
      await host.mustExec(["sysctl", "-q", "-w", "net.ipv6.conf.eth0.accept_ra=1", "net.ipv6.conf.eth0.autoconf=1"]);
      const [prefix = "", length = ""] = LAN.ipv6.split("/");
      const advertiser = one.lab.router.host.spawn(["perl", ADVERTISER, "br-lan", prefix, length]);
      await advertiser.line((line) => line === "advertising", 10_000);
      await poll("the default route to be learnt", async () => ((await learnt(one)) ? true : undefined), {
        timeoutMs: 15_000,
      });
    });
    expect(await acceptRa(made)).toBe("2\n");
    expect(await learnt(made)).toBe(true);
    expect(await tried(made)).toMatchObject({ mode: "nat66", check: { outcome: "passed" } });
    const guest = await made.connectGuest("Ann");
    expect(await whoami(guest, 6)).toMatch(/^2a0a:77:/);
    // A route that is gone comes back with the next advertisement, also while the machine forwards.
    await made.node.host.mustExec(["ip", "-6", "route", "del", "default"]);
    await poll("the route to be learnt again", async () => ((await learnt(made)) ? true : undefined), {
      timeoutMs: 10_000,
    });
    await made.node.mustRun(["off"]);
    expect(await acceptRa(made)).toBe("1\n");
    expect(await learnt(made)).toBe(true);
  });

  it.each([
    ["PCP", {}],
    ["UPnP, where it does not hear PCP", { protocols: ["upnp"], igd: 2 }],
  ] as const)(
    "brings guests in through a pinhole that the router opens by %s, and closes it again",
    async (_, router) => {
      const made = await Sharing.create({ router: { mapping: "miniupnpd", portForward51820: false, ...router } });
      sharing = made;
      await made.node.mustRun(["settings", "set", "publicEndpoint=auto"]);
      const rules = async () => (await made.lab.router.mapping?.rules()) ?? "";
      await made.node.mustRun(["on"]);
      await made.waitForPhase("running");
      const endpoint = `[${LAN.node.ipv6}]:51820`;
      const configuration = await poll(
        "the pinhole to be in the configuration",
        async () => {
          const text = (await made.node.run(["client", "list", "--json"])).stdout.includes("Ann")
            ? await made.node.mustRun(["client", "config", "Ann"])
            : await made.node.addClient("Ann");
          return text.includes(`Endpoint = ${endpoint}`) ? text : undefined;
        },
        { timeoutMs: PINHOLE_TIMEOUT_MS, intervalMs: 250 },
      );
      // The address as nft prints the raw payload that miniupnpd compares.
      await poll(
        "the pinhole",
        async () => (await rules()).includes("0x2a0a0077000000000000000000000010") || undefined,
        {
          timeoutMs: PINHOLE_TIMEOUT_MS,
        },
      );
      const guest = await made.lab.addGuest();
      await guest.up(configuration.replace(/^Endpoint = .*$/m, `Endpoint = ${endpoint}`));
      await guest.waitForHandshake();
      expect(await whoami(guest, 4)).toContain(WAN.customer.ipv4);
      expect(await made.node.mustRun(["status"])).toContain(`lets guests in at ${endpoint}`);
      expect(JSON.parse(await made.node.mustRun(["status", "--json"]))).toMatchObject({
        pinhole: { state: "open", protocol: "protocols" in router ? "upnp" : "pcp" },
      });
      await made.node.mustRun(["off"]);
      await poll("the pinhole to be closed", async () => ((await rules()).includes("0x2a0a0077") ? undefined : true), {
        timeoutMs: 20_000,
      });
    },
  );

  it.each([
    ["PCP", {}],
    ["UPnP", { protocols: ["upnp"], igd: 2 }],
  ] as const)("has an earlier run's pinhole taken over after everything was killed (%s)", async (_, router) => {
    const made = await Sharing.create({ router: { mapping: "miniupnpd", portForward51820: false, ...router } });
    sharing = made;
    const open = () =>
      poll(
        "the pinhole to be open",
        async () => {
          const printed = await made.node.mustRun(["status", "--json"]);
          const { pinhole } = JSON.parse(printed) as { pinhole?: { state: string } };
          return pinhole?.state === "open" ? true : undefined;
        },
        { timeoutMs: PINHOLE_TIMEOUT_MS, intervalMs: 250 },
      );
    await made.node.mustRun(["on"]);
    await open();
    made.node.host.kill(made.nodePid(), "SIGKILL");
    made.node.host.kill(made.helperPid(), "SIGKILL");
    await made.node.start({ panelPort: false });
    await open();
    await made.node.mustRun(["off"]);
    await poll(
      "the pinhole to be closed",
      async () => ((await made.lab.router.mapping?.rules())?.includes("0x2a0a0077") ? undefined : true),
      { timeoutMs: 20_000 },
    );
  });
});
