/** guest ── higgs0 | box | wan ── server, and how fast data passes the box. */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

export const CLIENT_PREFIX = "10.66";
const SERVER = "192.0.2.2";
/** Long enough that a hiccup of a shared machine does not decide a round. */
const SECONDS = 2;
const SERVER_WITHIN_MS = 5_000;

export function must(program: string, args: readonly string[]): string {
  const ran = spawnSync(program, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${ran.stderr}`);
  return ran.stdout;
}

/** @param guestHost the last two octets of the guest that is measured, as one number */
export async function buildWorld(guestHost: number): Promise<void> {
  const guest = `${CLIENT_PREFIX}.${guestHost >> 8}.${guestHost & 255}`;
  must("ip", ["netns", "add", "guest"]);
  must("ip", ["netns", "add", "server"]);
  for (const [own, other, namespace, near, far, via] of [
    ["higgs0", "wg0", "guest", `${CLIENT_PREFIX}.0.1/16`, `${guest}/16`, `${CLIENT_PREFIX}.0.1`],
    ["wan", "eth0", "server", "192.0.2.1/24", `${SERVER}/24`, "192.0.2.1"],
  ] as const) {
    must("ip", ["link", "add", own, "type", "veth", "peer", "name", other, "netns", namespace]);
    must("ip", ["address", "add", near, "dev", own]);
    must("ip", ["link", "set", own, "up"]);
    must("ip", ["-n", namespace, "address", "add", far, "dev", other]);
    must("ip", ["-n", namespace, "link", "set", other, "up"]);
    must("ip", ["-n", namespace, "link", "set", "lo", "up"]);
    must("ip", ["-n", namespace, "route", "add", "default", "via", via]);
  }
  must("ip", ["link", "set", "lo", "up"]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  spawn("ip", ["netns", "exec", "server", "iperf3", "-s"], { stdio: "ignore" });
  const deadlineMs = performance.now() + SERVER_WITHIN_MS;
  while (!must("ip", ["netns", "exec", "server", "ss", "-Hltn"]).includes(":5201 ")) {
    if (performance.now() > deadlineMs) throw new Error("iperf3 does not listen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Packets per second of small UDP datagrams that reach the guest: what a packet costs the box, not what a byte costs. */
export function packetsPerSecond(): number {
  const argv = ["netns", "exec", "guest", "iperf3", "-J", "-R", "-u", "-b", "0", "-l", "100", "-c", SERVER];
  const report = JSON.parse(must("ip", [...argv, "-t", String(SECONDS)])) as {
    end: { sum: { packets: number; lost_packets: number; seconds: number } };
  };
  const { packets, lost_packets: lost, seconds } = report.end.sum;
  return (packets - lost) / seconds;
}

/** Bits per second of one TCP connection towards the guest. */
export function throughput(): number {
  const argv = ["netns", "exec", "guest", "iperf3", "-J", "-R", "-c", SERVER, "-t", String(SECONDS)];
  const report = JSON.parse(must("ip", argv)) as { end: { sum_received: { bits_per_second: number } } };
  return report.end.sum_received.bits_per_second;
}
