/** What the machine must have before anything can be shared. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Check, failed, pass, skipped, warn, withMachine } from "../check.ts";

const INSTALL: Readonly<Record<string, string>> = {
  ip: "iproute2",
  wg: "wireguard-tools",
  iptables: "iptables",
};

/** This program was not there before, and a computer of its time will not be there after. */
const EARLIEST_YEAR = 2026;
const LATEST_YEAR = 2100;

const privileges: Check = {
  id: "system.privileges",
  group: "system",
  title: "HiggsNode may change the network",
  run({ machine }) {
    if (machine.ok) return pass("The privileged helper answers.");
    const { code, message, hint } = machine.error;
    if (code === "not-permitted" || code === "permission-refused") {
      return failed(message, hint ?? "Run it with sudo: sudo higgsnode diagnose");
    }
    return failed(message, hint ?? "Restart HiggsNode.");
  },
};

const programs: Check = {
  id: "system.programs",
  group: "system",
  title: "The programs it needs are installed",
  run: (context) =>
    withMachine(context, ({ capabilities }) => {
      const missing = Object.keys(INSTALL).filter((name) => capabilities.programs[name] == null);
      if (missing.length > 0) {
        const packages = missing.map((name) => INSTALL[name]).join(" ");
        return failed(`Not installed: ${missing.join(", ")}.`, `Install them: sudo apt-get install ${packages}`);
      }
      const found = Object.keys(INSTALL).map((name) => `${name} ${capabilities.programs[name]?.version ?? ""}`.trim());
      return pass(`${found.join(", ")}.`);
    }),
};

const kernel: Check = {
  id: "system.wireguard",
  group: "system",
  title: "WireGuard can run here",
  run: (context) =>
    withMachine(context, ({ capabilities }) => {
      switch (capabilities.wireguard) {
        case "kernel":
          return pass(`In the kernel (Linux ${capabilities.kernelRelease}).`);
        case "userspace":
          return pass("Through wireguard-go: it works, with less throughput than in the kernel.");
        case "none":
          return failed(
            "The kernel has no WireGuard and wireguard-go is not usable.",
            capabilities.tunDevice
              ? "Install it: sudo apt-get install wireguard-go"
              : "Load the tun module: sudo modprobe tun",
          );
      }
    }),
};

/** `isWritable` stands for access(2): nothing is refused to root, who may run the tests. */
export const storageCheck = (isWritable = mayWrite): Check => ({
  id: "system.storage",
  group: "system",
  title: "Settings can be stored",
  run({ dataDir }) {
    // The nearest folder that exists: the data folder itself, or where it would be made.
    let folder = dataDir;
    while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
    if (!isWritable(folder)) return failed(`${folder} is not writable.`, "Choose another folder with --data-dir.");
    return statSync(folder).isDirectory()
      ? pass(`${dataDir}${folder === dataDir ? "" : " (made on first use)"}.`)
      : failed(`${folder} is no folder.`, "Choose another folder with --data-dir.");
  },
});

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const clock: Check = {
  id: "system.clock",
  group: "system",
  title: "The clock is plausible",
  run({ nowMs }) {
    // WireGuard refuses handshakes whose timestamp goes back, so a clock that jumps locks clients out.
    const now = new Date(nowMs);
    const year = now.getUTCFullYear();
    if (year >= EARLIEST_YEAR && year <= LATEST_YEAR) return pass(now.toISOString());
    return warn(`The clock says ${year}.`, "Set the clock: sudo timedatectl set-ntp true");
  },
};

const ipv6: Check = {
  id: "system.ipv6",
  group: "system",
  title: "The kernel can forward IPv6",
  run: (context) =>
    withMachine(context, ({ capabilities }) => {
      if (!capabilities.ipv6) return skipped("IPv6 is switched off on this machine; guests get IPv4 only.");
      if (capabilities.nat.ipv6) return pass("IPv6 with address translation.");
      return warn("The kernel has no IPv6 NAT.", "Guests get IPv4 only; load it with: sudo modprobe ip6table_nat");
    }),
};

export const systemChecks: readonly Check[] = [privileges, programs, kernel, ipv6, storageCheck(), clock];
