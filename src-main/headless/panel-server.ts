/**
 * The panel for a browser: static files and the one gate over a WebSocket. On loopback a key in the printed address
 * opens it; beyond loopback, a password does.
 *
 *   request ─▶ our Host? our Origin? ─▶ login page (beyond loopback) ─▶ session? ─▶ file, or WebSocket ─▶ gate
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type CancelTimer, type Clock, systemClock } from "../../src-shared/clock.ts";
import { MAX_CALL_CHARACTERS } from "../../src-shared/ipc/wire.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { GateConnection } from "../ipc/gate.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { languageOf } from "./login-page.ts";
import type { OpenPanel } from "./open-panel.ts";
import { PanelAccess, PanelKey } from "./panel-access.ts";
import { cannotListen, hangUp, listen, makeServer } from "./panel-listener.ts";
import { LOGIN_PATH, PanelLogin } from "./panel-login.ts";
import { PanelSessions } from "./panel-sessions.ts";
import { type Ends, userOfPeer } from "./peer-user.ts";
import { type RefusalFields, RefusalLog } from "./refusal-log.ts";
import { REFUSALS, type Refusal, refusalPage } from "./refusal-page.ts";
import { loadStaticFiles, type StaticFiles } from "./static-files.ts";

/** Where the panel's WebSocket is. */
export const PANEL_SOCKET_PATH = "/api";

/** One owner with a few tabs. */
const MAX_WEB_SOCKETS = 16;

/** Within this time a tab whose session is over, or whose password was changed, loses its connection. */
const CHECK_SESSIONS_EVERY_MS = 15_000;

/** A UTF-16 unit is at most three bytes of UTF-8; the gate counts the characters. */
const MAX_PAYLOAD_BYTES = MAX_CALL_CHARACTERS * 3;

export interface PanelOptions {
  readonly api: NodeApi;
  readonly rendererDir: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Which loopback address to listen on; 127.0.0.1 where none is given. */
  readonly host?: string;
  /** Listens beyond loopback, with a password in place of the key. */
  readonly open?: OpenPanel;
  readonly clock?: Clock;
  readonly onUnexpected: (call: string, thrown: unknown) => void;
  /** Told of refused requests, of each kind now and then. */
  readonly onRefused?: (what: string, fields: RefusalFields) => void;
  readonly checkOutput?: boolean;
  /** How long a request may take to arrive; handed in by tests. */
  readonly requestTimeoutMs?: number;
  /** Which user of this computer a connection comes from; handed in by tests. */
  readonly userOf?: (socket: Ends) => number | undefined;
}

export interface PanelServer {
  /** On loopback with the secret in it. */
  readonly url: string;
  readonly port: number;
  /** Hangs up on everybody. Idempotent. */
  close(): Promise<void>;
}

/** What a request meets. */
interface Door {
  readonly access: PanelAccess;
  /** On loopback. */
  readonly key: PanelKey | undefined;
  readonly userOf: (socket: Ends) => number | undefined;
  /** Beyond loopback. */
  readonly login: PanelLogin | undefined;
  readonly files: StaticFiles;
  readonly refusals: RefusalLog;
}

/** Serves the panel. Fails with `panel-missing`, `panel-port-taken` or `panel-failed`. */
export async function openPanelServer(options: PanelOptions): Promise<Result<PanelServer>> {
  const { clock = systemClock, open } = options;
  const files = await loadStaticFiles(options.rendererDir);
  if (!files.ok) return files;
  const host = open?.host ?? options.host ?? "127.0.0.1";
  const server = makeServer(open, options.requestTimeoutMs);
  const failure = await listen(server, host, options.port);
  if (failure !== undefined) return cannotListen(host, options.port, failure);
  const { port } = server.address() as AddressInfo;
  const refusals = new RefusalLog(clock, options.onRefused ?? (() => {}));
  const { userOf = userOfPeer } = options;
  const door = makeDoor({ open, host, port, clock, files: files.value, refusals, userOf });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
    clientTracking: true,
  });
  /** The session of each WebSocket. */
  const sessions = new Map<WebSocket, string>();
  sockets.on("connection", (socket: WebSocket, request: IncomingMessage) => {
    sessions.set(socket, door.access.sessionOf(request) ?? "");
    socket.once("close", () => sessions.delete(socket));
    serveSocket(socket, request, options, refusals);
  });
  server.on("request", (request, response) => serveRequest(request, response, door));
  server.on("upgrade", (request, stream, head) => upgrade(request, stream, head, door, sockets));
  server.on("error", (error) => options.onUnexpected("panel", error));
  const stopChecking = checkSessions(clock, sessions, door.access);

  let closed: Promise<void> | undefined;
  return ok({
    url: urlOf(door, host, port),
    port,
    close() {
      stopChecking();
      closed ??= hangUp(server);
      return closed;
    },
  });
}

