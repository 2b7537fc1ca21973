/**
 * Small questions to the network, answered as one line of JSON. Usage:
 *   probe.ts tcp ADDRESS PORT TIMEOUT_MS        {"outcome":"connected"|"refused"|"unreachable"|"silence"}
 *   probe.ts udp ADDRESS PORT TIMEOUT_MS        {"outcome":"answered"|"refused"|"unreachable"|"silence"}
 *   probe.ts resolve NAME TYPE TIMEOUT_MS [SERVER]   {"records":[…]} or {"records":[],"error":"ENOTFOUND"}
 */
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { connect, isIPv6 } from "node:net";

export type ProbeOutcome = "connected" | "answered" | "refused" | "unreachable" | "silence";
export interface ResolveResult {
  /** Empty when there is an error. */
  records: string[];
  /** Code of dns(node): ENOTFOUND, ETIMEOUT, ESERVFAIL, … */
  error?: string;
}

const [verb, first, second, timeout, server] = process.argv.slice(2);
if (first === undefined || second === undefined) throw new TypeError("usage: probe.ts tcp|udp|resolve …");
const timeoutMs = Number(timeout);

switch (verb) {
  case "tcp":
    print({ outcome: await tcp(first, Number(second)) });
    break;
  case "udp":
    print({ outcome: await udp(first, Number(second)) });
    break;
  case "resolve":
    print(await resolveName(first, second));
    break;
  default:
    throw new TypeError(`unknown question ${verb}`);
}
process.exit(0);

function tcp(host: string, port: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    setTimeout(() => resolve("silence"), timeoutMs);
    socket.once("connect", () => resolve("connected"));
    socket.once("error", (error) => resolve(outcomeOf(error)));
  });
}

function udp(host: string, port: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    setTimeout(() => resolve("silence"), timeoutMs);
    socket.once("message", () => resolve("answered"));
    // A connected socket is told about ICMP errors.
    socket.once("error", (error) => resolve(outcomeOf(error)));
    socket.once("connect", () => socket.send("are you there?"));
    socket.connect(port, host);
  });
}

function outcomeOf(error: NodeJS.ErrnoException): ProbeOutcome {
  switch (error.code) {
    case "ECONNREFUSED":
    case "ECONNRESET":
      return "refused";
    case "ETIMEDOUT":
      return "silence";
    default:
      return "unreachable";
  }
}

async function resolveName(name: string, type: string): Promise<ResolveResult> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  if (server !== undefined) resolver.setServers([server]);
  try {
    switch (type) {
      case "A":
        return { records: await resolver.resolve4(name) };
      case "AAAA":
        return { records: await resolver.resolve6(name) };
      case "TXT":
        return { records: (await resolver.resolveTxt(name)).map((parts) => parts.join("")) };
      default:
        throw new TypeError(`unknown record type ${type}`);
    }
  } catch (error) {
    return { records: [], error: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
