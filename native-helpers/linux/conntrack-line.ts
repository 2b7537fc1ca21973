/**
 * One line of `conntrack -E -e DESTROY -o extended,timestamp` (conntrack(8), version 1.4):
 *
 *   [1795358045.344832]  [DESTROY] ipv4     2 tcp      6 119 TIME_WAIT src=10.66.0.2 dst=203.0.113.7 sport=50323 dport=443
 *     packets=4 bytes=316 src=203.0.113.7 dst=192.168.1.5 sport=443 dport=50323 packets=4 bytes=216 [ASSURED] delta-time=1
 *
 * The first tuple is the connection as the guest made it; the second is what answers look like, translated.
 * Counters are there with net.netfilter.nf_conntrack_acct, delta-time with net.netfilter.nf_conntrack_timestamp.
 */
import type { EndedConnection } from "../../src-shared/helper/connections.ts";
import { parseAddress } from "../../src-shared/net/address.ts";

/** A line has some 350 characters; a longer one than this is none. */
export const MAX_LINE_CHARACTERS = 2048;

const HEAD = /^\[(\d{1,12})\.(\d{6})\]\s+\[DESTROY\]\s+ipv[46]\s+\d+\s+([a-z0-9-]{1,16})\s+(\d{1,3})\s/;

interface Tuple {
  source: string;
  fields: Map<string, string>;
}

/** Undefined for every line that is not the end of a connection. Never throws. */
export function parseConntrackLine(line: string): EndedConnection | undefined {
  if (line.length > MAX_LINE_CHARACTERS) return undefined;
  const head = HEAD.exec(line);
  if (head === null) return undefined;
  const [original, reply, ...more] = tuplesOf(line.slice(head[0].length));
  if (original === undefined || reply === undefined || more.length > 0) return undefined;
  const destination = original.fields.get("dst") ?? "";
  if (parseAddress(original.source) === undefined || parseAddress(destination) === undefined) return undefined;
  const port = wholeNumber(original.fields.get("dport"), 65_535);
  if (original.fields.has("dport") && port === undefined) return undefined;
  const endedAtMs = Number(head[1]) * 1000 + Math.floor(Number(head[2]) / 1000);
  return {
    // What conntrack(8) has no name for it calls unknown; the number says which.
    protocol: head[3] === "unknown" ? String(head[4]) : String(head[3]),
    source: original.source,
    destination,
    destinationPort: port ?? null,
    sent: amountOf(original),
    received: amountOf(reply),
    endedAtMs,
    // It follows both tuples, so it is among the fields of the second.
    durationSeconds: wholeNumber(reply.fields.get("delta-time")) ?? null,
  };
}

function tuplesOf(text: string): Tuple[] {
  const tuples: Tuple[] = [];
  for (const word of text.split(/\s+/)) {
    const equals = word.indexOf("=");
    if (equals <= 0) continue;
    const key = word.slice(0, equals);
    const value = word.slice(equals + 1);
    if (key === "src") tuples.push({ source: value, fields: new Map() });
    else tuples.at(-1)?.fields.set(key, value);
  }
  return tuples;
}

function amountOf({ fields }: Tuple): EndedConnection["sent"] {
  const bytes = wholeNumber(fields.get("bytes"));
  const packets = wholeNumber(fields.get("packets"));
  return bytes === undefined || packets === undefined ? null : { bytes, packets };
}

function wholeNumber(text: string | undefined, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}
