/** A real question to the answerer that guests ask, from the node's own tunnel address. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { decode, encode, RECURSION_DESIRED } from "dns-packet";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { HealthVerdict } from "../../src-shared/model/health-verdict.ts";

/** The answerer asks a resolver that is silent twice, two seconds each, and then says so. */
const ANSWERS_WITHIN_MS = 5_000;

/**
 * The servers of the root (RFC 1034, section 3.6): every resolver knows them without asking anybody, and the question tells
 * nothing about anyone.
 */
const QUESTION = { type: "NS", name: "." } as const;

export interface DnsQuestionTo {
  /** The node's tunnel address, on which the answerer listens and from which it is asked. */
  address: string;
  port: number;
  clock: Clock;
}

/** Errors: `dns-silent` where nobody answers, `dns-no-resolver` where the answerer found no resolver that does. Never rejects. */
export async function probeDns({ address, port, clock }: DnsQuestionTo): Promise<HealthVerdict> {
  const answer = await ask(address, port, clock);
  if (answer === undefined) {
    return {
      state: "bad",
      error: {
        code: "dns-silent",
        message: "Guests' questions for names are not answered.",
        hint: "HiggsNode opens its name service anew by itself.",
      },
    };
  }
  if (answer !== "SERVFAIL") return { state: "good" };
  return {
    state: "bad",
    error: {
      code: "dns-no-resolver",
      message: "The name servers that this computer uses do not answer.",
      hint: "Look at this computer's DNS settings, or restart the router.",
    },
  };
}

/** The result code; undefined without an answer. */
function ask(address: string, port: number, clock: Clock): Promise<string | undefined> {
  const id = randomInt(0x1_0000);
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    let cancel: CancelTimer = () => {};
    let isOpen = true;
    const finish = (rcode: string | undefined) => {
      if (!isOpen) return;
      isOpen = false;
      cancel();
      socket.close();
      resolve(rcode);
    };
    cancel = clock.after(ANSWERS_WITHIN_MS, () => finish(undefined));
    socket.on("error", () => finish(undefined));
    socket.on("message", (message) => {
      const rcode = rcodeOf(message, id);
      if (rcode !== undefined) finish(rcode);
    });
    socket.bind({ address }, () => {
      const query = encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [QUESTION] });
      socket.send(query, port, address, (error) => {
        if (error !== null) finish(undefined);
      });
    });
  });
}

function rcodeOf(message: Buffer, id: number): string | undefined {
  try {
    const packet = decode(message);
    return packet.type === "response" && packet.id === id ? String("rcode" in packet ? packet.rcode : "") : undefined;
  } catch {
    return undefined;
  }
}
