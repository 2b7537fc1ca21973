import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { MAX_CALL_CHARACTERS } from "../../src-shared/ipc/wire.ts";
import { unwrap } from "../../src-shared/result.ts";
import { FakeNode } from "../ipc/testing/fake-node.ts";
import { openPanelServer, type PanelServer } from "./panel-server.ts";
import { userOfPeer } from "./peer-user.ts";

let directory: string;
let rendererDir: string;
let node: FakeNode;
let panel: PanelServer;
/** Who is at the other end; as the kernel tells where it is undefined. */
let user: (() => number | undefined) | undefined;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "higgs-panel-"));
  rendererDir = path.join(directory, "renderer");
  await mkdir(path.join(rendererDir, "assets"), { recursive: true });
  await writeFile(path.join(rendererDir, "index.html"), "<!doctype html><title>panel</title>");
  await writeFile(path.join(rendererDir, "assets", "main-abc.js"), "export {};");
  await writeFile(path.join(rendererDir, "assets", "main-abc.js.map"), "{}");
  await writeFile(path.join(directory, "secret.html"), "not for anybody");
});

afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(async () => {
  node = new FakeNode();
  user = undefined;
  panel = unwrap(
    await openPanelServer({
      api: node,
      rendererDir,
      port: 0,
      checkOutput: true,
      onUnexpected: (_call, thrown) => expect.fail(String(thrown)),
      userOf: (ends) => (user === undefined ? userOfPeer(ends) : user()),
    }),
  );
});

