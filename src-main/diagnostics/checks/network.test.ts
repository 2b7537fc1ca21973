import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../../src-shared/model/settings.ts";
import { FakeResolver } from "../../dns/testing/fake-resolver.ts";
import { HOME, link, observation } from "../../routing/testing/observation.ts";
import type { CheckContext, Verdict } from "../check.ts";
import { alone, PLAN, sharing, unprivileged, verdictOf } from "../testing/check-context.ts";
import { networkChecks } from "./network.ts";

const IPV4_ONLY = observation([link("eth0", ["192.168.1.20/24"])], ["default via 192.168.1.1 dev eth0"]);

/** TCP to these is refused by the kernel itself, so that nothing is sent. */
const BROADCAST = "255.255.255.255:443";
const MULTICAST = "[ff0e::1]:443";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe("the uplink", () => {
  it("is named with its gateway", async () => {
    expect(await verdictOf(networkChecks, "network.uplink4", alone())).toEqual({
      outcome: "pass",
      detail: "eth0 through 192.168.1.1.",
    });
    const direct = observation([link("ppp0", ["198.51.100.7/32"])], ["default dev ppp0"]);
    expect((await verdictOf(networkChecks, "network.uplink4", alone({ observation: direct }))).detail).toBe(
      "ppp0 through the link itself.",
    );
  });

  it("must be there for IPv4, and may be missing for IPv6", async () => {
    const none = alone({ observation: observation([], []) });
    expect((await verdictOf(networkChecks, "network.uplink4", none)).outcome).toBe("fail");
    const ipv4Only = alone({ observation: IPV4_ONLY });
    expect((await verdictOf(networkChecks, "network.uplink6", ipv4Only)).outcome).toBe("skipped");
    expect((await verdictOf(networkChecks, "network.uplink6", alone())).outcome).toBe("pass");
  });
});

describe("the internet", () => {
  async function listener(): Promise<{ endpoint: string; server: Server }> {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no TCP address");
    return { endpoint: `127.0.0.1:${address.port}`, server };
  }

  function close(server: Server): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
    });
  }

  function egress(family: 4 | 6, targets: string[], context: CheckContext = alone()): Promise<Verdict> {
    const settings = { ...DEFAULT_SETTINGS, egressTargets: targets };
    return verdictOf(networkChecks, `network.egress${family}`, { ...context, settings });
  }

  it("answers where one target does, and only that one is said to have been reached", async () => {
    const { endpoint, server } = await listener();
    closers.push(() => close(server));
    expect(await egress(4, [BROADCAST, endpoint])).toEqual({ outcome: "pass", detail: `Reached ${endpoint}.` });
  });

  it("answers also with a refusal, which comes from the other end", async () => {
    const { endpoint, server } = await listener();
    await close(server);
    expect(await egress(4, [endpoint])).toEqual({ outcome: "pass", detail: `Reached ${endpoint}.` });
  });

  it("is out of reach where nothing answers: a failure for IPv4, a warning for IPv6", async () => {
    expect(await egress(4, [BROADCAST])).toMatchObject({ outcome: "fail", detail: `Nothing answers (${BROADCAST}).` });
    expect(await egress(6, [MULTICAST])).toMatchObject({ outcome: "warn", detail: `Nothing answers (${MULTICAST}).` });
  });

  it("is not tried without a target of the family, nor over IPv6 where the network has none", async () => {
    expect(await egress(6, [BROADCAST])).toMatchObject({ outcome: "skipped" });
    expect(await egress(6, [MULTICAST], alone({ observation: IPV4_ONLY }))).toEqual({
      outcome: "skipped",
      detail: "This network has no IPv6.",
    });
    expect((await egress(6, [MULTICAST], unprivileged())).outcome).toBe("warn");
  });
});

describe("guests' DNS", () => {
  async function resolver(): Promise<FakeResolver> {
    const started = await FakeResolver.start();
    closers.push(() => started.close());
    return started;
  }

  function ask(port: number): Promise<Verdict> {
    const context = sharing({}, { dnsPort: port, plan: { ...PLAN, tunnelAddresses: ["127.0.0.1"] } });
    return verdictOf(networkChecks, "network.guest-dns", context);
  }

  it("is answered by the node", async () => {
    const { port } = await resolver();
    expect(await ask(port)).toEqual({ outcome: "pass", detail: `Answered by 127.0.0.1:${port}.` });
  });

  it("is out of order where nobody listens", async () => {
    const gone = await FakeResolver.start();
    await gone.close();
    expect(await ask(gone.port)).toMatchObject({ outcome: "fail", detail: expect.stringContaining("ECONNREFUSED") });
  });

  it("is not asked while sharing is off", async () => {
    expect(await verdictOf(networkChecks, "network.guest-dns", alone())).toEqual({
      outcome: "skipped",
      detail: "Sharing is off.",
    });
  });
});

describe("the guest network", () => {
  it("collides with none of an ordinary home", async () => {
    expect(await verdictOf(networkChecks, "network.guest-prefix", alone())).toEqual({
      outcome: "pass",
      detail: "Guests get 10.66.0.0/16.",
    });
  });

  it("must not be one that the machine is in already", async () => {
    const settings = { ...DEFAULT_SETTINGS, guestIpv4: "192.168.0.0/16" };
    const verdict = await verdictOf(networkChecks, "network.guest-prefix", alone({ observation: HOME }, { settings }));
    expect(verdict).toMatchObject({ outcome: "fail", detail: expect.stringContaining("192.168.1.0/24") });
  });
});
