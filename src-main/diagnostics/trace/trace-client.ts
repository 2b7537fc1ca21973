/** Why a packet of one client's gets through or not: by the rules, and by a real one. */
import type { GuestAnswer } from "../../../src-shared/helper/diagnostics.ts";
import type { FirewallTrace, FirewallTraceQuery } from "../../../src-shared/model/firewall-trace.ts";
import { formatAddress, parseAddress, splitPrefix } from "../../../src-shared/net/address.ts";
import { fail, ok, type Result } from "../../../src-shared/result.ts";
import { addressesOf } from "../../clients/address-allocator.ts";
import type { ClientRecord } from "../../clients/client-record.ts";
import type { ExitPlan } from "../../node/exit-planner.ts";
import type { MachineFacts, MachineProbe } from "../check.ts";
import type { TestGuest } from "../test-guest.ts";
import { type TracedPath, tracePacket } from "./trace-packet.ts";

/** On this machine it takes milliseconds; room for one that is repeated (REKEY_TIMEOUT, five seconds) is not needed. */
const HANDSHAKE_WITHIN_MS = 5_000;
/** The other side of the world answers in a third of a second, a satellite in one. */
const ANSWER_WITHIN_MS = 2_000;

/** ICMP's "administratively prohibited", as connect(2) tells of it: somebody on the way has said no. */
const PROHIBITED: ReadonlySet<string> = new Set(["EHOSTUNREACH", "EACCES", "EPERM", "ENETUNREACH"]);

export interface TraceSurroundings {
  client: ClientRecord;
  plan: ExitPlan | undefined;
  machine: Result<MachineFacts>;
  probe: MachineProbe;
  guest: TestGuest;
}

/** Errors: `not-sharing`, `no-address`, and those of the helper. */
export async function traceClient(
  query: FirewallTraceQuery,
  around: TraceSurroundings,
): Promise<Result<FirewallTrace>> {
  const { client, plan, machine, probe, guest } = around;
  if (plan === undefined)
    return fail("not-sharing", "Sharing is off, so no guest gets through.", "Turn it on: higgsnode on");
  if (!machine.ok) return machine;
  const { firewall, observation } = machine.value;
  if (firewall === undefined) return fail("not-supported", "This helper cannot read the rules.");
  const family = parseAddress(query.to)?.family;
  const source = addressesOf(client.hostNumber, plan.spec.guests)?.find(
    (text) => parseAddress(text)?.family === family,
  );
  if (source === undefined) {
    return fail(
      "no-address",
      `${client.name} has no IPv${family} address.`,
      "Choose a destination of the other family.",
    );
  }
  const inInterface = plan.spec.wireguard.interfaceName;
  const route = await probe.lookUpRoute({ to: query.to, from: source, interfaceName: inInterface });
  if (!route.ok) return route;
  const path = tracePacket({
    source,
    to: query.to,
    port: query.port,
    protocol: query.protocol,
    inInterface,
    firewall,
    route: route.value,
    local: observation.links.flatMap(({ addresses }) => addresses.map(withoutLength)),
  });
  const admitted = plan.spec.wireguard.peers.some(({ publicKey }) => publicKey === client.publicKey);
  if (!admitted) return ok({ ...notAdmitted(client, path), probe: NOT_SENT });
  return ok(await withProbe(path, query, guest));
}

const NOT_SENT = { outcome: "not-sent", detail: "It would come from a guest who is let in." } as const;

function notAdmitted({ paused }: ClientRecord, { steps }: TracedPath): TracedPath {
  const rule = paused ? "paused" : "over quota, outside of its schedule, or without an address";
  return {
    verdict: "blocked",
    reason: `The tunnel lets this client in no more: it is ${rule}.`,
    fix: paused ? "Let it in again: higgsnode client resume NAME" : "Look at: higgsnode client list",
    steps: [{ place: "tunnel", rule, owner: "HiggsNode", effect: "drops" }, ...steps],
  };
}

/** The client itself cannot be made to send anything: a temporary guest does, with an address next to it. */
async function withProbe(path: TracedPath, query: FirewallTraceQuery, guest: TestGuest): Promise<FirewallTrace> {
  const asked = await guest.with(async (open) => {
    const greeted = await open.ask({ kind: "handshake", timeoutMs: HANDSHAKE_WITHIN_MS });
    if (!greeted.ok) return greeted;
    if (greeted.value.outcome !== "answered") return fail("no-handshake", "The temporary guest got no handshake.");
    const { to, port, protocol: kind } = query;
    return open.ask({ kind, to, port, timeoutMs: ANSWER_WITHIN_MS });
  });
  const answer = asked.ok ? asked.value.value : asked;
  if (!answer.ok) return { ...path, probe: { outcome: "not-sent", detail: answer.error.message } };
  const { outcome, detail } = answer.value;
  const probe = { outcome, detail: `A temporary guest was told: ${detail}.` };
  return { ...judged(path, answer.value, query), probe };
}

/** What was really seen decides where the rules leave it open. */
function judged(path: TracedPath, seen: GuestAnswer, { protocol }: FirewallTraceQuery): TracedPath {
  // A reset is the other end's answer, or that of a rule which rejects with one.
  const reset = seen.detail === "ECONNREFUSED";
  const passed = seen.outcome === "answered" || (reset && path.verdict === "passes");
  if (reset && !passed) return path;
  if (passed && path.verdict !== "passes") {
    return { verdict: "passes", reason: "A real packet got there and was answered.", steps: path.steps };
  }
  if (path.verdict === "unclear" && seen.outcome === "refused" && PROHIBITED.has(seen.detail)) {
    return { ...path, verdict: "blocked", reason: `A real packet was refused (${seen.detail}). ${path.reason}` };
  }
  if (path.verdict !== "passes" || passed) return path;
  if (seen.outcome === "refused") {
    return { ...path, reason: `${path.reason} Somebody further on refuses it (${seen.detail}).` };
  }
  const silence =
    protocol === "udp" ? "Nothing came back, which many services do not do anyway." : "Nobody answered a real packet.";
  return { ...path, reason: `${path.reason} ${silence}` };
}

function withoutLength(text: string): string {
  const parts = splitPrefix(text);
  return parts === undefined ? text : formatAddress(parts.address);
}
