/** Names for guests: what the node asks, and what it answers, over both transports. */
import { randomInt } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { RECURSION_DESIRED, streamEncode } from "dns-packet";
import { systemClock } from "../../../src-shared/clock.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { HostResolvers } from "../../dns/resolvers.ts";
import { type Check, failed, pass, skipped, type Verdict, warn, whileSharing } from "../check.ts";

/** Any answer proves that the resolver works, "there is no such name" included. */
const PROBE_NAME = "example.com";
/** A name of the home itself, which nobody outside is to be asked for (RFC 8375). */
const HOME_NAME = "router.home.arpa";
const ANSWER_WITHIN_MS = 1_500;
const ANSWERS: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

const upstream: Check = {
  id: "dns.upstream",
  group: "dns",
  title: "Every resolver of this computer answers",
  async run(_, signal) {
    const resolvers = new HostResolvers({ clock: systemClock }).current();
    const asked = await Promise.all(
      resolvers.map(async ({ address, port }) => {
        const server = formatEndpoint({ host: address, port });
        // A zone is nothing that c-ares takes with a port.
        const seen = await ask(address.includes("%") ? address : server, PROBE_NAME, signal);
        return { server, seen };
      }),
    );
    const silent = asked.filter(({ seen }) => !isAnswer(seen)).map(({ server }) => server);
    if (silent.length === 0) return pass(asked.map(({ server }) => server).join(", "));
    const detail = `No answer from ${silent.join(", ")}.`;
    const fix = "Name one that answers in /etc/resolv.conf, or in the settings of your network manager.";
    return silent.length === asked.length ? failed(detail, fix) : warn(detail, fix);
  },
};

const tcp: Check = {
  id: "dns.tcp",
  group: "dns",
  title: "Guests' DNS questions are answered over TCP too",
  run: (context, signal) =>
    whileSharing(context, async ({ plan, dnsPort }) => {
      const [host] = plan.tunnelAddresses;
      if (host === undefined) return skipped("The tunnel has no address.");
      const seen = await askTcp(host, dnsPort, signal);
      if (seen === "answered") return pass(`Answered at ${formatEndpoint({ host, port: dnsPort })}.`);
      return failed(`No answer over TCP (${seen}).`, "Switch sharing off and on again: higgsnode off && higgsnode on");
    }),
};

const homeNames: Check = {
  id: "dns.home-names",
  group: "dns",
  title: "Guests learn no names of the home network",
  run: (context, signal) =>
    whileSharing(context, async ({ plan, dnsPort }): Promise<Verdict> => {
      const [host] = plan.tunnelAddresses;
      if (host === undefined) return skipped("The tunnel has no address.");
      const seen = await ask(formatEndpoint({ host, port: dnsPort }), HOME_NAME, signal);
      if (seen === "ENOTFOUND") return pass(`${HOME_NAME} is answered with "there is no such name".`);
      if (seen === "answered") return failed(`${HOME_NAME} was answered with an address.`, "Please report this.");
      return skipped(`The answerer said ${seen}.`);
    }),
};

/** `answered`, or the code of what came instead. */
async function ask(server: string, name: string, signal: AbortSignal): Promise<string> {
  const resolver = new Resolver({ timeout: ANSWER_WITHIN_MS, tries: 1 });
  resolver.setServers([server]);
  signal.addEventListener("abort", () => resolver.cancel(), { once: true });
  try {
    await resolver.resolve4(name);
    return "answered";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown";
  }
}

function isAnswer(seen: string): boolean {
  return seen === "answered" || ANSWERS.has(seen);
}

/** Two bytes of length before each message (RFC 1035, section 4.2.2). */
function askTcp(host: string, port: number, signal: AbortSignal): Promise<string> {
  const id = randomInt(0x1_0000);
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect({ host, port });
    const end = (seen: string) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(seen);
    };
    const abort = () => end("ended");
    signal.addEventListener("abort", abort, { once: true });
    socket.setTimeout(ANSWER_WITHIN_MS, () => end("silence"));
    socket.once("error", (error) => end("code" in error ? String(error.code) : error.message));
    socket.once("connect", () => {
      const questions = [{ type: "A" as const, name: PROBE_NAME }];
      socket.write(streamEncode({ type: "query", id, flags: RECURSION_DESIRED, questions }));
    });
    socket.on("data", (chunk) => {
      received.push(chunk);
      const message = Buffer.concat(received).subarray(2);
      // The identifier alone proves that it is ours; the rest has been looked at over UDP.
      if (message.length >= 12) end(isReplyTo(message, id) ? "answered" : "nonsense");
    });
    socket.once("end", () => end("closed"));
  });
}

function isReplyTo(message: Buffer, id: number): boolean {
  return message.readUInt16BE(0) === id && (message.readUInt8(2) & 0x80) !== 0;
}

export const dnsChecks: readonly Check[] = [upstream, tcp, homeNames];
