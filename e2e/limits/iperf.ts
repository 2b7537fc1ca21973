/** iperf3(1) between a guest and a server in the internet: what really arrives. */
import { INTERNET, type LabHost, pollUntil } from "../lab/index.ts";

/** Long enough that a late timer decides nothing; the first second, with its burst and slow start, is left out. */
const SECONDS = 3;
const OMITTED_SECONDS = 1;
/** More than any limit of these tests lets through, and far less than the lab can forward. */
const UDP_OFFERED = "12M";
/** Fits the tunnel's 1,420 bytes over both families. */
const UDP_PAYLOAD_BYTES = 1_340;

export interface Measurement {
  /** `down` is towards the guest. */
  direction: "down" | "up";
  protocol: "TCP" | "UDP";
  family: 4 | 6;
  port: number;
  seconds?: number;
}

export async function startIperfServers(host: LabHost, ports: readonly number[]): Promise<void> {
  // One per address: a server on all of them answers UDP from whichever is nearest, not from the one that was asked.
  const places = Object.values(INTERNET.web).flatMap((address) => ports.map((port) => ({ address, port })));
  for (const { address, port } of places) host.spawn(["iperf3", "-s", "-J", "-B", address, "-p", String(port)]);
  await pollUntil(
    "the iperf3 servers",
    async () => {
      const { stdout } = await host.exec(["ss", "-Hltn"]);
      return places.every(({ address, port }) => new RegExp(`${address}\\]?:${port} `).test(stdout));
    },
    { timeoutMs: 5_000 },
  );
}

interface Interval {
  sum: { bytes: number; seconds: number; omitted: boolean; packets?: number; lost_packets?: number };
}

interface Report {
  error?: string;
  intervals: Interval[];
  server_output_json?: { intervals: Interval[] };
}

/**
 * Bits per second of payload, by the receiver's own seconds: its total also counts what a queue still held when the sender
 * had ended.
 */
export async function iperf(
  guest: LabHost,
  { direction, protocol, family, port, seconds = SECONDS }: Measurement,
): Promise<number> {
  const server = family === 4 ? INTERNET.web.ipv4 : INTERNET.web.ipv6;
  const argv = ["iperf3", `-${family}`, "-c", server, "-p", String(port), "-J", "--get-server-output"];
  argv.push("-t", String(seconds), "-O", String(OMITTED_SECONDS));
  if (direction === "down") argv.push("-R");
  if (protocol === "UDP") argv.push("-u", "-b", UDP_OFFERED, "-l", String(UDP_PAYLOAD_BYTES));
  const { stdout, code } = await guest.exec(argv, { timeoutMs: 20_000 });
  const report = JSON.parse(stdout) as Report;
  const received = direction === "down" ? report.intervals : report.server_output_json?.intervals;
  const counted = received?.map(({ sum }) => sum).filter(({ omitted, seconds }) => !omitted && seconds > 0.9) ?? [];
  if (code !== 0 || counted.length === 0) throw new Error(`iperf3: ${report.error ?? stdout}`);
  const total = (key: "bytes" | "seconds") => counted.reduce((sum, interval) => sum + interval[key], 0);
  return (total("bytes") * 8) / total("seconds");
}
