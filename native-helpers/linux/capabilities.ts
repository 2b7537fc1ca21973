/** What this machine can do, read without changing anything. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Capabilities } from "../../src-shared/network-observation.ts";
import { supportsNat } from "./firewall.ts";
import type { Run } from "./run.ts";

/** Programs the helper calls, and how each tells its version. */
const PROGRAMS: Record<string, readonly string[]> = {
  ip: ["-Version"],
  wg: ["--version"],
  "wireguard-go": ["--version"],
  iptables: ["--version"],
  ip6tables: ["--version"],
  "iptables-restore": ["--version"],
  nft: ["--version"],
  conntrack: ["--version"],
};

const DIRECTORIES = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export async function readCapabilities(run: Run): Promise<Capabilities> {
  const kernelRelease = readText("/proc/sys/kernel/osrelease") ?? "unknown";
  const names = Object.keys(PROGRAMS);
  const found = await Promise.all(names.map((name) => describeProgram(run, name)));
  const programs = Object.fromEntries(names.map((name, index) => [name, found[index] ?? null]));
  const tunDevice = existsSync("/dev/net/tun");
  const [ipv4, ipv6] = await Promise.all([supportsNat(run, 4), supportsNat(run, 6)]);
  return {
    platform: process.platform,
    kernelRelease,
    programs,
    wireguard: (await hasKernelWireguard(run, kernelRelease))
      ? "kernel"
      : programs["wireguard-go"] != null && tunDevice
        ? "userspace"
        : "none",
    nat: { ipv4, ipv6 },
    ipv6: existsSync("/proc/sys/net/ipv6/conf/all"),
    tunDevice,
  };
}

async function describeProgram(run: Run, name: string): Promise<{ path: string; version: string | null } | null> {
  const path = DIRECTORIES.map((directory) => join(directory, name)).find(isExecutable);
  if (path === undefined) return null;
  const ran = await run(path, PROGRAMS[name] ?? []);
  return { path, version: /\bv?\d+\.\d[\w.-]*/.exec(`${ran.stdout} ${ran.stderr}`)?.[0] ?? null };
}

/** Loaded, built in, or there to be loaded when the interface is made. */
async function hasKernelWireguard(run: Run, release: string): Promise<boolean> {
  if (existsSync("/sys/module/wireguard")) return true;
  if (readText(`/lib/modules/${release}/modules.builtin`)?.includes("/wireguard.ko") === true) return true;
  return (await run("modprobe", ["--dry-run", "--quiet", "wireguard"])).code === 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
