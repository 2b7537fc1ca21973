import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Guest, INTERNET, LAN, requireLab, sha256OfSeededBytes, WAN, WEB_NAME } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

const FILE_BYTES = 50_000_000;
const FILE_TIMEOUT_MS = 90_000;
const TUNNEL_ADDRESS = "10.66.0.1";

describe.skipIf(!requireLab())("a stranger with a stock WireGuard client", () => {
  let sharing: Sharing;
  let guest: Guest;

  beforeAll(async () => {
    sharing = await Sharing.on();
    guest = await sharing.connectGuest("Anna's laptop");
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  it("gets a handshake", async () => {
    expect(await guest.handshakeAge()).toBeLessThan(60);
  });

  it("resolves names through the exit, over UDP and over TCP", async () => {
    const resolved = await guest.resolve(WEB_NAME);
    expect(resolved.records).toEqual([INTERNET.web.ipv4]);
    const large = await guest.resolve("big.example.test", { type: "TXT" });
    expect(large.records.join("").length).toBeGreaterThan(512);
    const asked = sharing.lab.dnsQueries().filter(({ name }) => name === WEB_NAME);
    expect(asked.length).toBeGreaterThan(0);
  });

  it("fetches a page over IPv4 and is seen with the address of the node's home", async () => {
    const page = await guest.fetch(`http://${WEB_NAME}/whoami`, { family: 4 });
    expect(page).toMatchObject({ ok: true, status: 200 });
    expect(JSON.parse(page.body ?? "")).toMatchObject({ address: expect.stringContaining(WAN.customer.ipv4) });
  });

  it("fetches a page over IPv6 and is seen with the node's address", async () => {
    const page = await guest.fetch(`http://${WEB_NAME}/whoami`, { family: 6 });
    expect(page).toMatchObject({ ok: true, status: 200 });
    expect(JSON.parse(page.body ?? "")).toMatchObject({ address: LAN.node.ipv6 });
  });

  it.each([4, 6] as const)("moves a 50 MB file intact in both directions over IPv%d", async (family) => {
    const expected = sha256OfSeededBytes(FILE_BYTES, family);
    const options = { family, timeoutMs: FILE_TIMEOUT_MS };
    const down = await guest.fetch(`http://${WEB_NAME}/bytes?n=${FILE_BYTES}&seed=${family}`, options);
    expect(down).toMatchObject({ ok: true, bytes: FILE_BYTES, sha256: expected });
    const up = await guest.fetch(`http://${WEB_NAME}/sink`, { ...options, put: FILE_BYTES, seed: family });
    expect(JSON.parse(up.body ?? "")).toEqual({ bytes: FILE_BYTES, sha256: expected });
  });

  it("does not reach another machine in the node's home, over either family", async () => {
    const neighbour = sharing.user("neighbour");
    await neighbour.listen(8080);
    expect(await sharing.user("rival").tcpProbe(LAN.neighbour.ipv4, 8080)).toBe("connected");
    expect(await sharing.user("rival").tcpProbe(LAN.neighbour.ipv6, 8080)).toBe("connected");
    for (const address of [LAN.neighbour.ipv4, LAN.neighbour.ipv6]) {
      expect(await guest.tcpConnects(address, 8080)).toBe(false);
      expect(await guest.udpAnswers(address, 8080)).toBe(false);
      expect(await guest.ping(address)).toMatchObject({ received: 0 });
    }
    for (const address of [LAN.router.ipv4, LAN.router.ipv6])
      expect(await guest.ping(address)).toMatchObject({ received: 0 });
  });

  it("does not reach any port of the node but DNS", async () => {
    await sharing.user("node").listen(8081);
    expect(await sharing.user("rival").tcpProbe(LAN.node.ipv4, 8081)).toBe("connected");
    const tunnelIpv6 = (await sharing.node.host.mustExec(["ip", "-6", "-o", "address", "show", "dev", "higgs0"])).match(
      /inet6 (fd[0-9a-f:]+)\//,
    )?.[1];
    if (tunnelIpv6 === undefined) throw new Error("the node has no IPv6 address in the tunnel");
    for (const address of [TUNNEL_ADDRESS, tunnelIpv6, LAN.node.ipv4, LAN.node.ipv6]) {
      expect(await guest.tcpConnects(address, 8081)).toBe(false);
      expect(await guest.udpAnswers(address, 8081)).toBe(false);
    }
    expect((await guest.resolve(WEB_NAME, { server: TUNNEL_ADDRESS })).records).toEqual([INTERNET.web.ipv4]);
    expect((await guest.resolve(WEB_NAME, { server: tunnelIpv6 })).records).toEqual([INTERNET.web.ipv4]);
    expect(await guest.ping(TUNNEL_ADDRESS)).toMatchObject({ received: 1 });
  });

  it("does not reach another guest", async () => {
    const other = await sharing.connectGuest("Boris");
    await other.listen(8082);
    const [address] = (await other.host.mustExec(["ip", "-4", "-o", "address", "show", "dev", "wg0"])).match(
      /10\.66\.\d+\.\d+/,
    ) ?? [""];
    expect(await other.tcpProbe(address, 8082)).toBe("connected");
    expect(await guest.tcpConnects(address, 8082)).toBe(false);
    expect(await guest.ping(address)).toMatchObject({ received: 0 });
  });

  it("cannot send mail to servers, but reaches their other ports", async () => {
    await sharing.user("inet").listen(25);
    await sharing.user("inet").listen(26);
    expect(await guest.tcpProbe(INTERNET.web.ipv4, 26)).toBe("connected");
    expect(await guest.tcpProbe(INTERNET.web.ipv4, 25)).toBe("refused");
    expect(await guest.tcpProbe(INTERNET.web.ipv6, 25)).toBe("refused");
  });

  it("reaches what the owner allows, and nothing beside it", async () => {
    await sharing.node.mustRun([
      "settings",
      "set",
      `allowedDestinations=[{"destination":"${LAN.neighbour.ipv4}/32","protocol":"tcp","port":8080}]`,
    ]);
    expect(await guest.tcpConnects(LAN.neighbour.ipv4, 8080)).toBe(true);
    expect(await guest.udpAnswers(LAN.neighbour.ipv4, 8080)).toBe(false);
    expect(await guest.tcpConnects(LAN.neighbour.ipv6, 8080)).toBe(false);
    await sharing.node.mustRun(["settings", "set", "allowedDestinations=[]"]);
    expect(await guest.tcpConnects(LAN.neighbour.ipv4, 8080)).toBe(false);
  });
});
