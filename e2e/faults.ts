/** What goes wrong in a home, and how quickly a node has to be over it. */
import type { FaultLab } from "./fault-lab.ts";
import { LAN, SECOND_UPLINK } from "./lab/index.ts";

export interface Fault {
  name: string;
  /** Only felt while guests get out by the first uplink. */
  needsFirstUplink?: true;
  /** From `inflict` to a node that is running and a guest who is served. */
  limitMs: number;
  /** Whose connection is looked at. */
  guest: "direct" | "relayed";
  /**
   * Makes it happen. Resolves with when it was first there (for those that end by themselves: when it was over), in
   * milliseconds since the epoch, and with how to see that it is mended.
   */
  inflict(lab: FaultLab): Promise<{ startedMs: number; isMended: () => Promise<boolean> | boolean }>;
}

/** How long a router or a relay stays away: long enough for everybody to notice. */
const AWAY_MS = 2_000;

/** What a firewall does when it is reloaded: chains that are not in its file are gone afterwards. */
const LOADS_ITS_RULES = `iptables-restore <<'END'
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
END`;

/** Where the router is found after its owner has given it another address. */
const OTHER_GATEWAY = "192.168.77.254";

const FIRST = "eth0";
const SECOND = "eth1";

/** Makes an uplink the one that the default routes lead over, in one go as a network manager does it. */
function turnTo(lab: FaultLab, device: string): Promise<void> {
  const [ipv4, ipv6] =
    device === FIRST ? [lab.gateway, LAN.router.ipv6] : [SECOND_UPLINK.router.ipv4, SECOND_UPLINK.router.ipv6];
  return lab.host.ip([
    `route replace default via ${ipv4} dev ${device}`,
    `route replace default via ${ipv6} dev ${device}`,
  ]);
}

function rules(name: string, ...commands: string[][]): Fault {
  return {
    name,
    limitMs: 2_000,
    guest: "direct",
    async inflict(lab) {
      const before = await lab.rules();
      const startedMs = Date.now();
      for (const command of commands) await lab.host.mustExec(command);
      return { startedMs, isMended: async () => (await lab.rules()) === before };
    },
  };
}

/** @param breakIt returns the process that has to be gone before anything can be mended, where there is one */
function tunnel(name: string, breakIt: (lab: FaultLab) => Promise<number | undefined>): Fault {
  return {
    name,
    limitMs: 3_000,
    guest: "direct",
    async inflict(lab) {
      const startedMs = Date.now();
      const killed = await breakIt(lab);
      return {
        startedMs,
        isMended: async () => {
          if (lab.host.processes().some(({ pid }) => pid === killed)) return false;
          return (await lab.host.exec(["ip", "link", "show", "dev", "higgs0", "up"])).stdout.includes("UP");
        },
      };
    },
  };
}

async function isForwarding(lab: FaultLab, ...names: string[]): Promise<boolean> {
  const files = names.map((name) => `/proc/sys/net/ipv4/conf/${name}/forwarding`);
  const { stdout } = await lab.host.exec(["cat", ...files]);
  return stdout === "1\n".repeat(names.length);
}

/** The helper is what answers when it is there; its process alone would be there a moment earlier. */
const HELPER_KILLED: Fault = {
  name: "the helper is killed with -9",
  limitMs: 5_000,
  guest: "direct",
  async inflict(lab) {
    const killed = lab.processes("helper.mjs");
    const appliesBefore = await lab.applies();
    const startedMs = Date.now();
    for (const pid of killed) lab.host.kill(pid, "SIGKILL");
    return {
      startedMs,
      isMended: async () =>
        lab.processes("helper.mjs").some((pid) => !killed.includes(pid)) && (await lab.applies()) > appliesBefore,
    };
  },
};

function uplinkMoves(name: string): Fault {
  return {
    name,
    limitMs: 5_000,
    guest: "direct",
    async inflict(lab) {
      const to = (await uplinkOf(lab)) === FIRST ? SECOND : FIRST;
      const startedMs = Date.now();
      await turnTo(lab, to);
      return {
        startedMs,
        isMended: async () => (await uplinkOf(lab)) === to && isForwarding(lab, "higgs0", to),
      };
    },
  };
}

/** Where the node thinks that guests get out. */
async function uplinkOf(lab: FaultLab): Promise<string | undefined> {
  const { node } = await lab.state();
  return "exit" in node ? (node.exit.uplink.ipv4 ?? undefined) : undefined;
}

const GATEWAY_CHANGES: Fault = {
  name: "the gateway gets another address",
  limitMs: 5_000,
  needsFirstUplink: true,
  guest: "direct",
  async inflict(lab) {
    const from = lab.gateway;
    const to = from === OTHER_GATEWAY ? LAN.router.ipv4 : OTHER_GATEWAY;
    lab.gateway = to;
    await lab.router.host.ip([`address del ${from}/24 dev br-lan`, `address add ${to}/24 dev br-lan`]);
    await lab.router.mapping?.stop();
    await lab.router.mapping?.start();
    const startedMs = Date.now();
    await lab.host.ip([`route replace default via ${to} dev eth0`]);
    return {
      startedMs,
      isMended: async () => {
        const { portMapping } = await lab.state();
        return portMapping.state === "mapped" && portMapping.gateway === to;
      },
    };
  },
};

