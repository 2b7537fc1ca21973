import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src-shared/clock.ts";
import type { PhaseState } from "../../src-shared/model/node-state.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { FAKE_EXIT } from "../ipc/testing/fake-node.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { checkIpv6, type Ipv6Question } from "./check-ipv6.ts";
import { Ipv6Checker } from "./ipv6-checker.ts";

const SINCE = "2026-01-01T00:00:00.000Z";
const SHARING: PhaseState = {
  phase: "running",
  since: SINCE,
  exit: { ...FAKE_EXIT, ipv6: { state: "on", mode: "nat66" } },
};
const TUNNEL = ["10.66.0.1", "fd00::1"];
const TARGETS = ["1.1.1.1:443", "[2606:4700:4700::1111]:443"];

function rig() {
  const clock = new FakeClock();
  const asked: Ipv6Question[] = [];
  const found = { answer: ok({ host: "2606:4700:4700::1111", port: 443 }) as Awaited<ReturnType<typeof checkIpv6>> };
  let told = 0;
  const checker = new Ipv6Checker({
    clock,
    logger: silentLogger(),
    targets: () => TARGETS,
    onChange: () => void told++,
    check: async (question) => {
      asked.push(question);
      return found.answer;
    },
  });
  const checkOf = (state: PhaseState) => {
    const completed = checker.complete(state);
    return completed.phase === "running" && completed.exit.ipv6.state === "on" ? completed.exit.ipv6.check : undefined;
  };
  return { clock, asked, checker, checkOf, found, told: () => told };
}

describe("the trial of guests' IPv6", () => {
  it("is made from the node's tunnel address to the IPv6 targets, once for all that changes nothing", async () => {
    const { clock, asked, checker, checkOf, told } = rig();
    for (let count = 0; count < 3; count++) checker.update(SHARING, TUNNEL);
    await clock.advance(0);
    expect(asked).toMatchObject([{ from: "fd00::1", targets: [{ host: "2606:4700:4700::1111", port: 443 }] }]);
    expect(checkOf(SHARING)).toMatchObject({ outcome: "passed" });
    expect(told()).toBe(1);
    checker.dispose();
    expect(clock.pending).toBe(0);
  });

  it("is made again after ten minutes and where the mode changes, and tells why it failed", async () => {
    const { clock, asked, checker, checkOf, found } = rig();
    checker.update(SHARING, TUNNEL);
    await clock.advance(0);
    found.answer = fail("ipv6-no-answer", "Nobody answers.");
    await clock.advance(10 * 60_000);
    expect(checkOf(SHARING)).toMatchObject({ outcome: "failed", error: { code: "ipv6-no-answer" } });
    const other: PhaseState = {
      ...SHARING,
      exit: { ...SHARING.exit, ipv6: { state: "on", mode: "nptv6", prefix: "2a0a::/64" } },
    } as PhaseState;
    checker.update(other, TUNNEL);
    expect(checkOf(other)).toBeUndefined();
    await clock.advance(0);
    expect(asked).toHaveLength(3);
    checker.dispose();
  });

  it("is not made while the node does not share, and what was found is forgotten then", async () => {
    const { clock, asked, checker, checkOf } = rig();
    checker.update({ phase: "stopped", since: SINCE }, []);
    expect(asked).toEqual([]);
    checker.update(SHARING, TUNNEL);
    await clock.advance(0);
    checker.update({ phase: "stopping", since: SINCE }, []);
    expect(checkOf(SHARING)).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});

describe("a connection over IPv6", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function portOf(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen({ host: "::1", port: 0 }, resolve));
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  function ask(ports: number[], from = "::1", signal = new AbortController().signal): Promise<Result<unknown>> {
    return checkIpv6({ from, targets: ports.map((port) => ({ host: "::1", port })), signal }, systemClock);
  }

  it("counts when one of the targets accepts or refuses it", async () => {
    const port = await portOf(createServer((socket) => socket.destroy()));
    expect(await ask([port])).toMatchObject({ ok: true, value: { port } });
    const closed = createServer();
    const closedPort = await portOf(closed);
    await new Promise((resolve) => closed.close(resolve));
    expect((await ask([closedPort])).ok).toBe(true);
  });

  it("fails from an address that is not there, when it is given up, and where nobody is named", async () => {
    const port = await portOf(createServer((socket) => socket.destroy()));
    expect(await ask([port], "2a0a:dead::1")).toMatchObject({ error: { code: "ipv6-no-answer" } });
    expect(await ask([port], "::1", AbortSignal.abort())).toMatchObject({ error: { code: "ipv6-no-answer" } });
    expect(await ask([])).toMatchObject({ error: { code: "ipv6-no-target" } });
  });
});
