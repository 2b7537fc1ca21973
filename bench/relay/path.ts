/**
 * Two guests of one node in the lab, one with the direct path and one through the relay over TLS, with iperf3
 * to a server in the lab's internet. Everything runs on this machine's processors, both WireGuard ends too.
 */
import { existsSync } from "node:fs";
import { type Guest, INTERNET, type LabHost, labObstacle, pollUntil } from "../../e2e/lab/index.ts";
import { RELAYS, RelayLab } from "../../e2e/relay-lab.ts";
import { median, pairedRatio, table } from "./stats.ts";

const IPERF = "/usr/bin/iperf3";
const IPERF_PORT = "5201";
const WARM_SECONDS = 1;
const RUN_SECONDS = 4;
const START_TIMEOUT_MS = 10_000;
const DIRECTIONS = ["down", "up"] as const;

interface Run {
  readonly megabitsPerSecond: number;
  readonly repeated: number;
}

export async function path(rounds: number, print: (text: string) => void): Promise<void> {
  const missing = labObstacle() ?? (existsSync(IPERF) ? undefined : "iperf3 is not installed");
  if (missing !== undefined) {
    print(`\nRelayed and direct path: not measured, ${missing}.`);
    return;
  }
  const options = { topology: "single", router: { mapping: "none", portForward51820: true } } as const;
  const lab = await RelayLab.create([RELAYS[0]], options);
  try {
    // What the lab's guests send is one source each; the limits are not what is measured.
    const limits = ["sourceBytesPerSecond=1000000000", "sourcePacketsPerSecond=1000000"];
    await lab.startRelay(
      RELAYS[0],
      limits.flatMap((limit) => ["--set", `limits.${limit}`]),
    );
    await lab.share();
    const relayed = await lab.connectGuest("Relayed");
    const direct = await lab.sharing.connectGuest("Direct");
    const server = lab.inet.spawn([IPERF, "-s", "-B", INTERNET.web.ipv4, "-p", IPERF_PORT]);
    await pollUntil("iperf3", () => lab.sharing.user("inet").tcpConnects(INTERNET.web.ipv4, Number(IPERF_PORT)), {
      timeoutMs: START_TIMEOUT_MS,
    });
    const rows: string[][] = [];
    for (const direction of DIRECTIONS) {
      const hosts = { guest: relayed.host, relay: lab.inet, node: lab.sharing.node.host };
      const results: Record<"direct" | "relayed", Run[]> = { direct: [], relayed: [] };
      const drops: Record<keyof typeof hosts, number> = { guest: 0, relay: 0, node: 0 };
      for (let round = 0; round < rounds; round++) {
        results.direct.push(await iperf(direct, direction));
        const before = await full(hosts);
        results.relayed.push(await iperf(relayed, direction));
        const after = await full(hosts);
        for (const name of ["guest", "relay", "node"] as const) drops[name] += after[name] - before[name];
      }
      const rate = (runs: readonly Run[]) => runs.map(({ megabitsPerSecond }) => megabitsPerSecond);
      rows.push([
        direction,
        median(rate(results.direct)).toFixed(0),
        median(rate(results.relayed)).toFixed(0),
        `${pairedRatio(rate(results.relayed), rate(results.direct)).toFixed(2)}x`,
        "0.6x",
        `${median(results.direct.map(({ repeated }) => repeated))} / ${median(results.relayed.map(({ repeated }) => repeated))}`,
        `${drops.guest} / ${drops.relay} / ${drops.node}`,
      ]);
    }
    const state = await lab.relayState();
    await server.stop();
    print(
      `\nThe same node, reached directly and through the relay (wss), iperf3 over TCP for ${RUN_SECONDS} s, Mbit/s`,
    );
    print(
      table(
        ["", "direct", "relayed", "ratio", "target", "TCP segments repeated", "full UDP buffers: guest / relay / node"],
        rows,
      ),
    );
    if (state.state === "connected") print(`The node gave up ${state.dropped} datagrams on the way to the relay.`);
  } finally {
    await lab.dispose();
  }
}

async function iperf(guest: Guest, direction: (typeof DIRECTIONS)[number]): Promise<Run> {
  const argv = [IPERF, "-c", INTERNET.web.ipv4, "-p", IPERF_PORT, "-J", "-t", String(RUN_SECONDS)];
  argv.push("-O", String(WARM_SECONDS), ...(direction === "down" ? ["-R"] : []));
  const printed = await guest.host.mustExec(argv, { timeoutMs: 60_000 });
  const { end } = JSON.parse(printed) as {
    end: { sum_received: { bits_per_second: number }; sum_sent: { retransmits?: number } };
  };
  return { megabitsPerSecond: end.sum_received.bits_per_second / 1e6, repeated: end.sum_sent.retransmits ?? 0 };
}

/** Datagrams lost so far because a socket's receive buffer was full (RcvbufErrors in /proc/net/snmp). */
async function full<K extends string>(hosts: Record<K, LabHost>): Promise<Record<K, number>> {
  const counts = {} as Record<K, number>;
  for (const [name, host] of Object.entries(hosts) as [K, LabHost][]) {
    const lines = (await host.mustExec(["cat", "/proc/net/snmp"]))
      .split("\n")
      .filter((line) => line.startsWith("Udp:"));
    const at = lines[0]?.split(" ").indexOf("RcvbufErrors") ?? -1;
    counts[name] = Number(lines[1]?.split(" ")[at]);
  }
  return counts;
}
