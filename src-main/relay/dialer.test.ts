import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { portRange, startTestServer, type TestServer } from "../../src-server/testing/test-server.ts";
import { systemClock } from "../../src-shared/clock.ts";
import { parseRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { unwrap } from "../../src-shared/result.ts";
import { createDialer, type DialerOptions } from "./dialer.ts";
import { errorOfConnection } from "./link-error.ts";

interface Certificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Files in `folder`; the certificate is for `names`, each as in subjectAltName: `IP:127.0.0.1`, `DNS:relay.example`. */
function makeCertificates(folder: string, names: readonly string[]): Certificates {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority");
  openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=relay");
  writeFileSync(file("server.ext"), `subjectAltName=${names.join(",")}\n`);
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "server.ext"];
  openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", ...signing);
  return { caFile: file("ca.pem"), certFile: file("server.pem"), keyFile: file("server.key") };
}

let folder: string;
let certificates: Certificates;
let server: TestServer;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "higgs-dialer-"));
  certificates = makeCertificates(folder, ["DNS:relay.example", "IP:127.0.0.1"]);
  const { certFile, keyFile } = certificates;
  server = await startTestServer({ tls: { certFile, keyFile }, udp: { host: "127.0.0.1", ...portRange(3) } });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function url(host: string): RelayUrl {
  return parseRelayUrl(`wss://${host}:${new URL(server.url).port}`) as RelayUrl;
}

function dialer(options: Partial<DialerOptions> = {}) {
  return createDialer({ env: {}, monotonicMs: systemClock.monotonicMs, ...options });
}

/** Opens a WebSocket as a guest does: `open`, or the code of what went wrong. */
function outcome(to: RelayUrl, options: Partial<DialerOptions>): Promise<string> {
  const socket = unwrap(dialer(options).open(to, "connect"));
  cleanups.push(() => socket.terminate());
  return new Promise((resolve) => {
    socket.on("open", () => resolve("open"));
    socket.on("error", (error) => resolve(errorOfConnection(error).code));
  });
}

/** An HTTP proxy that only knows CONNECT, and keeps what it was asked for. */
async function proxy(): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const http = createServer((_request, response) => response.writeHead(405).end());
  http.on("connect", (request: IncomingMessage, near: Socket) => {
    asked.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
    const far = connect(Number(new URL(server.url).port), "127.0.0.1", () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      near.pipe(far);
      far.pipe(near);
    });
    for (const socket of [near, far]) socket.on("error", () => near.destroy(far.destroy() as never));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return { address: `127.0.0.1:${(http.address() as AddressInfo).port}`, asked };
}

describe("a dialler", () => {
  it("trusts an authority of the owner's, beside those of the system", async () => {
    expect(await outcome(url("127.0.0.1"), { caFile: certificates.caFile })).toBe("open");
  });

  it("refuses a certificate nobody it knows has signed", async () => {
    expect(await outcome(url("127.0.0.1"), {})).toBe("relay-untrusted");
  });

  it("refuses a certificate for another name", async () => {
    const options = { caFile: certificates.caFile, addresses: ["127.0.0.1"] };
    expect(await outcome(url("other.example"), options)).toBe("relay-untrusted");
  });

  it("uses the addresses it is given, and still asks for the name in the certificate", async () => {
    const options = { caFile: certificates.caFile, addresses: ["127.0.0.1"] };
    expect(await outcome(url("relay.example"), options)).toBe("open");
  });

  it("goes through the proxy of the environment, and has the relay's name resolved there", async () => {
    const { address, asked } = await proxy();
    const env = { HTTPS_PROXY: `http://me:secret@${address}` };
    expect(await outcome(url("relay.example"), { caFile: certificates.caFile, env })).toBe("open");
    const { port } = url("relay.example");
    expect(asked).toEqual([`relay.example:${port} Basic ${Buffer.from("me:secret").toString("base64")}`]);
  });

  it("verifies the relay's certificate through a proxy, too", async () => {
    const { address } = await proxy();
    expect(await outcome(url("relay.example"), { env: { HTTPS_PROXY: address } })).toBe("relay-untrusted");
  });

  it("says that nothing answers where nothing does", async () => {
    expect(await outcome(parseRelayUrl("wss://127.0.0.1:1") as RelayUrl, {})).toBe("relay-unreachable");
  });

  it("does not speak unencrypted to another machine unless it is told to", () => {
    const plain = parseRelayUrl("ws://203.0.113.7") as RelayUrl;
    expect(dialer().open(plain, "node")).toMatchObject({ ok: false, error: { code: "relay-not-encrypted" } });
  });

  it.each([
    ["is missing", undefined],
    ["holds no certificate", "something else"],
  ])("says so when the authority's file %s", (_, text) => {
    const caFile = join(folder, "other.pem");
    rmSync(caFile, { force: true });
    if (text !== undefined) writeFileSync(caFile, text);
    expect(dialer({ caFile }).open(url("127.0.0.1"), "node")).toMatchObject({
      ok: false,
      error: { code: "relay-ca-unusable" },
    });
  });

  it("measures how long a relay takes to say that it is well", async () => {
    const trusting = dialer({ caFile: certificates.caFile });
    const signal = AbortSignal.timeout(5_000);
    expect(await trusting.probe(url("127.0.0.1"), signal)).toBeGreaterThan(0);
    expect(await dialer().probe(url("127.0.0.1"), signal)).toBeUndefined();
    expect(await trusting.probe(parseRelayUrl("wss://127.0.0.1:1") as RelayUrl, signal)).toBeUndefined();
    expect(await trusting.probe(url("127.0.0.1"), AbortSignal.abort())).toBeUndefined();
  });
});