interface DoorOptions {
  open: OpenPanel | undefined;
  host: string;
  port: number;
  clock: Clock;
  files: StaticFiles;
  refusals: RefusalLog;
  userOf: (socket: Ends) => number | undefined;
}

function makeDoor({ open, host, port, clock, files, refusals, userOf }: DoorOptions): Door {
  if (open === undefined) {
    const key = new PanelKey();
    const verdicts = new WeakMap<Socket, boolean>();
    const names = [host.includes(":") ? `[${host}]` : host, "localhost"];
    const access = new PanelAccess({
      scheme: "http",
      port,
      isOurName: (name, namedPort) => names.includes(name) && namedPort === String(port),
      isSession: (secret) => key.isSession(secret),
      isFromOwner: (socket) => {
        // A connection stays whose it is.
        const verdict = verdicts.get(socket) ?? key.wasShownBy(() => userOf(socket));
        if (verdict) verdicts.set(socket, true);
        return verdict;
      },
    });
    return { access, key, userOf, login: undefined, files, refusals };
  }
  const { password, tls, isOurName } = open;
  const sessions = new PanelSessions(clock, () => password.hash());
  const access = new PanelAccess({
    scheme: tls === null ? "http" : "https",
    mayBeProxied: tls === null,
    port,
    // A router or a proxy may have its own port in front of this one.
    isOurName: (name) => isOurName(name),
    isSession: (secret) => sessions.has(secret),
  });
  const onRefused = (what: string, source: string | undefined) => refusals.tell(what, source);
  return {
    access,
    key: undefined,
    userOf,
    login: new PanelLogin({ clock, access, sessions, password, onRefused }),
    files,
    refusals,
  };
}

function urlOf({ access, key }: Door, host: string, port: number): string {
  const named = host.includes(":") ? `[${host}]` : host;
  return `${access.scheme}://${named}:${port}/${key === undefined ? "" : `?token=${key.token}`}`;
}

function checkSessions(clock: Clock, sessions: ReadonlyMap<WebSocket, string>, access: PanelAccess): CancelTimer {
  let cancel: CancelTimer = () => {};
  const next = () => {
    cancel = clock.after(CHECK_SESSIONS_EVERY_MS, () => {
      // A tab that is open is one that is used.
      for (const [socket, session] of sessions) if (!access.isSession(session)) socket.close(1008);
      next();
    });
  };
  next();
  return () => cancel();
}

function serveRequest(request: IncomingMessage, response: ServerResponse, door: Door): void {
  const { access, key, login } = door;
  for (const [name, value] of Object.entries(securityHeaders(request, door))) response.setHeader(name, value);
  const url = parseUrl(request);
  const stranger = strangerRefusal(request, access);
  if (stranger !== undefined) {
    refuse(request, response, stranger, door);
    return;
  }
  if (login?.handle(request, response, url?.pathname ?? "") === true) return;
  const refusal = requestRefusal(request, url, door);
  if (refusal !== undefined) {
    if (refusal === REFUSALS.noAccess && login !== undefined) response.writeHead(303, { Location: LOGIN_PATH }).end();
    else refuse(request, response, refusal, door);
  } else if (key !== undefined && url?.searchParams.has("token")) {
    key.shownBy(door.userOf(request.socket));
    response.setHeader("Set-Cookie", access.sessionCookie(key.session));
    response.writeHead(303, { Location: "/" }).end();
  } else {
    serveFile(request, response, url?.pathname ?? "", door);
  }
}

function serveFile(request: IncomingMessage, response: ServerResponse, pathname: string, door: Door): void {
  const file = door.files.get(pathname);
  if (file === undefined) {
    refuse(request, response, REFUSALS.notFound, door);
    return;
  }
  response.setHeader("Cache-Control", file.immutable ? "private, max-age=31536000, immutable" : "no-store");
  response.writeHead(200, { "Content-Type": file.type, "Content-Length": file.body.length });
  response.end(request.method === "HEAD" ? undefined : file.body);
}

