/**
 * What the temporary guest tries: this helper's own program, started once more inside the guest's namespace with one
 * question on its standard input, which prints one answer.
 */
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { get } from "node:http";
import { connect } from "node:net";
import { z } from "zod";
import { type GuestAnswer, type GuestQuestion, guestQuestionSchema } from "../src-shared/helper/diagnostics.ts";
import { formatEndpoint } from "../src-shared/net/endpoint.ts";

/** argv word by which the helper's program becomes this one. */
export const GUEST_PROBE = "guest-probe";

/** `nobody` and `nogroup` on every Linux (systemd, "Users, Groups, UIDs and GIDs"). */
const NOBODY = 65_534;

/** A question is a line; more than this is none of ours. */
const MAX_QUESTION_CHARACTERS = 4_096;

/** DNS errors that are answers of a resolver. */
const ANSWERS: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

type Seen = Pick<GuestAnswer, "outcome" | "detail"> & Partial<Pick<GuestAnswer, "bytes">>;
type Probe<K extends GuestQuestion["kind"]> = Extract<GuestQuestion, { kind: K }>;

/**
 * Gives root up for good: what answers may be anybody on the internet, and nothing of this needs root. Throws where that cannot
 * be done, and does nothing for who is not root.
 */
export function becomeNobody(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}

/** Reads the question, tries it, prints the answer. Rejects where the question is none. */
export async function runGuestProbe(
  input: AsyncIterable<Buffer | string>,
  print: (text: string) => void,
): Promise<void> {
  let text = "";
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > MAX_QUESTION_CHARACTERS) throw new Error("the question is too long");
  }
  const question = guestQuestionSchema.parse(z.json().parse(JSON.parse(text)));
  const startedMs = performance.now();
  const seen = await tryIt(question);
  print(JSON.stringify({ ...seen, ms: Math.round(performance.now() - startedMs) } satisfies GuestAnswer));
}

function tryIt(question: GuestQuestion): Promise<Seen> {
  switch (question.kind) {
    case "tcp":
      return tryTcp(question);
    case "udp":
      return tryUdp(question);
    case "dns":
      return tryDns(question);
    case "download":
      return download(question);
    case "handshake":
    case "ping":
    case "path-mtu":
      return Promise.reject(new Error(`${question.kind} is not asked of this program`));
  }
}

function tryTcp({ to, port, timeoutMs }: Probe<"tcp">): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = connect({ host: to, port });
    const end = (outcome: Seen["outcome"], detail: string) => {
      socket.destroy();
      resolve({ outcome, detail });
    };
    socket.setTimeout(timeoutMs, () => end("silence", `no answer within ${timeoutMs} ms`));
    socket.once("connect", () => end("answered", "connected"));
    socket.once("error", (error) => end("refused", codeOf(error)));
  });
}

/** A datagram that no service takes for a question; many answer nothing to it, which is silence and no proof. */
function tryUdp({ to, port, timeoutMs }: Probe<"udp">): Promise<Seen> {
  return new Promise((resolve) => {
    const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
    const end = (outcome: Seen["outcome"], detail: string) => {
      clearTimeout(timer);
      socket.close();
      resolve({ outcome, detail });
    };
    const timer = setTimeout(() => end("silence", `no answer within ${timeoutMs} ms`), timeoutMs);
    socket.once("message", (message) => end("answered", `${message.length} bytes`));
    socket.once("error", (error) => end("refused", codeOf(error)));
    // Only a connected socket is told what ICMP says.
    socket.connect(port, to, () => socket.send(Buffer.alloc(1)));
  });
}

async function tryDns({ server, name, timeoutMs }: Probe<"dns">): Promise<Seen> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([formatEndpoint({ host: server, port: 53 })]);
  try {
    const addresses = await resolver.resolve4(name);
    return { outcome: "answered", detail: `${addresses.length} addresses` };
  } catch (error) {
    const code = codeOf(error);
    if (ANSWERS.has(code)) return { outcome: "answered", detail: "no such name" };
    return { outcome: code === "ETIMEOUT" ? "silence" : "refused", detail: code };
  }
}

function download({ to, port, path, maxBytes, timeoutMs }: Probe<"download">): Promise<Seen> {
  return new Promise((resolve) => {
    let bytes = 0;
    const end = (outcome: Seen["outcome"], detail: string) => {
      clearTimeout(timer);
      request.destroy();
      resolve({ outcome, detail, bytes });
    };
    const timer = setTimeout(
      () => end(bytes > 0 ? "answered" : "silence", `${bytes} bytes within ${timeoutMs} ms`),
      timeoutMs,
    );
    const request = get({ host: to, port, path }, (response) => {
      if (response.statusCode !== 200) return end("refused", `HTTP status ${response.statusCode}`);
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= maxBytes) end("answered", `${bytes} bytes`);
      });
      response.on("end", () => end("answered", `${bytes} bytes`));
    });
    request.on("error", (error) => end(bytes > 0 ? "answered" : "refused", codeOf(error)));
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