const ROUTER_RESTARTED: Fault = {
  name: "the router is restarted (from its return)",
  limitMs: 10_000,
  needsFirstUplink: true,
  guest: "direct",
  async inflict(lab) {
    await lab.router.powerOff();
    await pause(AWAY_MS);
    await lab.router.powerOn();
    return {
      startedMs: Date.now(),
      isMended: async () => (await lab.router.mapping?.rules())?.includes(LAN.node.ipv4) === true,
    };
  },
};

const RELAY_LOST: Fault = {
  name: "the relay is lost and comes back (from its return)",
  limitMs: 5_000,
  guest: "relayed",
  async inflict(lab) {
    await lab.killRelay();
    await pause(AWAY_MS);
    await lab.restartRelay();
    return { startedMs: Date.now(), isMended: async () => (await lab.state()).relay.state === "connected" };
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const FAULTS: readonly Fault[] = [
  rules("every rule is flushed", ["iptables", "-F"], ["iptables", "-t", "nat", "-F"]),
  rules("one of our rules is deleted", ["iptables", "-D", "HIGGS-FORWARD", "1"]),
  rules("a chain of ours is emptied", ["iptables", "-F", "HIGGS-GUEST"]),
  rules("an IPv6 rule of ours is deleted", ["ip6tables", "-D", "HIGGS-FORWARD", "1"]),
  rules("another firewall program loads its rules in place of all others", ["sh", "-c", LOADS_ITS_RULES]),
  rules("the whole ruleset is flushed", ["nft", "flush", "ruleset"]),
  tunnel("the interface is deleted", async (lab) => {
    await lab.host.mustExec(["ip", "link", "del", "higgs0"]);
    return undefined;
  }),
  tunnel("the interface is switched off", async (lab) => {
    await lab.host.mustExec(["ip", "link", "set", "higgs0", "down"]);
    return undefined;
  }),
  tunnel("wireguard-go is killed", async (lab) => {
    const [process = 0] = lab.processes("wireguard-go");
    lab.host.kill(process, "SIGKILL");
    return process;
  }),
  {
    name: "forwarding is switched off for the whole machine",
    limitMs: 2_000,
    guest: "direct",
    async inflict(lab) {
      const uplink = (await uplinkOf(lab)) ?? "";
      // The kernel only resets every interface where the machine-wide value changes: somebody had it on for a while.
      await lab.host.mustExec(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
      const startedMs = Date.now();
      await lab.host.mustExec(["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"]);
      return { startedMs, isMended: () => isForwarding(lab, "higgs0", uplink) };
    },
  },
  HELPER_KILLED,
  RELAY_LOST,
  uplinkMoves("the default route moves to another uplink"),
  uplinkMoves("the default route moves once more"),
  GATEWAY_CHANGES,
  ROUTER_RESTARTED,
];

/** Back to how the lab was made: the first uplink, and the router where it was. */
export async function turnBack(lab: FaultLab): Promise<void> {
  if ((await uplinkOf(lab)) !== FIRST) await goThrough(lab, uplinkMoves("the default route moves back"));
  if (lab.gateway !== LAN.router.ipv4) await goThrough(lab, GATEWAY_CHANGES);
}

export interface Healed {
  /** From the fault (or its end) to each, milliseconds. */
  mendedMs: number;
  runningMs: number;
  servedMs: number;
}

/** Inflicts it and waits until the node is over it. */
export async function goThrough(lab: FaultLab, fault: Fault): Promise<Healed> {
  if (fault.needsFirstUplink && (await uplinkOf(lab)) !== FIRST) {
    await goThrough(lab, uplinkMoves("the default route moves back"));
  }
  const { startedMs, isMended } = await fault.inflict(lab);
  await lab.until(`"${fault.name}" to be mended`, isMended);
  const mendedAtMs = Date.now();
  await lab.untilRunning();
  const runningAtMs = Date.now();
  // The question is sent when all is well again: an answer that was under way before proves nothing.
  const servedAtMs = await lab.served(fault.guest, runningAtMs);
  return {
    mendedMs: mendedAtMs - startedMs,
    runningMs: runningAtMs - startedMs,
    servedMs: Math.round(servedAtMs - startedMs),
  };
}

/** Pulls the first uplink, as a network manager sees to it: the interface goes down, its routes and IPv6 addresses with it. */
export function pullPlug(lab: FaultLab): Promise<void> {
  return lab.host.ip([`link set dev ${FIRST} down`]);
}

/** Another uplink takes over, such as Wi-Fi where a cable was pulled. Resolves like `plugIn`. */
export async function takeOver(lab: FaultLab): Promise<number> {
  await turnTo(lab, SECOND);
  return Date.now();
}

/** Plugs it in again, with addresses and routes. Resolves with when that was done, in milliseconds since the epoch. */
export async function plugIn(lab: FaultLab): Promise<number> {
  await lab.host.ip([`link set dev ${FIRST} up`, `address replace ${LAN.node.ipv6}/64 dev ${FIRST} nodad`]);
  await turnTo(lab, FIRST);
  return Date.now();
}