/** Why a request is not even looked at; undefined for one that was sent to us, by a page of ours or by nobody's. */
function strangerRefusal(request: IncomingMessage, access: PanelAccess): Refusal | undefined {
  if (!access.isOurHost(request)) return REFUSALS.wrongHost;
  return access.isOurOrigin(request, "optional") ? undefined : REFUSALS.wrongOrigin;
}

/** Why a request for a page is not answered; undefined for the owner's. */
function requestRefusal(request: IncomingMessage, url: URL | undefined, { access, key }: Door): Refusal | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return REFUSALS.wrongMethod;
  if (url === undefined) return REFUSALS.badRequest;
  const allowed =
    key !== undefined && url.searchParams.has("token")
      ? url.pathname === "/" && key.isToken(url.searchParams.get("token"))
      : access.sessionOf(request) !== undefined;
  return allowed ? undefined : REFUSALS.noAccess;
}

function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, door: Door, sockets: WebSocketServer): void {
  // A browser that hangs up in the middle of the handshake is no event worth a word.
  stream.on("error", () => {});
  const refusal = upgradeRefusal(request, door.access, sockets.clients.size);
  if (refusal !== undefined) {
    door.refusals.tell(`WebSocket: ${refusal}`, request.socket.remoteAddress);
    // No limit of the HTTP server is on it any more: who does not hang up himself would keep it for ever.
    stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
    return;
  }
  sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit("connection", socket, request));
}

/** The status line that refuses a WebSocket; undefined for the owner's. */
function upgradeRefusal(request: IncomingMessage, access: PanelAccess, open: number): string | undefined {
  if (!access.isOurHost(request)) return "421 Misdirected Request";
  if (!access.isOurOrigin(request, "required")) return "403 Forbidden";
  if (access.sessionOf(request) === undefined) return "401 Unauthorized";
  if (parseUrl(request)?.pathname !== PANEL_SOCKET_PATH) return "404 Not Found";
  return open >= MAX_WEB_SOCKETS ? "503 Service Unavailable" : undefined;
}

function serveSocket(socket: WebSocket, request: IncomingMessage, options: PanelOptions, refusals: RefusalLog): void {
  const source = request.socket.remoteAddress;
  const connection = new GateConnection({
    api: options.api,
    onUnexpected: options.onUnexpected,
    onRefused: (code) => refusals.tell(`message: ${code}`, source),
    ...(options.checkOutput === undefined ? {} : { checkOutput: options.checkOutput }),
    transport: {
      send: (text) => socket.send(text, () => connection.drained()),
      backlogBytes: () => socket.bufferedAmount,
      end: () => socket.close(1008),
      drop: () => socket.terminate(),
    },
  });
  socket.on("message", (data, isBinary) => {
    if (isBinary) {
      refusals.tell("message: binary", source);
      socket.close(1003);
    } else connection.receive(data.toString());
  });
  // ws closes the connection itself on a frame it refuses; "close" follows.
  socket.on("error", () => refusals.tell("message: bad frame", source));
  socket.on("close", () => connection.close());
}

function securityHeaders(request: IncomingMessage, { access, login }: Door): Record<string, string> {
  const { host = "" } = request.headers;
  // Older browsers do not count ws: as 'self', so the socket's own address is named as well.
  const scheme = access.scheme === "https" ? "wss" : "ws";
  const socket = /^[a-z0-9.-]+(:[0-9]+)?$/i.test(host) ? ` ${scheme}://${host}` : "";
  return {
    "Content-Security-Policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "font-src 'self'",
      `connect-src 'self'${socket}`,
      "base-uri 'none'",
      `form-action ${login === undefined ? "'none'" : "'self'"}`,
      "frame-ancestors 'none'",
    ].join("; "),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal, { refusals }: Door): void {
  const { status } = refusal;
  refusals.tell(`request: ${status}`, request.socket.remoteAddress);
  const page = refusalPage(languageOf(request.headers["accept-language"]), refusal);
  if (status === 405) response.setHeader("Allow", "GET, HEAD");
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", "Content-Length": Buffer.byteLength(page) });
  response.end(page);
}

function parseUrl(request: IncomingMessage): URL | undefined {
  // An absolute or `//host` target would name another host than the one that was checked.
  if (request.url === undefined || !/^\/(?!\/)/.test(request.url)) return undefined;
  return URL.parse(request.url, "http://panel.invalid") ?? undefined;
}
