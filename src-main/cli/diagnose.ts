/** `higgsnode diagnose` */
import type { Command } from "commander";
import type { CheckResult, Diagnosis, DiagnosisGroup } from "../../src-shared/model/diagnosis.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import type { DiagnoseProgress } from "./host.ts";
import { type Session, tellError } from "./session.ts";
import { helperOption } from "./start.ts";
import { addTrace } from "./trace.ts";

/** Exit codes of this command alone: 1 is a check that failed, so "could not run" needs one of its own. */
const EXIT_COULD_NOT_RUN = 2;

export function addDiagnose(program: Command, session: Session): void {
  const diagnoseCommand = program
    .command("diagnose")
    .description("find out what is wrong, with or without a running node")
    .option("--verbose", "show what every check measured")
    .addOption(helperOption())
    .action((options: { verbose?: boolean; helper?: string }) =>
      session.run(async () => {
        const diagnosis = await diagnose(session, options.helper ?? session.host.helperPath);
        if (!diagnosis.ok) {
          tellError(session.host, diagnosis.error, session.json);
          return ok(exitCodeOf(diagnosis.error) === EXIT.notPermitted ? EXIT.notPermitted : EXIT_COULD_NOT_RUN);
        }
        session.print(diagnosis.value, () => diagnosisText(diagnosis.value, options.verbose === true));
        return ok(diagnosis.value.outcome === "pass" ? EXIT.done : EXIT.failed);
      }),
    );
  addTrace(diagnoseCommand, session);
}

async function diagnose(session: Session, helperPath: string): Promise<Result<Diagnosis>> {
  const progress = (step: DiagnoseProgress) => {
    if (session.host.stderrIsTerminal) session.host.stderr(`[${step.done}/${step.total}] ${step.check.title}\n`);
  };
  const online = await session.withNode(async (node) => {
    if (session.host.stderrIsTerminal) {
      await node.subscribe((name, payload) => {
        if (name === "diagnose.progress") progress(payload as DiagnoseProgress);
      });
    }
    return await node.call("diagnose.run", {});
  });
  if (online.ok || online.error.code !== "not-running") return online;
  return session.host.parts.diagnoseOffline({ dataDir: session.dataDir, helperPath, onProgress: progress });
}

const GROUPS: Readonly<Record<DiagnosisGroup, string>> = {
  system: "System requirements",
  network: "Network configuration",
  wireguard: "WireGuard",
  nat: "Address translation (NAT)",
  routing: "Routing",
  firewall: "Firewall",
  reachability: "Reachability from outside",
  relay: "Relay",
  dns: "Names for guests (DNS)",
  ipv6: "IPv6",
  mtu: "Packet size (MTU)",
  limits: "Limits",
  privacy: "Privacy",
  storage: "Storage",
};

const OUTCOMES: Readonly<Record<CheckResult["outcome"], string>> = {
  pass: "ok   ",
  warn: "warn ",
  fail: "FAIL ",
  skipped: "skip ",
};

/** Grouped; a check that is not simply ok says what it saw and what to do, with `verbose` all of them do. */
export function diagnosisText(diagnosis: Diagnosis, verbose: boolean): string {
  const lines: string[] = [];
  for (const group of Object.keys(GROUPS) as DiagnosisGroup[]) {
    const checks = diagnosis.checks.filter((check) => check.group === group);
    if (checks.length === 0) continue;
    lines.push(GROUPS[group], ...checks.flatMap((check) => checkLines(check, verbose)), "");
  }
  lines.push(summary(diagnosis));
  return lines.join("\n");
}

const INDENT = " ".repeat(8);

function checkLines(check: CheckResult, verbose: boolean): string[] {
  const lines = [
    `  ${OUTCOMES[check.outcome]} ${check.title}${verbose ? ` (${Math.round(check.durationMs)} ms)` : ""}`,
  ];
  if (check.outcome !== "pass" || verbose) lines.push(...indented(check.detail, INDENT));
  if (check.outcome !== "pass" && check.fix !== undefined) lines.push(...indented(check.fix, INDENT, "To fix: "));
  return lines;
}

/** A text of several lines under its check, the later lines below the first. */
function indented(text: string, indent: string, label = ""): string[] {
  return text
    .trim()
    .split("\n")
    .map((line, index) => `${indent}${index === 0 ? label : " ".repeat(label.length)}${line}`);
}

function summary({ checks, nodePhase }: Diagnosis): string {
  const count = (outcome: CheckResult["outcome"]) => checks.filter((check) => check.outcome === outcome).length;
  const parts = [
    `${count("pass")} passed`,
    `${count("warn")} with a warning`,
    `${count("fail")} failed`,
    `${count("skipped")} skipped`,
  ];
  const node = nodePhase === null ? "No node is running." : `The node is ${nodePhase}.`;
  return `${checks.length} checks: ${parts.join(", ")}. ${node}`;
}
