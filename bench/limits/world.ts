/** guest0 ── higgs0 | box | wan ── server, guest1 ── higgs1 | …, and how fast data passes the box. */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const SERVER = "192.0.2.2";
/** Short, so that what is compared is measured close together; the number of rounds makes up for it. */
const SECONDS = 1;
const SERVER_WITHIN_MS = 5_000;

export function must(program: string, args: readonly string[]): string {
  const ran = spawnSync(program, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${ran.stderr}`);
  return ran.stdout;
}

/** Address of a client in the guest network behind the interface `higgs<place>`. */
export function clientAddress(place: number, host: number): string {
  return `10.${66 + place}.${host >> 8}.${host & 255}`;
}

/** @param guestHosts per place, the last two octets of the guest that is measured there, as one number */
export async function buildWorld(guestHosts: readonly number[]): Promise<void> {
  join("wan", "server", "192.0.2.1/24", `${SERVER}/24`);
  for (const [place, host] of guestHosts.entries()) {
    join(`higgs${place}`, `guest${place}`, `${clientAddress(place, 1)}/16`, `${clientAddress(place, host)}/16`);
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

/** A host of its own behind the box's interface `device`. */
function join(device: string, namespace: string, near: string, far: string): void {
  must("ip", ["netns", "add", namespace]);
  must("ip", ["link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
  must("ip", ["address", "add", near, "dev", device]);
  must("ip", ["link", "set", device, "up"]);
  must("ip", ["-n", namespace, "address", "add", far, "dev", "eth0"]);
  must("ip", ["-n", namespace, "link", "set", "eth0", "up"]);
  must("ip", ["-n", namespace, "link", "set", "lo", "up"]);
  must("ip", ["-n", namespace, "route", "add", "default", "via", near.split("/")[0] ?? ""]);
}

/** Packets per second of small UDP datagrams that reach the guest: what a packet costs the box, not what a byte costs. */
export function packetsPerSecond(place: number): number {
  const argv = ["netns", "exec", `guest${place}`, "iperf3", "-J", "-R", "-u", "-b", "0", "-l", "100", "-c", SERVER];
  const report = JSON.parse(must("ip", [...argv, "-t", String(SECONDS)])) as {
    end: { sum: { packets: number; lost_packets: number; seconds: number } };
  };
  const { packets, lost_packets: lost, seconds } = report.end.sum;
  return (packets - lost) / seconds;
}

/** Bits per second of one TCP connection towards the guest. */
export function throughput(place: number): number {
  const argv = ["netns", "exec", `guest${place}`, "iperf3", "-J", "-R", "-c", SERVER, "-t", String(SECONDS)];
  const report = JSON.parse(must("ip", argv)) as { end: { sum_received: { bits_per_second: number } } };
  return report.end.sum_received.bits_per_second;
}
