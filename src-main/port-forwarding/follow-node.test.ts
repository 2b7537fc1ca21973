import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { silentLogger } from "../logs/testing/recording-log.ts";
import { followNode, type SharedPort } from "./follow-node.ts";
import { MappingJournal } from "./mapping-journal.ts";
import { PortForwardingService } from "./port-forwarding-service.ts";
import { FakeRouter, NETWORK } from "./testing/fake-router.ts";

function rig() {
  const clock = new FakeClock();
  const router = new FakeRouter(clock);
  const logger = silentLogger();
  const journal = new MappingJournal({ kv: { get: () => undefined, set: () => {} }, clock, logger });
  const ports = new PortForwardingService({ io: router.io, journal, logger });
  return { clock, router, ports, follow: followNode(ports) };
}

const AUTO = { portMapping: "auto" } as const;
const at = (listenPort: number): SharedPort => ({ listenPort, surroundings: { kind: "router", network: NETWORK } });

describe("followNode", () => {
  it("maps while the node shares, once however often it is told", async () => {
    const { clock, router, ports, follow } = rig();
    for (let index = 0; index < 5; index++) follow(AUTO, at(51820));
    await clock.advance(4_000);
    expect([...router.mapped]).toEqual([[51820, 51820]]);
    const sent = router.sent.length;
    for (let index = 0; index < 50; index++) follow(AUTO, at(51820));
    await clock.advance(4_000);
    expect(router.sent).toHaveLength(sent);
    follow(AUTO, undefined);
    await clock.advance(100);
    expect(router.mapped.size).toBe(0);
    expect(ports.state).toEqual({ state: "off" });
    expect(clock.pending).toBe(0);
  });

  it("follows WireGuard to another port", async () => {
    const { clock, router, ports, follow } = rig();
    follow(AUTO, at(51820));
    await clock.advance(100);
    follow(AUTO, at(51999));
    await clock.advance(100);
    expect([...router.mapped]).toEqual([[51999, 51999]]);
    expect(ports.state).toMatchObject({ state: "mapped", internalPort: 51999 });
    await ports.cleanup();
  });

  it.each([
    ["is told not to", { portMapping: "off" }, at(51820)],
    ["has a public address", AUTO, { listenPort: 51820, surroundings: { kind: "public" } }],
    ["does not share", AUTO, undefined],
  ] as const)("sends nothing for a node that %s", async (_, settings, shared) => {
    const { clock, router, ports, follow } = rig();
    follow(settings, shared);
    await clock.advance(60_000);
    expect(router.sent).toEqual([]);
    expect(ports.state).toEqual({ state: "off" });
  });
});
