/**
 * A Linux machine in memory, seen through the programs the helper calls and a copy of /proc/sys in a
 * temporary directory. Printed as text it is compared before and after.
 *
 * Every changing step has a number, at which it can be made to fail or the helper to die.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatPrefix, parsePrefix, splitPrefix } from "../../src-shared/net/address.ts";
import type { Ran, Run, RunOptions } from "../linux/run.ts";
import { SysctlTree } from "../linux/sysctl.ts";
import { FakeFirewall, FirewallRefusal } from "./fake-firewall.ts";
import { FakeTrafficControl, TrafficRefusal } from "./fake-traffic-control.ts";

interface Link {
  kind: string | undefined;
  up: boolean;
  mtu: number;
  addresses: string[];
}

interface Tunnel {
  privateKey: string;
  listenPort: number;
  /** Public key → allowed IPs and when the session began; a peer that stays keeps its session. */
  peers: Map<string, { allowedIps: string[]; session: number; endpoint: string }>;
}

/** The journal is synced at every change: thousands of syncs take seconds in memory and minutes on a disk. */
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** What happens at a changing step: refused, done but reported as failed, or the helper dies before or after it. */
export type Mishap = "refused" | "done-but-failed" | "dies-before" | "dies-after";

/** One life of the helper: its commands, and a promise that resolves when it has died. */
export interface FakeProcess {
  run: Run;
  sysctls: SysctlTree;
  died: Promise<void>;
}

export class FakeOs {
  readonly root = mkdtempSync(join(SCRATCH, "higgs-fake-os-"));
  readonly stateDir = join(this.root, "state");
  /** Nothing starts it. */
  readonly program = { runtime: "/proc/7/exe", script: "" };
  readonly firewalls = { 4: new FakeFirewall(), 6: new FakeFirewall() };
  /** Undefined on a machine without tc. */
  traffic: FakeTrafficControl | undefined = new FakeTrafficControl();
  readonly links = new Map<string, Link>();
  readonly tunnels = new Map<string, Tunnel>();
  readonly routes: { dst: string; dev: string; gateway?: string }[] = [];
  kernelWireguard = true;
  /** As with net.ipv6.conf.all.disable_ipv6=1: links take no IPv6 address. */
  ipv6Disabled = false;
  /** Changing steps so far, each as `program arguments`. */
  readonly changes: string[] = [];
  /** Interfaces on which the kernel dropped what router advertisements had taught it. */
  readonly forgottenAdvertisements = new Set<string>();
  #mishap: { step: number; kind: Mishap } | undefined;
  #sessions = 0;

