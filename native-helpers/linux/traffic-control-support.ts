/** Whether this kernel can limit at all, tried out in a network namespace of its own: nothing of the machine is touched. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LeafKind } from "../../src-shared/network-observation.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import type { Run } from "./run.ts";

/** The better first. */
const LEAVES: readonly LeafKind[] = ["fq_codel", "sfq", "pfifo"];

/** What every plan needs, on the loopback of an empty namespace; each queue has a class of its own to be tried in. */
const REQUIRED = [
  "qdisc add dev lo root handle 1: htb default ffff",
  ...LEAVES.map((_, index) => `class add dev lo parent 1: classid 1:${index + 1} htb rate 8kbit quantum 1500`),
  "filter add dev lo parent 1: prio 1 protocol ip handle 1: u32 divisor 256",
  "qdisc add dev lo handle ffff: ingress",
  "filter add dev lo parent ffff: prio 1 protocol all u32 match u32 0 0 action mirred egress redirect dev lo",
];
const OPTIONAL: Record<LeafKind, string> = { fq_codel: "fq_codel", sfq: "sfq", pfifo: "pfifo limit 10" };

/** Error: `limits-unsupported`. */
export async function readLeafKind(run: Run, stateDir: string): Promise<Result<LeafKind>> {
  const ifb = await run("unshare", ["--net", "ip", "link", "add", "dev", "higgs-ifb0", "type", "ifb"]);
  if (ifb.missing) return unsupported("unshare (util-linux) is not installed");
  if (ifb.code !== 0) return unsupported("it has no ifb device");
  const path = join(stateDir, "limits-probe.tc");
  try {
    const lines = [
      ...REQUIRED,
      ...LEAVES.map((leaf, index) => `qdisc add dev lo parent 1:${index + 1} ${OPTIONAL[leaf]}`),
    ];
    writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
    const ran = await run("unshare", ["--net", "tc", "-force", "-batch", path]);
    if (ran.missing || ran.code === 127) return unsupported("tc (iproute2) is not installed");
    const failed = new Set([...ran.stderr.matchAll(/Command failed \S+:(\d+)/g)].map(([, line]) => Number(line)));
    const broken = REQUIRED.findIndex((_, index) => failed.has(index + 1));
    if (broken !== -1) return unsupported(`it refuses \`tc ${REQUIRED[broken]}\``);
    const leaf = LEAVES.find((_, index) => !failed.has(REQUIRED.length + index + 1));
    return leaf === undefined || (ran.code !== 0 && failed.size === 0)
      ? unsupported(`tc failed: ${ran.stderr.trim().split("\n")[0] ?? ""}`)
      : ok(leaf);
  } finally {
    rmSync(path, { force: true });
  }
}

function unsupported(reason: string): Result<never> {
  return fail(
    "limits-unsupported",
    `This machine cannot limit guests: ${reason}.`,
    "Install iproute2 and a kernel with sch_htb, cls_u32, act_mirred and ifb.",
  );
}
