/** Whether this machine can carry the lab, and what is missing where it cannot. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

/** Programs the lab calls, and the Debian package each comes from. */
const PROGRAMS: ReadonlyMap<string, string> = new Map([
  ["unshare", "util-linux"],
  ["nsenter", "util-linux"],
  ["ip", "iproute2"],
  ["tc", "iproute2"],
  ["sysctl", "procps"],
  ["nft", "nftables"],
  ["iptables-save", "iptables"],
  ["ip6tables-save", "iptables"],
  ["conntrack", "conntrack"],
  ["ping", "iputils-ping"],
  ["wg", "wireguard-tools"],
  ["wg-quick", "wireguard-tools"],
  ["wireguard-go", "wireguard-go"],
  ["miniupnpd", "miniupnpd-nftables"],
]);

/** Where Debian keeps what an ordinary user's PATH leaves out. */
export const PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A private mount is tried, too: containers often allow the namespaces and refuse that. */
const NAMESPACES = ["--net", "--mount", "--uts", "--pid", "--fork", "--propagation", "private"];

/** Why the lab cannot run here, as one sentence; undefined when it can. */
export function labObstacle(): string | undefined {
  if (process.platform !== "linux") return "the lab needs Linux (network namespaces)";
  if (process.getuid?.() !== 0) return "the lab needs root (it makes network namespaces)";
  const missing = [...PROGRAMS].filter(([program]) => findProgram(program) === undefined);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
    return `the lab lacks ${missing.map(([program]) => program).join(", ")}: apt-get install ${packages}`;
  }
  if (!existsSync("/dev/net/tun")) return "the lab needs /dev/net/tun for wireguard-go";
  const trial = spawnSync("unshare", [...NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/run"], {
    env: { PATH: PROGRAM_PATH },
    timeout: 10_000,
  });
  if (trial.status !== 0) return `namespaces cannot be made here: ${String(trial.stderr).trim()}`;
  return undefined;
}

let asked: { runs: boolean } | undefined;

/**
 * For `describe.skipIf(!requireLab())`: true when the lab can run. Where it cannot, this throws under CI, because
 * tests that silently do not run prove nothing; elsewhere it prints the reason, once, and returns false.
 */
export function requireLab(): boolean {
  asked ??= { runs: mayRun(labObstacle(), process.env.CI) };
  return asked.runs;
}

/** @param ci the value of the variable CI, which build servers set */
export function mayRun(obstacle: string | undefined, ci: string | undefined): boolean {
  if (obstacle === undefined) return true;
  if (ci !== undefined && ci !== "" && ci !== "false") throw new Error(`the lab must run under CI, but ${obstacle}`);
  console.log(`lab tests skipped: ${obstacle}`);
  return false;
}

/** The Node.js that runs the lab's own programs: the repository's pinned one where it is installed. */
export function nodeProgram(): string {
  const pinned = join(import.meta.dirname, "../../node_modules/node/bin/node");
  return existsSync(pinned) ? pinned : process.execPath;
}

function findProgram(name: string): string | undefined {
  return PROGRAM_PATH.split(":")
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
