import { describe, expect, it } from "vitest";
import type { Run } from "./run.ts";
import { traceHops } from "./trace.ts";

/** What iputils-ping 20221126 prints, by hop limit. */
const PRINTED: Record<string, string> = {
  "1": "PING 11.22.44.91 (11.22.44.91) 56(84) bytes of data.\nFrom 192.168.77.1 icmp_seq=1 Time to live exceeded\n\n--- 11.22.44.91 ping statistics ---\n1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms\n",
  "2": "PING 11.22.44.91 (11.22.44.91) 56(84) bytes of data.\n\n--- 11.22.44.91 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time 0ms\n",
  "3": "PING 11.22.44.91 (11.22.44.91) 56(84) bytes of data.\n64 bytes from 11.22.44.91: icmp_seq=1 ttl=62 time=0.086 ms\n\n--- 11.22.44.91 ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time 0ms\n",
  "4": "PING 11.22.44.91 (11.22.44.91) 56(84) bytes of data.\n64 bytes from 11.22.44.91: icmp_seq=1 ttl=62 time=0.086 ms\n",
};

function printing(texts: Record<string, string>) {
  const calls: (readonly string[])[] = [];
  const run: Run = (program, args) => {
    calls.push([program, ...args]);
    const limit = args[args.indexOf("-t") + 1] ?? "";
    return Promise.resolve({ code: 1, stdout: texts[limit] ?? "", stderr: "", missing: false });
  };
  return { run, calls };
}

describe("tracing the first hops", () => {
  it("names who let the packet expire, leaves silent hops open, and ends at the target", async () => {
    const { run, calls } = printing(PRINTED);
    expect(await traceHops(run, { to: "11.22.44.91", maxHops: 4 })).toEqual([
      { address: "192.168.77.1" },
      { address: null },
      { address: "11.22.44.91" },
    ]);
    expect(calls[0]).toEqual(["ping", "-4", "-n", "-c", "1", "-W", "1", "-t", "1", "11.22.44.91"]);
  });

  it("reads IPv6 hops", async () => {
    const { run, calls } = printing({ "1": "From 2a0a:77::1 icmp_seq=1 Time exceeded: Hop limit\n" });
    expect(await traceHops(run, { to: "2a0a:98::80", maxHops: 1 })).toEqual([{ address: "2a0a:77::1" }]);
    expect(calls[0]?.[1]).toBe("-6");
  });

  it("takes no other complaint for a hop", async () => {
    const { run } = printing({
      "1": "From 192.168.77.10 icmp_seq=1 Destination Host Unreachable\n",
      "2": "From 192.168.77.1 icmp_seq=1 Packet filtered\n",
    });
    expect(await traceHops(run, { to: "1.1.1.1", maxHops: 2 })).toEqual([{ address: null }, { address: null }]);
  });

  it("knows nothing where there is no ping", async () => {
    const run: Run = () => Promise.resolve({ code: null, stdout: "", stderr: "", missing: true });
    expect(await traceHops(run, { to: "1.1.1.1", maxHops: 2 })).toEqual([{ address: null }, { address: null }]);
  });
});
