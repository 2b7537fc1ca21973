/** `higgsnode self-test` */
import type { Command } from "commander";
import type { SelfTest, SelfTestStage, SelfTestStep } from "../../src-shared/model/diagnosis.ts";
import { ok } from "../../src-shared/result.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";

export function addSelfTest(program: Command, session: Session): void {
  program
    .command("self-test")
    .description("send a temporary guest through the exit, and say how far it came")
    .action(() =>
      session.run(async () => {
        const tested = await session.withNode(async (node) => {
          if (session.host.stderrIsTerminal) {
            await node.subscribe((name, payload) => {
              if (name === "diagnose.selfTestProgress") session.host.stderr(`${stepLine(payload as SelfTestStep)}\n`);
            });
          }
          return node.call("diagnose.selfTest", {});
        });
        if (!tested.ok) return tested;
        session.print(tested.value, () => selfTestText(tested.value));
        return ok(tested.value.outcome === "pass" ? EXIT.done : EXIT.failed);
      }),
    );
}

const STAGES: Readonly<Record<SelfTestStage, string>> = {
  guest: "A temporary guest",
  handshake: "Handshake",
  dns: "Names",
  ipv4: "IPv4",
  ipv6: "IPv6",
  mtu: "Packet size",
  "lan-isolation": "Home network out of reach",
  throughput: "Throughput",
  "clean-up": "Removed without a trace",
};

const OUTCOMES: Readonly<Record<SelfTestStep["outcome"], string>> = {
  pass: "ok  ",
  warn: "warn",
  fail: "FAIL",
  skipped: "skip",
};

export function selfTestText({ outcome, steps }: SelfTest): string {
  const verdict = outcome === "pass" ? "A guest gets what it needs." : "A guest does not get what it needs.";
  return [...steps.map(stepLine), "", verdict].join("\n");
}

function stepLine({ stage, outcome, detail, durationMs }: SelfTestStep): string {
  return `  ${OUTCOMES[outcome]}  ${STAGES[stage].padEnd(26)} ${detail} (${Math.round(durationMs)} ms)`;
}