  constructor() {
    mkdirSync(this.stateDir);
    for (const name of ["all", "default"]) this.#makeSettings(name);
    for (const name of ["lo", "eth0", "eth1", "eth2"]) this.addLink(name, undefined);
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  addLink(name: string, kind: string | undefined): void {
    this.links.set(name, { kind, up: kind === undefined, mtu: 1500, addresses: [] });
    this.#makeSettings(name);
  }

  /** The `stepsAhead`-th changing step from now (0 is the next) comes to grief, once. */
  arrange(kind: Mishap, stepsAhead: number): void {
    this.#mishap = { step: this.changes.length + stepsAhead, kind };
  }

  /** Nothing comes to grief any more. True when what was arranged had not come to pass. */
  calm(): boolean {
    const pending = this.#mishap !== undefined;
    this.#mishap = undefined;
    return pending;
  }

  /** A helper on this machine. What it starts after its death never ends. */
  boot(): FakeProcess {
    let alive = true;
    let die = () => {};
    const died = new Promise<void>((resolve) => {
      die = () => {
        alive = false;
        resolve();
      };
    });
    const run: Run = (program, args, options = {}) => {
      if (!alive) return new Promise(() => {});
      const ran = this.#perform(program, args, options, die);
      return alive ? Promise.resolve(ran) : new Promise(() => {});
    };
    return { run, sysctls: new FakeSysctls(this, () => alive, die), died };
  }

  /** A setting, as any program on the machine writes it, with what the kernel does to the others. */
  writeSetting(key: string, value: string): void {
    const [, , family = "", , name = "", setting = ""] = /^(net)\/(ipv[46])\/(conf)\/([^/]+)\/(\w+)$/.exec(key) ?? [];
    const targets = name === "all" && setting === "forwarding" ? this.#interfacesWith(family) : [name];
    for (const target of targets) this.#writeOne(family, target, setting, value);
  }

  readSetting(key: string): string {
    return readFileSync(join(this.root, "sys", key), "utf8").trim();
  }

  /** Everything on the machine that somebody could miss, as text. */
  print(): string {
    const settings = ["ipv4", "ipv6"].flatMap((family) =>
      this.#interfacesWith(family)
        .sort()
        .flatMap((name) =>
          ["forwarding", ...(family === "ipv6" ? ["accept_ra"] : [])].map(
            (setting) =>
              `net/${family}/conf/${name}/${setting} = ${this.readSetting(`net/${family}/conf/${name}/${setting}`)}`,
          ),
        ),
    );
    const links = [...this.links].map(([name, link]) => `link ${name} ${JSON.stringify(link)}`).sort();
    const tunnels = [...this.tunnels].map(([name, tunnel]) => `tunnel ${name} ${tunnel.listenPort}`);
    const routes = this.routes.map((route) => `route ${JSON.stringify(route)}`);
    const shaped = [...(this.traffic?.devices ?? [])]
      .filter(([, { root, ingress }]) => root || ingress)
      .map(([name]) => `limits on ${name}`);
    return [
      ...links,
      ...tunnels,
      ...shaped,
      ...routes,
      ...settings,
      this.firewalls[4].save(),
      this.firewalls[6].save(),
    ].join("\n");
  }

  /** Runs a changing step, unless something was arranged for it. */
  change(what: string, die: () => void, action: () => Ran): Ran {
    const step = this.changes.length;
    this.changes.push(what);
    if (this.#mishap?.step !== step) return action();
    const { kind } = this.#mishap;
    this.#mishap = undefined;
    if (kind === "refused") return refused("arranged to be refused");
    if (kind === "dies-before") {
      die();
      return refused("died");
    }
    const ran = action();
    if (kind === "dies-after") die();
    return kind === "done-but-failed" ? { ...ran, code: null } : ran;
  }

  #perform(program: string, args: readonly string[], options: RunOptions, die: () => void): Ran {
    const what = [program, ...args].join(" ");
    switch (program) {
      case "iptables-save":
        return printed(this.firewalls[4].save());
      case "ip6tables-save":
        return printed(this.firewalls[6].save());
      case "iptables-restore":
      case "ip6tables-restore": {
        const family = program === "iptables-restore" ? 4 : 6;
        if (!args.includes("--noflush")) throw new Error("iptables-restore without --noflush removes everyone's rules");
        const test = args.includes("--test");
        const action = () => this.#restoreFirewall(family, options.input ?? "", test);
        return test ? action() : this.change(what, die, action);
      }
      case "ip":
        return this.#ip(args, what, die);
      case "wg":
        return this.#wg(args, what, die);
      case "tc":
        return this.#tc(args, what, die);
      case "unshare":
        return this.#inEmptyNamespace(args);
      case "wireguard-go":
        return this.change(what, die, () => this.#addTunnel(args[0] ?? "", "tun"));
      default:
        return { code: null, stdout: "", stderr: "", missing: true };
    }
  }

  #restoreFirewall(family: 4 | 6, input: string, test: boolean): Ran {
    try {
      this.firewalls[family].restore(input, { test });
      return printed("");
    } catch (error) {
      if (error instanceof FirewallRefusal) return refused(error.message);
      throw error;
    }
  }

  #tc(args: readonly string[], what: string, die: () => void): Ran {
    const { traffic } = this;
    if (traffic === undefined) return { code: null, stdout: "", stderr: "", missing: true };
    const [first = "", second = "", , device = "", , last] = args;
    if (first === "-batch") {
      const lines = readFileSync(second, "utf8").trimEnd().split("\n");
      return this.change([what.replace(second, "FILE"), ...lines].join("\n"), die, () => this.#batch(traffic, lines));
    }
    if (!this.links.has(device)) return refused(`Cannot find device "${device}"`);
    if (first === "qdisc") return printed(traffic.showQdiscs(device));
    if (first === "class") return printed(traffic.showClasses(device, last));
    if (first === "filter") return printed(traffic.showFilters(device, last ?? ""));
    throw new Error(`the helper runs something unforeseen: ${what}`);
  }

  /** tc stops at the first line that is refused; what went before it stays. */
  #batch(traffic: FakeTrafficControl, lines: readonly string[]): Ran {
    for (const [index, line] of lines.entries()) {
      const device = / dev (\S+)/.exec(line)?.[1] ?? "";
      if (!this.links.has(device)) return refused(`Cannot find device "${device}"\nCommand failed FILE:${index + 1}`);
      try {
        traffic.perform(line);
      } catch (error) {
        if (error instanceof TrafficRefusal)
          return refused(`Error: ${error.message}\nCommand failed FILE:${index + 1}`);
        throw error;
      }
    }
    return printed("");
  }

