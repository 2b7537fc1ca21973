/** `higgsnode diagnose trace CLIENT ADDRESS:PORT` */
import type { Command } from "commander";
import type { FirewallTrace } from "../../src-shared/model/firewall-trace.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import { parseEndpoint } from "../../src-shared/net/endpoint.ts";
import { fail, ok } from "../../src-shared/result.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";

/** @param diagnose the command that this one belongs to */
export function addTrace(diagnose: Command, session: Session): void {
  diagnose
    .command("trace")
    .description("why a packet of a client's gets through or not: by the rules, and by a real one")
    .argument("<client>", "name or id")
    .argument("<destination>", "ADDRESS:PORT, an IPv6 address in brackets")
    .option("--udp", "a datagram instead of a TCP connection")
    .action((client: string, destination: string, options: { udp?: boolean }) =>
      session.run(async () => {
        const to = parseEndpoint(destination);
        if (to === undefined || parseAddress(to.host) === undefined) {
          return fail(
            "bad-usage",
            `${destination} is not ADDRESS:PORT.`,
            "Such as 1.1.1.1:443 or [2606:4700::1111]:443.",
          );
        }
        const protocol = options.udp === true ? "udp" : "tcp";
        const traced = await session.withNode((node) =>
          node.call("diagnose.trace", { client, to: to.host, port: to.port, protocol }),
        );
        if (!traced.ok) return traced;
        session.print(traced.value, () => traceText(traced.value));
        return ok(traced.value.verdict === "passes" ? EXIT.done : EXIT.failed);
      }),
    );
}

const PROBES = {
  answered: "answered",
  refused: "refused",
  silence: "not answered",
  "not-sent": "not sent",
} as const;

/** No rule of this machine can promise what others do with a packet; what a real one met is all that is known. */
const PASSES = {
  answered: "It gets through.",
  refused: "It gets out of this computer, and is refused further on.",
  silence: "It gets out of this computer, and nobody answers.",
  "not-sent": "It gets out of this computer, by the rules.",
} as const;

const OTHERS = {
  blocked: "It does not get through.",
  unclear: "It is not certain whether it gets through.",
} as const;

function verdictText({ verdict, probe }: FirewallTrace): string {
  return verdict === "passes" ? PASSES[probe?.outcome ?? "not-sent"] : OTHERS[verdict];
}

export function traceText(trace: FirewallTrace): string {
  const { reason, fix, steps, probe } = trace;
  const lines = [`${verdictText(trace)} ${reason}`];
  if (fix !== undefined) lines.push(`To fix: ${fix}`);
  lines.push("", "On its way:");
  for (const { place, rule, owner, effect } of steps)
    lines.push(`  ${effect.padEnd(10)} ${place}: ${rule}  (${owner})`);
  if (probe !== undefined) lines.push("", `A real packet: ${PROBES[probe.outcome]}. ${probe.detail}`);
  return lines.join("\n");
}
