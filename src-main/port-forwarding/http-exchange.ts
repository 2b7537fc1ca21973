/** HTTP as UPnP needs it: small answers, from one address, within a time limit, no redirects, no proxies. */
import { type IncomingMessage, request } from "node:http";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { type MappingErrorCode, mappingFail } from "./mapping-errors.ts";

/** The largest description known has some 30 KiB. */
const MAX_HTTP_BODY_BYTES = 256 * 1024;
const MAX_HEADER_BYTES = 8 * 1024;

/** Some routers take a second for each action while they rewrite their firewall. */
const HTTP_TIMEOUT_MS = 3_000;

export interface HttpQuestion {
  /** `http:` with an address as host. */
  url: string;
  localAddress: string;
  /** Sent by POST; without it the question is a GET. */
  body?: string;
  headers?: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  body: string;
}

/** Errors: `upnp-unreachable`, `upnp-stalled`, `upnp-too-large`, `aborted`. Any status is an answer. */
export type HttpExchange = (question: HttpQuestion) => Promise<Result<HttpAnswer>>;

/** Over real sockets. Follows no redirect; one connection for each question. */
export function systemHttp(clock: Clock): HttpExchange {
  return (question) => ask(clock, question);
}

function ask(clock: Clock, { url, localAddress, body, headers, signal }: HttpQuestion): Promise<Result<HttpAnswer>> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(mappingFail("aborted"));
    let cancelDeadline: CancelTimer = () => {};
    let reached = false;
    const outgoing = request(url, {
      method: body === undefined ? "GET" : "POST",
      // Routers are poor at keeping connections, and one that is kept would outlive us.
      agent: false,
      localAddress,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        ...headers,
        Connection: "close",
        ...(body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) }),
      },
    });
    const end = (result: Result<HttpAnswer>) => {
      cancelDeadline();
      signal.removeEventListener("abort", aborted);
      outgoing.destroy();
      resolve(result);
    };
    const endWith = (code: MappingErrorCode, detail?: string) => end(mappingFail(code, detail));
    const aborted = () => endWith("aborted");
    signal.addEventListener("abort", aborted);
    cancelDeadline = clock.after(HTTP_TIMEOUT_MS, () => endWith(reached ? "upnp-stalled" : "upnp-unreachable"));
    outgoing.on("socket", (socket) => {
      socket.once("connect", () => {
        reached = true;
      });
    });
    outgoing.on("error", (error) => {
      const code = "code" in error ? String(error.code) : error.message;
      if (code === "HPE_HEADER_OVERFLOW") return endWith("upnp-too-large");
      // What does not begin as HTTP is an answer of another kind, not a missing one.
      endWith(code.startsWith("HPE_") ? "upnp-not-xml" : "upnp-unreachable", code);
    });
    outgoing.on("response", (incoming) => collect(incoming, end, endWith));
    outgoing.end(body);
  });
}

function collect(
  incoming: IncomingMessage,
  end: (result: Result<HttpAnswer>) => void,
  endWith: (code: MappingErrorCode) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_HTTP_BODY_BYTES) return endWith("upnp-too-large");
    chunks.push(chunk);
  });
  // A body that is shorter than announced comes as `aborted`; many routers announce a wrong length, and the XML decides.
  incoming.on("error", () =>
    end(ok({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") })),
  );
  incoming.on("end", () => end(ok({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") })));
}