  /** Where the helper tries out what the kernel can do. */
  #inEmptyNamespace(args: readonly string[]): Ran {
    const [, program, , , path = ""] = args;
    if (program === "ip") return printed("");
    if (this.traffic === undefined)
      return { code: 127, stdout: "", stderr: "unshare: failed to execute tc", missing: false };
    const { queues } = this.traffic;
    const failed = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .flatMap((line, index) => {
        const queue = /^qdisc add dev lo parent \S+ (\S+)/.exec(line)?.[1];
        return queue === undefined || queues.has(queue) ? [] : `Command failed ${path}:${index + 1}`;
      });
    return failed.length === 0 ? printed("") : refused(failed.join("\n"));
  }

  #ip(args: readonly string[], what: string, die: () => void): Ran {
    const words = args.join(" ");
    const shown = /^-json -details address show(?: dev (\S+))?$/.exec(words);
    if (shown !== null) return this.#showLinks(shown[1]);
    const routes = /^-json -([46]) route show table main$/.exec(words);
    if (routes !== null) return this.#showRoutes(routes[1] === "6" ? 6 : 4);
    return this.change(what, die, () => this.#changeLink(words));
  }

  #changeLink(words: string): Ran {
    const [, verb, name = "", ...rest] =
      /^(link add|link del|link set) dev (\S+) ?(.*)$/.exec(words) ??
      /^(address add|address del) (\S+) dev (\S+)/.exec(words) ??
      [];
    const link = this.links.get(verb?.startsWith("address") === true ? (rest[0] ?? "") : name);
    if (verb === "link add" && rest[0]?.endsWith("type ifb") === true) {
      if (link !== undefined) return refused("RTNETLINK answers: File exists");
      this.addLink(name, "ifb");
      return printed("");
    }
    if (verb === "link add") {
      if (!this.kernelWireguard) return refused("Error: Unknown device type.");
      return this.#addTunnel(name, "wireguard");
    }
    if (link === undefined) return refused(`Cannot find device: ${words}`);
    switch (verb) {
      case "link del":
        this.#removeLink(name);
        return printed("");
      case "link set":
        if (rest[0] === "up") link.up = true;
        else link.mtu = Number(/^mtu (\d+)$/.exec(rest[0] ?? "")?.[1]);
        return printed("");
      case "address add": {
        if (splitPrefix(name)?.address.family === 6 && this.ipv6Disabled) {
          return refused("RTNETLINK answers: Permission denied");
        }
        const connected = parsePrefix(name);
        if (connected === undefined || link.addresses.includes(name)) return refused("RTNETLINK answers: File exists");
        link.addresses.push(name);
        this.routes.push({ dst: formatPrefix(connected), dev: rest[0] ?? "" });
        return printed("");
      }
      case "address del":
        link.addresses = link.addresses.filter((address) => address !== name);
        return printed("");
      default:
        throw new Error(`the helper runs something unforeseen: ip ${words}`);
    }
  }

  #wg(args: readonly string[], what: string, die: () => void): Ran {
    const [verb = "", name = "", last = ""] = args;
    const tunnel = this.tunnels.get(name);
    if (verb === "syncconf") {
      return this.change(what, die, () => {
        if (tunnel === undefined) return refused("Unable to modify interface: No such device");
        return this.#configureTunnel(tunnel, readFileSync(last, "utf8"));
      });
    }
    if (verb === "set") {
      return this.change(what, die, () => {
        const words = args.slice(2);
        for (let at = words.indexOf("peer"); at !== -1; at = words.indexOf("peer", at + 1)) {
          const peer = tunnel?.peers.get(words[at + 1] ?? "");
          if (peer === undefined) return refused("no such peer");
          if (words[at + 2] === "endpoint") peer.endpoint = words[at + 3] ?? "";
        }
        return printed("");
      });
    }
    if (verb !== "show" || (last !== "dump" && last !== "public-key")) {
      throw new Error(`the helper runs something unforeseen: wg ${args.join(" ")}`);
    }
    if (tunnel === undefined) return refused("Unable to access interface: No such device");
    const publicKey = tunnel.privateKey === "" ? "(none)" : publicKeyOf(tunnel.privateKey);
    if (last === "public-key") return printed(`${publicKey}\n`);
    const peers = [...tunnel.peers].map(([key, { allowedIps, session, endpoint }]) =>
      [key, "(none)", endpoint, allowedIps.join(",") || "(none)", session, 0, 0, "off"].join("\t"),
    );
    return printed(`${[["(none)", publicKey, tunnel.listenPort, "off"].join("\t"), ...peers].join("\n")}\n`);
  }

  #configureTunnel(tunnel: Tunnel, config: string): Ran {
    const peers: Tunnel["peers"] = new Map();
    let peer: string | undefined;
    for (const line of config.trimEnd().split("\n")) {
      if (line === "[Interface]" || line === "[Peer]") continue;
      const [, key, value = ""] = /^(\w+) = (.*)$/.exec(line) ?? [];
      if (key === "PrivateKey") tunnel.privateKey = value;
      else if (key === "ListenPort") tunnel.listenPort = Number(value);
      else if (key === "PublicKey") {
        peer = value;
        const before = tunnel.peers.get(peer);
        const session = before?.session ?? ++this.#sessions;
        peers.set(peer, { allowedIps: [], session, endpoint: before?.endpoint ?? "(none)" });
      } else if (key === "AllowedIPs" && peer !== undefined) {
        const present = peers.get(peer);
        if (present !== undefined) present.allowedIps = value.split(", ");
      } else if (key !== "PresharedKey" && key !== "Endpoint" && key !== "PersistentKeepalive") {
        return refused(`Line unrecognized: ${line}`);
      }
    }
    tunnel.peers = peers;
    return printed("");
  }

  #addTunnel(name: string, kind: string): Ran {
    if (this.links.has(name)) return refused("RTNETLINK answers: File exists");
    this.addLink(name, kind);
    this.tunnels.set(name, { privateKey: "", listenPort: 0, peers: new Map() });
    return printed("");
  }

  #removeLink(name: string): void {
    this.links.delete(name);
    this.traffic?.devices.delete(name);
    this.tunnels.delete(name);
    for (let index = this.routes.length - 1; index >= 0; index--) {
      if (this.routes[index]?.dev === name) this.routes.splice(index, 1);
    }
    for (const family of ["ipv4", "ipv6"]) {
      rmSync(join(this.root, "sys/net", family, "conf", name), { recursive: true, force: true });
    }
  }

  #showLinks(name: string | undefined): Ran {
    if (name !== undefined && !this.links.has(name)) return refused(`Device "${name}" does not exist.`);
    const shown = [...this.links].filter(([each]) => name === undefined || each === name);
    return printed(
      JSON.stringify(
        shown.map(([ifname, { kind, up, mtu, addresses }]) => ({
          ifname,
          flags: up ? ["UP"] : [],
          mtu,
          ...(kind === undefined ? {} : { linkinfo: { info_kind: kind } }),
          addr_info: addresses.map((text) => ({ local: text.split("/")[0], prefixlen: Number(text.split("/")[1]) })),
        })),
      ),
    );
  }

  #showRoutes(family: 4 | 6): Ran {
    return printed(
      JSON.stringify(this.routes.filter(({ dst }) => dst !== "default" && parsePrefix(dst)?.family === family)),
    );
  }

  #interfacesWith(family: string): string[] {
    return readdirSync(join(this.root, "sys/net", family, "conf"));
  }

  /** A new interface takes what `default` holds. */
  #makeSettings(name: string): void {
    for (const [family, setting, first] of [
      ["ipv4", "forwarding", "0"],
      ["ipv6", "forwarding", "0"],
      ["ipv6", "accept_ra", "1"],
    ] as const) {
      const directory = join(this.root, "sys/net", family, "conf", name);
      mkdirSync(directory, { recursive: true });
      const isReal = name !== "all" && name !== "default";
      const value = isReal ? this.readSetting(`net/${family}/conf/default/${setting}`) : first;
      writeFileSync(join(directory, setting), `${value}\n`);
    }
  }

  #writeOne(family: string, name: string, setting: string, value: string): void {
    const key = `net/${family}/conf/${name}/${setting}`;
    const comesOn = family === "ipv6" && setting === "forwarding" && value === "1" && this.readSetting(key) === "0";
    if (comesOn && this.links.has(name) && this.readSetting(`net/ipv6/conf/${name}/accept_ra`) === "1") {
      this.forgottenAdvertisements.add(name);
    }
    writeFileSync(join(this.root, "sys", key), `${value}\n`);
  }
}

