/** What a node takes of a computer while it shares and nobody is there: the built program, in the lab. */
import { readFileSync } from "node:fs";
import { Control } from "../../e2e/control.ts";
import { WebHost } from "../../e2e/hosts/web-host.ts";
import type { LabHost } from "../../e2e/lab/index.ts";
import { processorSeconds } from "../../e2e/lab/index.ts";
import { delay, systemClock } from "../../src-shared/clock.ts";

/** Whatever begins with sharing is over by then: the router is asked, the first checks are done. */
const SETTLE_MS = 15_000;

export interface IdleNode {
  /** Of one core, with no panel open. */
  readonly closed: number;
  readonly open: number;
  /** Resident, in units of a million bytes. */
  readonly megabytes: { readonly closed: number; readonly open: number };
}

export async function measureIdleNode(clients: number, seconds: number): Promise<IdleNode> {
  const host = await WebHost.create();
  try {
    await host.startNew();
    const control = new Control(`${host.node.dataFolder}/control.sock`);
    for (let number = 0; number < clients; number++) await control.call("clients.add", { name: `Client ${number}` });
    control.close();
    // As on every day but the first: started with its clients, which were not all added by this run.
    await host.node.stop();
    const { panel: url } = await host.node.start({ panelPort: host.bridge.port, share: true });
    await delay(systemClock, SETTLE_MS);
    const node = () => nodeProcess(host.lab.host("node"));
    const closed = await share(node, seconds);
    const memory = residentBytes(node().outerPid) / 1e6;
    await host.page.goto(url ?? "");
    await host.panel.navigation.waitFor();
    await delay(systemClock, SETTLE_MS);
    const open = await share(node, seconds);
    return { closed, open, megabytes: { closed: memory, open: residentBytes(node().outerPid) / 1e6 } };
  } finally {
    await host.close();
  }
}

type NodeProcess = ReturnType<LabHost["processes"]>[number];

function nodeProcess(host: LabHost): NodeProcess {
  const found = host
    .processes()
    .find(({ argv }) => argv.some((word) => word.endsWith("cli.mjs")) && argv.includes("start"));
  if (found === undefined) throw new Error("no node is running");
  return found;
}

async function share(node: () => NodeProcess, seconds: number): Promise<number> {
  const before = processorSeconds([node()]);
  const beganMs = performance.now();
  await delay(systemClock, seconds * 1_000);
  return ((processorSeconds([node()]) - before) * 1_000) / (performance.now() - beganMs);
}

/** proc(5): VmRSS in kB of 1024 bytes. */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024;
}
