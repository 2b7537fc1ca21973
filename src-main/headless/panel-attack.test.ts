/** Attacks on a panel that listens beyond loopback: each is refused, told, and changes nothing. */
import { execFileSync } from "node:child_process";
import { randomBytes, scryptSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { unwrap } from "../../src-shared/result.ts";
import { FakeClock } from "../../src-shared/testing/fake-clock.ts";
import { FakeNode } from "../ipc/testing/fake-node.ts";
import { TRIES_IN_ALL, TRIES_PER_SOURCE } from "./login-limiter.ts";
import { prepareOpenPanel } from "./open-panel.ts";
import { savePassword } from "./panel-password.ts";
import { openPanelServer, type PanelServer } from "./panel-server.ts";
import { IDLE_MS } from "./panel-sessions.ts";

const PASSWORD = "correct horse battery";
const NAME = "panel.example.org";

/** Each comes within milliseconds; a machine that is busy with other tests gets more. */
const SOON = { timeout: 15_000 };

let folder: string;
let dataDir: string;
let node: FakeNode;
let panel: PanelServer;
let clock: FakeClock;
let refused: string[];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "higgs-open-panel-"));
  dataDir = path.join(folder, "data");
  mkdirSync(dataDir);
  mkdirSync(path.join(folder, "renderer"));
  writeFileSync(path.join(folder, "renderer", "index.html"), "<!doctype html><title>panel</title>");
  writeFileSync(path.join(folder, "secret.html"), "not for anybody");
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME},DNS:*.home.example.org`],
      ...["-keyout", path.join(folder, "key.pem"), "-out", path.join(folder, "cert.pem")],
    ],
    { stdio: "ignore" },
  );
  keep(PASSWORD);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => {
  node = new FakeNode();
  clock = new FakeClock();
  refused = [];
  panel = await openPanel();
});
afterEach(() => panel.close());

/** A hash that costs little to compare with, for tests that sign in often. */
function keep(password: string): void {
  const salt = randomBytes(16);
  const cost = { N: 1_024, r: 8, p: 1 };
  const key = scryptSync(password, salt, 32, cost);
  const hash = ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64url"), key.toString("base64url")].join(":");
  writeFileSync(path.join(dataDir, "panel-password"), `${hash}\n`);
}

async function openPanel(requestTimeoutMs = 1_000): Promise<PanelServer> {
  const open = unwrap(
    await prepareOpenPanel({
      // Not all of a machine's addresses: a test must not be reachable from its network.
      listen: { host: "127.0.0.1", port: 0 },
      dataDir,
      cert: path.join(folder, "cert.pem"),
      key: path.join(folder, "key.pem"),
    }),
  );
  return unwrap(
    await openPanelServer({
      api: node,
      rendererDir: path.join(folder, "renderer"),
      port: 0,
      open,
      clock,
      checkOutput: true,
      requestTimeoutMs,
      onUnexpected: (_call, thrown) => expect.fail(String(thrown)),
      onRefused: (what) => refused.push(what),
    }),
  );
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  localAddress?: string;
}

function send(target: string, { method = "GET", headers = {}, body, localAddress }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: panel.port,
        path: target,
        method,
        headers: { Host: host(), ...headers },
        rejectUnauthorized: false,
        ...(localAddress === undefined ? {} : { localAddress }),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function host(): string {
  return `${NAME}:${panel.port}`;
}

function form(password: string, changes: Ask = {}): Promise<Answer> {
  const { headers, ...rest } = changes;
  return send("/login", {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Origin: `https://${host()}`, ...headers },
    body: new URLSearchParams({ password }).toString(),
    ...rest,
  });
}

async function signIn(): Promise<string> {
  const answer = await form(PASSWORD);
  expect(answer.status).toBe(303);
  return answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

function attempt(headers: Record<string, string>): Promise<{ outcome: "open" | number; socket: WebSocket }> {
  const socket = new WebSocket(`wss://127.0.0.1:${panel.port}/api`, { headers, rejectUnauthorized: false });
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve({ outcome: "open", socket }));
    socket.on("unexpected-response", (_request, response) => {
      resolve({ outcome: response.statusCode ?? 0, socket });
      response.destroy();
    });
    socket.on("error", reject);
  });
}