/** Writes through the machine, so that a write can fail, and spreads as the kernel's do. */
class FakeSysctls extends SysctlTree {
  readonly #os: FakeOs;
  readonly #isAlive: () => boolean;
  readonly #die: () => void;

  constructor(os: FakeOs, isAlive: () => boolean, die: () => void) {
    super(join(os.root, "sys"));
    this.#os = os;
    this.#isAlive = isAlive;
    this.#die = die;
  }

  override write(key: string, value: string): void {
    if (!this.#isAlive()) throw new Error("written after death");
    // The real tree refuses keys that are not ours; what it writes is then written again, and spread.
    const ran = this.#os.change(`sysctl ${key}=${value}`, this.#die, () => {
      const before = this.read(key);
      super.write(key, value);
      super.write(key, before ?? value);
      this.#os.writeSetting(key, value);
      return printed("");
    });
    if (ran.code !== 0) throw new Error("Permission denied");
  }
}

function publicKeyOf(privateKey: string): string {
  const der = Buffer.concat([
    Buffer.from("302e020100300506032b656e04220420", "hex"),
    Buffer.from(privateKey, "base64"),
  ]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
}

function printed(stdout: string): Ran {
  return { code: 0, stdout, stderr: "", missing: false };
}

function refused(stderr: string): Ran {
  return { code: 2, stdout: "", stderr, missing: false };
}