afterEach(() => panel.close());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function send(target: string, headers: OutgoingHttpHeaders = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const to = { host: "127.0.0.1", port: panel.port, path: target, method, headers, agent: false };
    const outgoing = request(to, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function cookie(): Promise<string> {
  const answer = await send(new URL(panel.url).pathname + new URL(panel.url).search);
  return answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

function origin(): string {
  return `http://127.0.0.1:${panel.port}`;
}

describe("the panel's pages", () => {
  it("trade the key in the address for a cookie and forget the key", async () => {
    const url = new URL(panel.url);
    expect(url.origin).toBe(origin());
    const answer = await send(url.pathname + url.search);
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe("/");
    const set = answer.headers["set-cookie"]?.[0] ?? "";
    expect(set).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(set).not.toContain(url.searchParams.get("token"));
    const page = await send("/", { Cookie: `other=1; ${await cookie()}` });
    expect(page).toMatchObject({ status: 200, body: "<!doctype html><title>panel</title>" });
    expect(page.headers["cache-control"]).toBe("no-store");
  });

  it("forbid inline code, framing, and every address but their own", async () => {
    const { headers } = await send("/", { Cookie: await cookie() });
    const policy = headers["content-security-policy"] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("keep what is named by its content", async () => {
    const answer = await send("/assets/main-abc.js", { Cookie: await cookie() });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toContain("text/javascript");
    expect(answer.headers["cache-control"]).toContain("immutable");
  });

  it.each(["/", "/assets/main-abc.js", "/?token=", "/?token=wrong", "/index.html?token=x"])(
    "say in plain words that %s needs the key",
    async (target) => {
      const answer = await send(target);
      expect(answer.status).toBe(401);
      expect(answer.body).toContain("Open the address that HiggsNode printed");
      expect(answer.headers["set-cookie"]).toBeUndefined();
    },
  );

  it("say so in Russian to a browser that speaks it", async () => {
    const answer = await send("/", { "Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8" });
    expect(answer.body).toContain('lang="ru"');
    expect(answer.body).toContain("Откройте адрес, который HiggsNode напечатал");
  });

  it("are not shown to another user of this computer who has got hold of the cookie", async () => {
    user = () => 1000;
    const Cookie = await cookie();
    expect((await send("/", { Cookie })).status).toBe(200);
    user = () => 1001;
    expect((await send("/", { Cookie })).status).toBe(401);
    // One who has closed its end already is nobody's.
    user = () => undefined;
    expect((await send("/", { Cookie })).status).toBe(401);
    user = () => 1000;
    expect((await send("/", { Cookie })).status).toBe(200);
    // Whoever has the key itself may come as well.
    user = () => 0;
    expect((await send("/", { Cookie: await cookie() })).status).toBe(200);
  });

  it("are refused to a program that runs as somebody else, whom the kernel tells apart", async () => {
    const Cookie = await cookie();
    const isRoot = process.getuid?.() === 0;
    const script = `const { status } = await fetch(process.argv[1], { headers: { Cookie: process.argv[2] } }); console.log(status);`;
    const other = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, `${origin()}/`, Cookie], {
      env: {},
      cwd: "/",
      ...(isRoot ? { uid: 65_534, gid: 65_534 } : {}),
    });
    // Nobody but root can be somebody else.
    expect((await other).stdout).toBe(isRoot ? "401\n" : "200\n");
  });

  it("are shown to whoever has the cookie where the system does not tell who that is", async () => {
    user = () => undefined;
    const Cookie = await cookie();
    expect((await send("/", { Cookie })).status).toBe(200);
  });

  it("do not take another cookie for theirs", async () => {
    const [name] = (await cookie()).split("=");
    expect((await send("/", { Cookie: `${name}=guess` })).status).toBe(401);
    expect((await send("/", { Cookie: `x${await cookie()}` })).status).toBe(401);
  });

  it.each([
    "/../secret.html",
    "/%2e%2e/secret.html",
    "/..%2fsecret.html",
    "/assets/../../secret.html",
    "/assets/..%5c..%5csecret.html",
    "/assets",
    "/assets/main-abc.js.map",
    "/%00",
    "/constructor",
  ])("have nothing at %s", async (target) => {
    const answer = await send(target, { Cookie: await cookie() });
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain("not for anybody");
  });

  it("refuse a request for another host, with the cookie and with the key", async () => {
    for (const host of ["evil.example", `evil.example:${panel.port}`, "127.0.0.1", `127.0.0.1:${panel.port + 1}`]) {
      expect((await send("/", { Host: host, Cookie: await cookie() })).status).toBe(421);
      expect((await send(new URL(panel.url).search, { Host: host })).headers["set-cookie"]).toBeUndefined();
    }
  });

  it("may be asked for as localhost", async () => {
    expect((await send("/", { Host: `localhost:${panel.port}`, Cookie: await cookie() })).status).toBe(200);
  });

  it("refuse a request that another site makes", async () => {
    for (const other of [
      "http://evil.example",
      "null",
      `http://localhost:${panel.port}`,
      `https://127.0.0.1:${panel.port}`,
    ]) {
      expect((await send("/", { Origin: other, Cookie: await cookie() })).status).toBe(403);
    }
  });

  it("answer GET and HEAD only", async () => {
    const answer = await send("/", { Cookie: await cookie() }, "POST");
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe("GET, HEAD");
    expect(await send("/", { Cookie: await cookie() }, "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  it("refuse an address that names a host of its own", async () => {
    expect((await send("//evil.example/", { Cookie: await cookie() })).status).toBe(400);
    expect((await send("http://evil.example/", { Cookie: await cookie() })).status).toBe(400);
  });
});

/** What becomes of an attempt to open the WebSocket: `open`, or the status that refused it. */
function attempt(
  headers: OutgoingHttpHeaders,
  target = "/api",
): Promise<{ outcome: "open" | number; socket: WebSocket }> {
  const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  const socket = new WebSocket(`ws://127.0.0.1:${panel.port}${target}`, { headers: plain });
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve({ outcome: "open", socket }));
    socket.on("unexpected-response", (_request, response) => {
      resolve({ outcome: response.statusCode ?? 0, socket });
      response.destroy();
    });
    socket.on("error", reject);
  });
}

async function open(): Promise<{ socket: WebSocket; messages: string[]; closed: () => number | undefined }> {
  const { socket } = await attempt({ Origin: origin(), Cookie: await cookie() });
  const messages: string[] = [];
  let code: number | undefined;
  socket.on("message", (data) => messages.push(data.toString()));
  socket.on("close", (closeCode) => {
    code = closeCode;
  });
  return { socket, messages, closed: () => code };
}

describe("the panel's WebSocket", () => {
  it("carries calls and events through the same gate", async () => {
    const { socket, messages } = await open();
    socket.send('{"id":1,"call":"subscribe"}');
    socket.send('{"id":2,"call":"clients.add","input":{"name":"phone"}}');
    socket.send('{"id":3,"call":"node.explode"}');
    await expect.poll(() => messages.join("\n")).toContain('"id":2,"ok":true');
    await expect.poll(() => messages.join("\n")).toContain("unknown-call");
    expect(messages.join("\n")).toContain('"event":"node.stateChanged"');
  });

  it("is refused without the cookie", async () => {
    expect((await attempt({ Origin: origin() })).outcome).toBe(401);
  });

  it("is refused to another site and to what names no origin, even with the cookie", async () => {
    const Cookie = await cookie();
    expect((await attempt({ Origin: "http://evil.example", Cookie })).outcome).toBe(403);
    expect((await attempt({ Origin: "null", Cookie })).outcome).toBe(403);
    expect((await attempt({ Cookie })).outcome).toBe(403);
  });

  it("is refused under another host's name", async () => {
    const Cookie = await cookie();
    const answer = await attempt({ Host: "evil.example", Origin: "http://evil.example", Cookie });
    expect(answer.outcome).toBe(421);
  });

  it("is nowhere else", async () => {
    expect((await attempt({ Origin: origin(), Cookie: await cookie() }, "/")).outcome).toBe(404);
  });

  it("refuses more tabs than an owner has", async () => {
    const headers = { Origin: origin(), Cookie: await cookie() };
    const outcomes = [];
    for (let tab = 0; tab < 17; tab++) outcomes.push((await attempt(headers)).outcome);
    expect(outcomes.slice(0, 16).every((outcome) => outcome === "open")).toBe(true);
    expect(outcomes[16]).toBe(503);
  });

  it("closes on a message that is too long, by bytes or by characters, and on a binary one", async () => {
    const long = await open();
    long.socket.send("x".repeat(MAX_CALL_CHARACTERS * 3 + 1));
    await expect.poll(long.closed).toBe(1009);
    const character = await open();
    character.socket.send("x".repeat(MAX_CALL_CHARACTERS + 1));
    await expect.poll(character.closed).toBe(1008);
    expect(character.messages.join()).toContain("call-too-large");
    const binary = await open();
    binary.socket.send(Buffer.from("{}"));
    await expect.poll(binary.closed).toBe(1003);
  });

  it("ends its subscription when the tab closes", async () => {
    const { socket } = await open();
    socket.send('{"id":1,"call":"subscribe"}');
    await expect.poll(() => node.listeners).toBe(1);
    socket.close();
    await expect.poll(() => node.listeners).toBe(0);
  });

  it("hangs up when the panel closes, which may be called twice", async () => {
    const { closed } = await open();
    await panel.close();
    await panel.close();
    await expect.poll(closed).toBe(1006);
  });
});

describe("what is refused on loopback", () => {
  it("is told with its source, each kind once in a while, and without what came with it", async () => {
    const told: string[] = [];
    await panel.close();
    panel = unwrap(
      await openPanelServer({
        api: node,
        rendererDir,
        port: 0,
        onUnexpected: () => {},
        onRefused: (what, fields) => told.push(`${what} ${JSON.stringify(fields)}`),
      }),
    );
    for (let guess = 0; guess < 3; guess++) await send(`/?token=guess${guess}`);
    await send("/", { Host: "evil.example" });
    await attempt({ Origin: "http://evil.example", Cookie: await cookie() });
    expect(told).toEqual([
      'request: 401 {"source":"127.0.0.1"}',
      'request: 421 {"source":"127.0.0.1"}',
      'WebSocket: 403 Forbidden {"source":"127.0.0.1"}',
    ]);
    expect(node.calls).toEqual([]);
  });
});

describe("opening the panel", () => {
  it("listens on loopback only", async () => {
    const socket = connect(panel.port, "127.0.0.2");
    const outcome = await new Promise((resolve) => {
      socket.once("connect", () => resolve("connected"));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    socket.destroy();
    expect(outcome).toBe("ECONNREFUSED");
  });

  it("gives every run a key of its own", async () => {
    const other = unwrap(await openPanelServer({ api: node, rendererDir, port: 0, onUnexpected: () => {} }));
    expect(new URL(other.url).searchParams.get("token")).not.toBe(new URL(panel.url).searchParams.get("token"));
    await other.close();
  });

  it("says that its port is taken", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as AddressInfo;
    const result = await openPanelServer({ api: node, rendererDir, port, onUnexpected: () => {} });
    expect(result).toMatchObject({ ok: false, error: { code: "panel-port-taken" } });
    await new Promise((resolve) => holder.close(resolve));
  });

  it("says that the panel was not built", async () => {
    for (const wrong of [path.join(directory, "nowhere"), path.join(rendererDir, "assets")]) {
      const result = await openPanelServer({ api: node, rendererDir: wrong, port: 0, onUnexpected: () => {} });
      expect(result).toMatchObject({ ok: false, error: { code: "panel-missing" } });
    }
  });
});
