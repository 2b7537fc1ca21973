import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { decode, encode } from "dns-packet";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src-shared/clock.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { HOME, observation } from "../routing/testing/observation.ts";
import { addressConflict } from "./address-conflict.ts";
import { probeDisk } from "./disk-probe.ts";
import { probeDns } from "./dns-probe.ts";
import { probeEgress } from "./egress-probe.ts";
import { RememberedProbe } from "./remembered-probe.ts";

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A name server on loopback that answers with the given code; `unreadable` sends what is no message. */
async function answerer(code: number, unreadable = false): Promise<number> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  socket.on("message", (message, from) => {
    if (unreadable) socket.send("?", from.port, from.address);
    const { id, questions } = decode(message);
    const flags = code;
    const answer = encode({
      type: "response",
      ...(id === undefined ? {} : { id }),
      flags,
      ...(questions && { questions }),
    });
    socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}

describe("the question to the answerer", () => {
  it.each([
    ["an answer", 0],
    ["a name that does not exist", 3],
  ])("is good with %s", async (_, code) => {
    const port = await answerer(code, true);
    expect(await probeDns({ address: "127.0.0.1", port, clock: systemClock })).toEqual({ state: "good" });
  });

  it("is bad where no resolver answers, and says that it is not our own part", async () => {
    const port = await answerer(2);
    expect(await probeDns({ address: "127.0.0.1", port, clock: systemClock })).toMatchObject({
      state: "bad",
      error: { code: "dns-no-resolver" },
    });
  });

  it("is bad where nobody answers at all", async () => {
    const silent = createSocket("udp4");
    closers.push(() => silent.close());
    await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
    const clock = new FakeClock();
    const asked = probeDns({ address: "127.0.0.1", port: silent.address().port, clock });
    await clock.advance(60_000);
    expect(await asked).toMatchObject({ state: "bad", error: { code: "dns-silent" } });
  });

  it("is bad where the address is gone", async () => {
    const verdict = await probeDns({ address: "192.0.2.1", port: 53, clock: systemClock });
    expect(verdict).toMatchObject({ state: "bad", error: { code: "dns-silent" } });
  });
});

describe("the connection to the internet", () => {
  const ask = (targets: string[], family: 4 | 6 = 4) =>
    probeEgress({ family, from: "127.0.0.1", targets, clock: systemClock });

  it("is good with one that accepts, and with one that refuses", async () => {
    const server = createServer((socket) => socket.destroy());
    closers.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await ask([`127.0.0.1:${port}`])).toEqual({ state: "good" });
    expect(await ask(["127.0.0.1:1", "[::1]:1"])).toEqual({ state: "good" });
  });

  it("is bad where no packet can leave, whatever the reason", async () => {
    // From loopback nothing reaches another network.
    const clock = new FakeClock();
    const asked = probeEgress({ family: 4, from: "127.0.0.1", targets: ["192.0.2.1:443"], clock });
    await clock.advance(60_000);
    expect(await asked).toMatchObject({ state: "bad", error: { code: "egress-no-answer" } });
    expect(clock.pending).toBe(0);
  });

  it("is off where nobody of that family is to be asked", async () => {
    expect(await ask([])).toEqual({ state: "off" });
    expect(await ask(["127.0.0.1:1"], 6)).toEqual({ state: "off" });
  });
});

describe("room on the disk", () => {
  it("is good or bad by what is free to us", async () => {
    expect(await probeDisk("/", async () => ({ bavail: 1_000_000, bsize: 4_096 }))).toEqual({ state: "good" });
    const full = await probeDisk("/", async () => ({ bavail: 1_000, bsize: 4_096 }));
    expect(full).toMatchObject({ state: "bad", error: { code: "disk-full" } });
    expect(full.error?.message).toContain("3 MiB");
  });

  it("is read from the system", async () => {
    expect(["good", "bad"]).toContain((await probeDisk("/")).state);
    await expect(probeDisk("/nowhere/at/all")).rejects.toThrow();
  });
});

describe("a remembered probe", () => {
  it("asks once for all, remembers what is good, and asks again for anything else", async () => {
    const clock = new FakeClock();
    let asked = 0;
    let verdict: HealthVerdict = { state: "good" };
    const probe = new RememberedProbe({
      clock,
      goodForMs: 1_000,
      probe: async () => {
        asked++;
        return verdict;
      },
    });
    await Promise.all([probe.ask(), probe.ask()]);
    await probe.ask();
    expect(asked).toBe(1);
    await clock.advance(1_000);
    verdict = { state: "unknown" };
    await probe.ask();
    await probe.ask();
    expect(asked).toBe(3);
  });

  it("does not remember an answer to what has changed meanwhile", async () => {
    const held = Promise.withResolvers<HealthVerdict>();
    let asked = 0;
    const probe = new RememberedProbe({
      clock: new FakeClock(),
      goodForMs: 1_000,
      probe: () => {
        asked++;
        return held.promise;
      },
    });
    const first = probe.ask();
    probe.forget();
    held.resolve({ state: "good" });
    await first;
    await probe.ask();
    expect(asked).toBe(2);
  });
});

describe("addressConflict", () => {
  const spec = {
    guests: { ipv4: "10.66.0.0/16", ipv6: null },
    wireguard: { interfaceName: "higgs0", listenPort: 51820, mtu: 1420, addresses: [], peers: [] },
  };

  it("names what overlaps, and nothing of our own interface", () => {
    expect(addressConflict(spec, HOME)).toBeUndefined();
    expect(addressConflict(spec, observation([], ["10.66.0.0/16 dev higgs0"]))).toBeUndefined();
    expect(addressConflict(spec, observation([], ["10.66.3.0/24 dev docker0"]))).toBe(
      "The guests' network 10.66.0.0/16 overlaps the network 10.66.3.0/24 on docker0.",
    );
  });
});
