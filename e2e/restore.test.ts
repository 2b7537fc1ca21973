import { describe, expect, it } from "vitest";
import { type LabHost, NetworkSnapshot, plantForeignRules, pollUntil, requireLab } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

type Planted = "an empty machine" | "a machine with ufw, Docker and another VPN";
const MACHINES: readonly Planted[] = ["an empty machine", "a machine with ufw, Docker and another VPN"];

/** The helper's grace time is 30 s; restoring takes less than one. */
const GRACE_TIMEOUT_MS = 60_000;

describe.skipIf(!requireLab()).each(MACHINES)("on %s", (machine) => {
  async function prepared(): Promise<{ sharing: Sharing; before: NetworkSnapshot }> {
    const sharing = await Sharing.create();
    if (machine !== "an empty machine") await plantForeignRules(sharing.node.host);
    return { sharing, before: await NetworkSnapshot.take(sharing.node.host) };
  }

  async function shareAndBrowse(sharing: Sharing): Promise<void> {
    await sharing.node.mustRun(["on"]);
    const guest = await sharing.connectGuest("guest");
    const page = await guest.fetch("http://www.example.test/", { family: 4 });
    expect(page.status).toBe(200);
    expect((await guest.fetch("http://www.example.test/", { family: 6 })).status).toBe(200);
    await guest.down();
  }

  async function differences(sharing: Sharing, before: NetworkSnapshot): Promise<string[]> {
    return NetworkSnapshot.diff(before, await NetworkSnapshot.take(sharing.node.host));
  }

  it("a guest browses, and after off everything reads as before", async () => {
    const { sharing, before } = await prepared();
    try {
      await shareAndBrowse(sharing);
      expect(await differences(sharing, before)).not.toEqual([]);
      await sharing.node.mustRun(["off"]);
      expect(await differences(sharing, before)).toEqual([]);
      // Twice, because the second time everything that loads on first use is loaded.
      await sharing.node.mustRun(["on"]);
      await sharing.node.mustRun(["off"]);
      expect(await differences(sharing, before)).toEqual([]);
    } finally {
      await sharing.dispose();
    }
  });

  it("stopping the node with SIGTERM puts everything back", async () => {
    const { sharing, before } = await prepared();
    try {
      await shareAndBrowse(sharing);
      expect(await sharing.node.stop()).toMatchObject({ code: 0 });
      expect(await differences(sharing, before)).toEqual([]);
    } finally {
      await sharing.dispose();
    }
  });

  it.each(["the node", "the helper", "both"])(
    "kill -9 of %s and restore-network put everything back",
    async (killed) => {
      const { sharing, before } = await prepared();
      try {
        await shareAndBrowse(sharing);
        const { host } = sharing.node;
        const helper = sharing.helperPid();
        const node = sharing.nodePid();
        // The node first, or it would start a new helper.
        if (killed !== "the node") host.kill(node, "SIGSTOP");
        if (killed !== "the node") host.kill(helper, "SIGKILL");
        if (killed !== "the helper") host.kill(node, "SIGKILL");
        else {
          host.kill(node, "SIGCONT");
          await sharing.waitForPhase("running");
          await sharing.node.mustRun(["off"]);
        }
        await sharing.node.mustRun(["restore-network"]);
        expect(await differences(sharing, before)).toEqual([]);
      } finally {
        await sharing.dispose();
      }
    },
  );
});

describe.skipIf(!requireLab())("after a crash", () => {
  it("a node that shared shares again, and its clients need no new configuration", async () => {
    const sharing = await Sharing.on();
    try {
      const guest = await sharing.connectGuest("guest");
      sharing.node.host.kill(sharing.nodePid(), "SIGKILL");
      await sharing.node.start({ panelPort: false });
      await sharing.waitForPhase("running");
      expect((await guest.fetch("http://www.example.test/")).status).toBe(200);
    } finally {
      await sharing.dispose();
    }
  });

  it("a helper without its node restores the network by itself after the grace time", async () => {
    const sharing = await Sharing.create();
    try {
      const before = await NetworkSnapshot.take(sharing.node.host);
      await sharing.node.mustRun(["on"]);
      sharing.node.host.kill(sharing.nodePid(), "SIGKILL");
      expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(sharing.node.host))).not.toEqual([]);
      await pollUntil(
        "the network to be as before",
        async () => NetworkSnapshot.diff(before, await NetworkSnapshot.take(sharing.node.host)).length === 0,
        { timeoutMs: GRACE_TIMEOUT_MS, intervalMs: 500 },
      );
    } finally {
      await sharing.dispose();
    }
  });

  it("a node with sharing off takes away what an earlier run left", async () => {
    const sharing = await Sharing.create();
    try {
      const before = await NetworkSnapshot.take(sharing.node.host);
      await sharing.node.mustRun(["on"]);
      const { host } = sharing.node;
      const [helper, node] = [sharing.helperPid(), sharing.nodePid()];
      host.kill(node, "SIGSTOP");
      host.kill(helper, "SIGKILL");
      host.kill(node, "SIGKILL");
      await sharing.node.start({ panelPort: false });
      await sharing.waitForPhase("running");
      await sharing.node.mustRun(["off"]);
      expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(host))).toEqual([]);
    } finally {
      await sharing.dispose();
    }
  });
});

describe.skipIf(!requireLab())("with sharing off", () => {
  it("nothing is changed and no packet is sent", async () => {
    const sharing = await Sharing.create();
    try {
      const { host } = sharing.node;
      await sharing.node.stop();
      const before = await NetworkSnapshot.take(host);
      const packetsBefore = await packetsSent(host);
      await sharing.node.start({ panelPort: false });
      await sharing.node.mustRun(["client", "add", "somebody"]);
      await sharing.node.mustRun(["status"]);
      await sharing.node.stop();
      expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(host))).toEqual([]);
      expect(await packetsSent(host)).toBe(packetsBefore);
      expect(host.processes().some(({ argv }) => argv.join(" ").includes("helper.mjs"))).toBe(false);
    } finally {
      await sharing.dispose();
    }
  });
});

/**
 * IP packets the host has sent so far, both families (proc(5), /proc/net/snmp). ICMPv6 is left out: the kernel reports its own
 * multicast groups whenever it likes.
 */
async function packetsSent(host: LabHost): Promise<number> {
  const [names = "", values = ""] = (await host.readFile("/proc/net/snmp"))
    .split("\n")
    .filter((line) => line.startsWith("Ip: "));
  const ipv4 = values.split(" ")[names.split(" ").indexOf("OutRequests")];
  const ipv6 = await host.readFile("/proc/net/snmp6");
  const count = (name: string) => Number(new RegExp(`^${name}\\s+(\\d+)`, "m").exec(ipv6)?.[1]);
  const total = Number(ipv4) + count("Ip6OutRequests") - count("Icmp6OutMsgs");
  if (Number.isNaN(total)) throw new Error("the kernel's counters could not be read");
  return total;
}
