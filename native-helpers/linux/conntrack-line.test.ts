import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectionsEventSchema } from "../../src-shared/helper/connections.ts";
import { parseConntrackLine } from "./conntrack-line.ts";

// Printed by conntrack v1.4.7 on Linux 6.18.
const TCP =
  "[1795358045.344832]\t[DESTROY] ipv4     2 tcp      6 119 TIME_WAIT src=10.66.0.2 dst=203.0.113.7 sport=50323 dport=8000 packets=4 bytes=316 src=203.0.113.7 dst=192.168.77.10 sport=8000 dport=50323 packets=5 bytes=216 [ASSURED] delta-time=1 id=1565310838 [USERSPACE] portid=3678095458";
const UDP =
  "[1795358045.344959]\t[DESTROY] ipv4     2 udp      17 29 src=10.66.0.2 dst=203.0.113.7 sport=50543 dport=999 packets=1 bytes=30 [UNREPLIED] src=203.0.113.7 dst=192.168.77.10 sport=999 dport=50543 packets=0 bytes=0 delta-time=0";
const ICMP6 =
  "[1795358045.344689]\t[DESTROY] ipv6     10 icmpv6   58 29 src=fd00::2 dst=2001:db8::1 type=128 code=0 id=27306 packets=1 bytes=104 src=2001:db8::1 dst=2001:db8:77::10 type=129 code=0 id=27306 packets=1 bytes=104 delta-time=30 id=3023709395";
const UNCOUNTED =
  "[1795358045.344832]\t[DESTROY] ipv6     10 tcp      6 src=fd00::2 dst=2001:db8::1 sport=50323 dport=443 src=2001:db8::1 dst=2001:db8:77::10 sport=443 dport=50323 [ASSURED]";
const UNNAMED =
  "[1795358045.344832]\t[DESTROY] ipv4     2 unknown  47 src=10.66.0.2 dst=203.0.113.7 src=203.0.113.7 dst=192.168.77.10";

describe("parseConntrackLine", () => {
  it("reads the connection as the guest made it, with what went each way", () => {
    expect(parseConntrackLine(TCP)).toEqual({
      protocol: "tcp",
      source: "10.66.0.2",
      destination: "203.0.113.7",
      destinationPort: 8000,
      sent: { bytes: 316, packets: 4 },
      received: { bytes: 216, packets: 5 },
      endedAtMs: 1_795_358_045_344,
      durationSeconds: 1,
    });
  });

  it("reads a datagram that nobody answered", () => {
    expect(parseConntrackLine(UDP)).toMatchObject({
      protocol: "udp",
      destinationPort: 999,
      sent: { bytes: 30, packets: 1 },
      received: { bytes: 0, packets: 0 },
    });
  });

  it("reads an echo request over IPv6, which has no port", () => {
    expect(parseConntrackLine(ICMP6)).toMatchObject({
      protocol: "icmpv6",
      source: "fd00::2",
      destination: "2001:db8::1",
      destinationPort: null,
      durationSeconds: 30,
    });
  });

  it("says that nothing was counted where the kernel does not count", () => {
    expect(parseConntrackLine(UNCOUNTED)).toMatchObject({ sent: null, received: null, durationSeconds: null });
  });

  it("calls a protocol without a name by its number", () => {
    expect(parseConntrackLine(UNNAMED)).toMatchObject({ protocol: "47", destinationPort: null });
  });

  it.each([
    "",
    "conntrack v1.4.7 (conntrack-tools): 5 flow events have been shown.",
    TCP.replace("[DESTROY]", "[NEW]"),
    TCP.replace("dport=8000", "dport=99999"),
    TCP.replace("src=10.66.0.2", "src=10.66.0.2;reboot"),
    TCP.replace("dst=203.0.113.7", "dst=somewhere"),
    `${TCP} src=1.2.3.4`,
    `${TCP}${" ".repeat(4096)}`,
    TCP.slice(0, 120),
  ])("takes %j for no connection", (line) => {
    expect(parseConntrackLine(line)).toBeUndefined();
  });

  it("gives of any line either nothing or what the protocol allows", () => {
    const lines = fc.oneof(
      fc.string(),
      fc.constantFrom(TCP, UDP, ICMP6, UNCOUNTED).chain((line) =>
        fc.tuple(fc.nat(line.length), fc.nat(40), fc.string({ maxLength: 20 })).map(([at, cut, put]) => {
          return line.slice(0, at) + put + line.slice(at + cut);
        }),
      ),
    );
    fc.assert(
      fc.property(lines, (line) => {
        const ended = parseConntrackLine(line);
        if (ended === undefined) return;
        const event = { topic: "connections", source: { state: "on" }, dropped: 0, ended: [ended] };
        expect(connectionsEventSchema.safeParse(event).success).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
