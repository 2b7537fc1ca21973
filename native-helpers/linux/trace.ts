/**
 * Who the first hops are: an echo request whose hop limit ends there makes the hop say so (RFC 792, time exceeded).
 * ping(8) does it, because a raw socket is nothing that Node.js has.
 */
import type { TracedHop } from "../../src-shared/helper/protocol.ts";
import { formatAddress, parseAddress } from "../../src-shared/net/address.ts";
import type { Run } from "./run.ts";

/** A hop that limits what it says answers within this, or not at all. */
const ANSWER_WITHIN_SECONDS = "1";
/** ping ends by itself; this is for one that does not. */
const PING_TIMEOUT_MS = 3_000;

/** All hops at once, in order; `address` is null where nobody answered. Ends after the hop that is `to` itself. */
export async function traceHops(run: Run, { to, maxHops }: { to: string; maxHops: number }): Promise<TracedHop[]> {
  const family = parseAddress(to)?.family === 6 ? "-6" : "-4";
  const limits = Array.from({ length: maxHops }, (_, index) => index + 1);
  const hops = await Promise.all(
    limits.map(async (limit) => {
      const args = [family, "-n", "-c", "1", "-W", ANSWER_WITHIN_SECONDS, "-t", String(limit), to];
      const { stdout } = await run("ping", args, { timeoutMs: PING_TIMEOUT_MS });
      return { address: answererOf(stdout) };
    }),
  );
  const last = hops.findIndex(({ address }) => address === to);
  return last === -1 ? hops : hops.slice(0, last + 1);
}

/**
 * `From 192.168.88.1 icmp_seq=1 Time to live exceeded`, `From 2001:db8::1 icmp_seq=1 Time exceeded: Hop limit`, or the
 * answer of the target, `64 bytes from 11.22.44.91: icmp_seq=1 ttl=63`. Any other complaint names no hop.
 */
function answererOf(printed: string): string | null {
  const expired = /^From ([0-9a-fA-F:.]+)(?::| ).*(?:Time to live exceeded|Hop limit)/m.exec(printed);
  const answered = /^[0-9]+ bytes from ([0-9a-fA-F:.]+?):? /m.exec(printed);
  const address = parseAddress((expired ?? answered)?.[1]?.replace(/(?<=[^:]):$/, "") ?? "");
  return address === undefined ? null : formatAddress(address);
}