describe("the login", () => {
  it("stands before every page, and gives a cookie that scripts, other sites and plain HTTP do not get", async () => {
    for (const target of ["/", "/index.html", "/assets/x.js", "/?token=x"]) {
      const answer = await send(target);
      expect(answer).toMatchObject({ status: 303, body: "" });
      expect(answer.headers.location).toBe("/login");
    }
    const answer = await form(PASSWORD);
    expect(answer.headers["set-cookie"]?.[0]).toMatch(
      /^__Host-higgsnode-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(answer.headers.location).toBe("/");
    const page = await send("/", { headers: { Cookie: await signIn() } });
    expect(page).toMatchObject({ status: 200, body: "<!doctype html><title>panel</title>" });
  });

  it("speaks the browser's language, under the panel's policy, without a script", async () => {
    const english = await send("/login");
    expect(english.body).toContain('lang="en"');
    expect(english.body).toContain("Password of the panel");
    expect(english.body).not.toContain("<script");
    expect(english.headers["content-security-policy"]).toContain("form-action 'self'");
    expect(english.headers["content-security-policy"]).not.toContain("unsafe");
    expect(english.headers["access-control-allow-origin"]).toBeUndefined();
    const russian = await send("/login", { headers: { "Accept-Language": "de;q=0.9, ru-RU, en;q=0.5" } });
    expect(russian.body).toContain('lang="ru"');
    expect(russian.body).toContain("Пароль панели");
    expect((await send("/login.css")).headers["content-type"]).toContain("text/css");
  });

  it("offers a way out to whoever is signed in", async () => {
    const Cookie = await signIn();
    expect((await send("/login", { headers: { Cookie } })).body).toContain('action="/logout"');
    const out = await send("/logout", { method: "POST", headers: { Cookie, Origin: `https://${host()}` } });
    expect(out.headers["set-cookie"]?.[0]).toContain("Max-Age=0");
    expect((await send("/", { headers: { Cookie } })).status).toBe(303);
  });

  it("refuses a wrong password, and a cookie that was guessed or is of another run", async () => {
    expect((await form("wrong")).status).toBe(401);
    expect((await form("wrong")).headers["set-cookie"]).toBeUndefined();
    expect(refused).toContain("wrong password");
    const Cookie = await signIn();
    const [name] = Cookie.split("=");
    expect((await send("/", { headers: { Cookie: `${name}=guess` } })).status).toBe(303);
    await panel.close();
    panel = await openPanel();
    const renamed = `__Host-higgsnode-${panel.port}=${Cookie.split("=")[1]}`;
    expect((await send("/", { headers: { Cookie: renamed } })).status).toBe(303);
    expect((await attempt({ Host: host(), Origin: `https://${host()}`, Cookie: renamed })).outcome).toBe(401);
  });

  it("lets one source guess a few times, then once a minute, and others sign in meanwhile", async () => {
    for (let guess = 0; guess < TRIES_PER_SOURCE; guess++) expect((await form(`guess ${guess}`)).status).toBe(401);
    const late = await form(PASSWORD);
    expect(late.status).toBe(429);
    expect(late.headers["retry-after"]).toBe("60");
    expect(refused).toContain("too many passwords");
    expect((await form(PASSWORD, { localAddress: "127.0.0.2" })).status).toBe(303);
    await clock.advance(60_000);
    expect((await form(PASSWORD)).status).toBe(303);
  });

  it("ends when the password is changed, and when nobody has looked for half a day", async () => {
    const first = await signIn();
    await clock.advance(IDLE_MS + 1);
    expect((await send("/", { headers: { Cookie: first } })).status).toBe(303);
    const Cookie = await signIn();
    const { outcome, socket } = await attempt({ Host: host(), Origin: `https://${host()}`, Cookie });
    expect(outcome).toBe("open");
    let closed: number | undefined;
    socket.on("close", (code) => {
      closed = code;
    });
    keep("another password");
    try {
      expect((await send("/", { headers: { Cookie } })).status).toBe(303);
      await clock.advance(15_000);
      await expect.poll(() => closed, SOON).toBe(1008);
    } finally {
      keep(PASSWORD);
    }
  });
});

describe("a foreign page", () => {
  it("is refused by its Origin, with the cookie too, and cannot sign anybody in or out", async () => {
    const Cookie = await signIn();
    for (const Origin of ["https://evil.example", "null", `http://${host()}`, `https://${NAME}`]) {
      expect((await send("/", { headers: { Cookie, Origin } })).status).toBe(403);
      expect((await form(PASSWORD, { headers: { Origin } })).headers["set-cookie"]).toBeUndefined();
      expect((await send("/logout", { method: "POST", headers: { Cookie, Origin } })).status).toBe(403);
      expect((await attempt({ Host: host(), Origin, Cookie })).outcome).toBe(403);
    }
    const crossSite = await form(PASSWORD, { headers: { "Sec-Fetch-Site": "cross-site" } });
    expect(crossSite.status).toBe(403);
    expect((await send("/", { headers: { Cookie } })).status).toBe(200);
    expect(refused).toContain("form of another site");
    expect(node.calls).toEqual([]);
  });

  it("gets nothing under a name that is not ours, and addresses and the certificate's names are", async () => {
    const Cookie = await signIn();
    for (const foreign of ["evil.example", `evil.example:${panel.port}`, "a.b.home.example.org", "x y"]) {
      expect((await send("/", { headers: { Host: foreign, Cookie } })).status).toBeGreaterThanOrEqual(400);
    }
    expect(refused).toContain("request: 421");
    for (const own of [`192.0.2.7:${panel.port}`, "[2001:db8::7]", NAME.toUpperCase(), "tv.home.example.org:443"]) {
      expect((await send("/", { headers: { Host: own, Cookie } })).status).toBe(200);
    }
  });
});

describe("what no browser sends", () => {
  it.each(["/../secret.html", "/%2e%2e/secret.html", "/..%2fsecret.html", "/%00", "/login/../secret.html"])(
    "finds nothing at %s",
    async (target) => {
      const answer = await send(target, { headers: { Cookie: await signIn() } });
      expect(answer.status).toBe(404);
      expect(answer.body).not.toContain("not for anybody");
    },
  );

  it("is refused as a form that is too long, of another kind, or without an Origin", async () => {
    expect((await form("x".repeat(5_000))).status).toBe(413);
    expect((await form(PASSWORD, { headers: { "Content-Type": "text/plain" } })).status).toBe(415);
    const bare = { "Content-Type": "application/x-www-form-urlencoded" };
    expect((await send("/login", { method: "POST", headers: bare, body: "password=x" })).status).toBe(403);
    expect((await send("/", { method: "POST", headers: { Cookie: await signIn() } })).status).toBe(405);
    expect((await send("/login", { method: "DELETE" })).status).toBe(405);
    expect((await form(PASSWORD)).status).toBe(303);
  });

  it("changes nothing over the WebSocket: unknown calls, malformed, oversized and binary messages", async () => {
    const Cookie = await signIn();
    const { socket } = await attempt({ Host: host(), Origin: `https://${host()}`, Cookie });
    const messages: string[] = [];
    socket.on("message", (data) => messages.push(data.toString()));
    for (const text of ["{", "[]", '{"id":1,"call":"node.explode"}', '{"id":2,"call":"__proto__"}', "null"])
      socket.send(text);
    await expect.poll(() => messages.length, SOON).toBe(5);
    expect(messages.every((text) => text.includes('"ok":false'))).toBe(true);
    socket.send("x".repeat(1_000_000));
    await expect.poll(() => socket.readyState, SOON).toBe(WebSocket.CLOSED);
    expect(refused).toEqual(expect.arrayContaining(["message: bad-request", "message: unknown-call"]));
    expect(node.calls).toEqual([]);
  });

  it("is told of in a few lines, however often it comes", async () => {
    for (let turn = 0; turn < 20; turn++) await send("/", { headers: { Host: "evil.example" } });
    expect(refused.filter((what) => what === "request: 421")).toHaveLength(1);
  });

  it("is hung up on where it never comes to an end: a handshake, a header, a form", async () => {
    const secured = (first: string): Promise<TLSSocket> =>
      new Promise((resolve) => {
        const socket = connectTls({ port: panel.port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
          socket.write(first);
          resolve(socket);
        });
      });
    const post = `POST /login HTTP/1.1\r\nHost: ${host()}\r\nOrigin: https://${host()}\r\n`;
    const slow = [
      connect(panel.port, "127.0.0.1"),
      await secured(`GET / HTTP/1.1\r\nHost: ${host()}\r\nX-Slow: `),
      await secured(`${post}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\npass`),
    ];
    let closed = 0;
    for (const socket of slow) {
      socket.on("error", () => {});
      socket.resume();
      socket.once("close", () => {
        closed++;
      });
    }
    await expect.poll(() => closed, SOON).toBe(slow.length);
  }, 20_000);

  it("is hung up on when it was refused a WebSocket, though it does not hang up itself", async () => {
    // Taken by tls.connect, which hands it to net.Socket, and missing in its type.
    const options = { host: "127.0.0.1", port: panel.port, rejectUnauthorized: false, allowHalfOpen: true };
    const socket = connectTls(options);
    let heard = "";
    socket.on("data", (chunk: Buffer) => {
      heard += chunk;
    });
    let isOver = false;
    socket.on("error", () => {});
    // A connection that is closed both ways resets what is still sent on it.
    socket.once("close", () => {
      isOver = true;
    });
    const upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    const lines = ["GET /api HTTP/1.1", `Host: ${host()}`, ...upgrade, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    await expect.poll(() => heard, SOON).toContain("403 Forbidden");
    await expect
      .poll(() => {
        if (!isOver) socket.write("x");
        return isOver;
      }, SOON)
      .toBe(true);
  });

  it("does not keep the panel from closing, whatever it has come to", async () => {
    await panel.close();
    panel = await openPanel(3_600_000);
    const silent = connect(panel.port, "127.0.0.1");
    silent.on("error", () => {});
    const secured = await new Promise<TLSSocket>((resolve) => {
      const socket = connectTls({ port: panel.port, host: "127.0.0.1", rejectUnauthorized: false }, () =>
        resolve(socket),
      );
    });
    secured.on("error", () => {});
    secured.write("POST /login HTTP/1.1\r\nX-Slow: ");
    const closed = Promise.all([silent, secured].map((socket) => new Promise((done) => socket.once("close", done))));
    for (const socket of [silent, secured]) socket.resume();
    await panel.close();
    await closed;
  });

  it("cannot hold more connections open than one source may have", async () => {
    const held: Socket[] = [];
    let closed = 0;
    try {
      for (let turn = 0; turn < 60; turn++) {
        const socket = connect(panel.port, "127.0.0.1");
        socket.on("error", () => {});
        socket.once("close", () => {
          closed++;
        });
        held.push(socket);
      }
      await expect.poll(() => closed, SOON).toBe(12);
      expect((await send("/login", { localAddress: "127.0.0.3" })).status).toBe(200);
    } finally {
      for (const socket of held) socket.destroy();
    }
  });
});

describe("opening a panel beyond this computer", () => {
  const listen = { host: "192.0.2.1", port: 0 };

  it("needs a certificate with its key, or the owner's word that it goes without", async () => {
    const code = async (options: object) => {
      const prepared = await prepareOpenPanel({ listen, dataDir, ...options });
      return prepared.ok ? "ok" : prepared.error.code;
    };
    const cert = path.join(folder, "cert.pem");
    expect(await code({})).toBe("panel-not-encrypted");
    expect(await code({ cert })).toBe("panel-tls-incomplete");
    expect(await code({ cert, key: cert })).toBe("panel-tls-unusable");
    expect(await code({ cert: "/nowhere", key: "/nowhere" })).toBe("panel-tls-unusable");
    expect(await code({ insecure: true })).toBe("ok");
  });

  it("needs a password, saved or in the environment", async () => {
    const empty = path.join(folder, "empty");
    mkdirSync(empty, { recursive: true });
    const code = async (password?: string) => {
      const prepared = await prepareOpenPanel({ listen, dataDir: empty, insecure: true, password });
      return prepared.ok ? "ok" : prepared.error.code;
    };
    expect(await code()).toBe("panel-password-missing");
    expect(await code("short")).toBe("password-too-short");
    expect(await code(PASSWORD)).toBe("ok");
  });

  it("keeps no password, only its hash, which is dear to guess", async () => {
    const own = path.join(folder, "own");
    mkdirSync(own);
    unwrap(await savePassword(own, PASSWORD));
    const file = path.join(own, "panel-password");
    expect(readFileSync(file, "utf8")).toMatch(/^scrypt:32768:8:3:/);
    expect(readFileSync(file, "utf8")).not.toContain("horse");
  });

  it("bounds the guesses of all sources together", () => {
    expect(TRIES_IN_ALL).toBeLessThanOrEqual(60);
  });
});
