/** The lab's name server, UDP and TCP (RFC 1035), with every question kept for the tests. */

import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { appendFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import dnsPacket, { type Answer, type Packet } from "dns-packet";
import { BIG_NAME, INTERNET, WEB_NAME } from "../addresses.ts";

/** RFC 1035, section 4.2.1: a UDP answer without EDNS has at most this many bytes. */
const MAX_PLAIN_UDP_BYTES = 512;
const TTL_SECONDS = 60;
const NXDOMAIN = 3;
/** An idle resolver may keep a TCP connection; it is no use to the lab for longer. */
const TCP_IDLE_MS = 10_000;

export interface DnsQuery {
  name: string;
  type: string;
  transport: "udp" | "tcp";
  /** Address of whoever asked. */
  from: string;
}

export interface DnsServerOptions {
  /** Each query is added to this file as one line of JSON. */
  logFile: string;
  ipv6: boolean;
}

export function createDnsSocket(type: "udp4" | "udp6", options: DnsServerOptions): UdpSocket {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  socket.on("message", (message, from) => {
    const answer = answerTo(message, "udp", from.address, options);
    if (answer !== undefined) socket.send(answer, from.port, from.address);
  });
  return socket;
}

export function createDnsTcpServer(options: DnsServerOptions): Server {
  return createServer((socket) => {
    let pending = Buffer.alloc(0);
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const length = pending.readUInt16BE(0);
        const answer = answerTo(pending.subarray(2, 2 + length), "tcp", socket.remoteAddress ?? "", options);
        pending = pending.subarray(2 + length);
        if (answer === undefined) {
          socket.destroy();
          return;
        }
        const prefix = Buffer.alloc(2);
        prefix.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([prefix, answer]));
      }
    });
  });
}

function answerTo(
  message: Buffer,
  transport: "udp" | "tcp",
  from: string,
  options: DnsServerOptions,
): Buffer | undefined {
  let query: Packet;
  try {
    query = dnsPacket.decode(message);
  } catch {
    return undefined;
  }
  const question = query.questions?.[0];
  if (query.type !== "query" || question === undefined) return undefined;
  const asked: DnsQuery = { name: question.name, type: question.type, transport, from };
  appendFileSync(options.logFile, `${JSON.stringify(asked)}\n`);
  const answers = answersTo(question.name.toLowerCase(), question.type, options.ipv6);
  const flags = dnsPacket.RECURSION_AVAILABLE | ((query.flags ?? 0) & dnsPacket.RECURSION_DESIRED);
  const reply: Packet = {
    type: "response",
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: answers === undefined ? flags | NXDOMAIN : flags,
    questions: [question],
    answers: answers ?? [],
  };
  const encoded = dnsPacket.encode(reply);
  if (transport === "tcp" || encoded.length <= sizeOfferedBy(query)) return encoded;
  return dnsPacket.encode({ ...reply, flags: flags | dnsPacket.TRUNCATED_RESPONSE, answers: [] });
}

/** RFC 6891: an OPT record says how long a UDP answer the asker can take. */
function sizeOfferedBy(query: Packet): number {
  const opt = query.additionals?.find((record) => record.type === "OPT");
  return opt === undefined ? MAX_PLAIN_UDP_BYTES : Math.max(MAX_PLAIN_UDP_BYTES, opt.udpPayloadSize);
}

/** Undefined for a name that does not exist; empty for a name without records of that type. */
function answersTo(name: string, type: string, ipv6: boolean): Answer[] | undefined {
  const record = { name, ttl: TTL_SECONDS } as const;
  if (name === WEB_NAME) {
    if (type === "A") return [{ ...record, type: "A", data: INTERNET.web.ipv4 }];
    if (type === "AAAA" && ipv6) return [{ ...record, type: "AAAA", data: INTERNET.web.ipv6 }];
    return [];
  }
  if (name === BIG_NAME) {
    // Larger than the 1,232 and 4,096 bytes that resolvers offer by EDNS, too: TCP is the only way.
    const texts = Array.from({ length: 24 }, (_, index) => String(index % 10).repeat(200));
    return type === "TXT" ? texts.map((data) => ({ ...record, type: "TXT", data })) : [];
  }
  return undefined;
}
