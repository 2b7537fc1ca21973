/** The way into a panel beyond loopback: a page that takes the password and gives a session for it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../src-shared/clock.ts";
import { LoginLimiter } from "./login-limiter.ts";
import { LOGIN_STYLE, LOGIN_STYLE_PATH, type LoginReason, languageOf, loginPage, signedInPage } from "./login-page.ts";
import type { PanelAccess } from "./panel-access.ts";
import { type PasswordSource, verifyPassword } from "./panel-password.ts";
import type { PanelSessions } from "./panel-sessions.ts";

export const LOGIN_PATH = "/login";
export const LOGOUT_PATH = "/logout";

/** The longest password, each of its characters percent-encoded, is shorter. */
const MAX_FORM_BYTES = 4 * 1024;

/** Each takes 32 MiB and a fifth of a second; who comes on top of these is asked to come again. */
const MAX_WAITING = 8;

export interface PanelLoginOptions {
  readonly clock: Clock;
  readonly access: PanelAccess;
  readonly sessions: PanelSessions;
  readonly password: PasswordSource;
  /** Told of each request that is refused, with a fixed word for why. */
  readonly onRefused: (what: string, source: string | undefined) => void;
}

export class PanelLogin {
  readonly #options: PanelLoginOptions;
  readonly #limiter: LoginLimiter;
  /** One after the other, so that guesses cannot use up the computer. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: PanelLoginOptions) {
    this.#options = options;
    this.#limiter = new LoginLimiter(options.clock);
  }

  /** Answers what belongs to the login; false for every other path. Host and Origin were checked already. */
  handle(request: IncomingMessage, response: ServerResponse, pathname: string): boolean {
    const isForm = pathname === LOGIN_PATH || pathname === LOGOUT_PATH;
    if (isForm && request.method === "POST") {
      void this.#post(request, response, pathname);
      return true;
    }
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    if (pathname === LOGIN_STYLE_PATH) {
      send(response, 200, LOGIN_STYLE, "text/css; charset=utf-8");
      return true;
    }
    if (pathname !== LOGIN_PATH) return false;
    if (this.#options.access.sessionOf(request) === undefined) this.#show(request, response, 200, "first");
    else sendPage(response, 200, signedInPage(languageOf(request.headers["accept-language"])));
    return true;
  }

  async #post(request: IncomingMessage, response: ServerResponse, pathname: string): Promise<void> {
    const { access, onRefused } = this.#options;
    const source = request.socket.remoteAddress;
    // A browser says with every form whose page it was on; a form of another site must not sign anybody in or out.
    const site = request.headers["sec-fetch-site"];
    if (!access.isOurOrigin(request, "required") || (site !== undefined && site !== "same-origin")) {
      onRefused("form of another site", source);
      this.#refuse(request, response, 403, "first");
      return;
    }
    if (pathname === LOGOUT_PATH) {
      const session = access.sessionOf(request);
      if (session !== undefined) this.#options.sessions.end(session);
      redirect(request, response, LOGIN_PATH, access.endedCookie());
      return;
    }
    if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers["content-type"] ?? "")) {
      onRefused("form of another kind", source);
      this.#refuse(request, response, 415, "first");
      return;
    }
    const form = await readForm(request);
    if (form === undefined) {
      onRefused("form too long", source);
      this.#refuse(request, response, 413, "first");
      return;
    }
    await this.#signIn(request, response, new URLSearchParams(form).get("password") ?? "");
  }

  async #signIn(request: IncomingMessage, response: ServerResponse, password: string): Promise<void> {
    const { access, sessions, onRefused } = this.#options;
    const source = request.socket.remoteAddress ?? "";
    const waitSeconds = this.#waiting >= MAX_WAITING ? 1 : this.#limiter.take(source);
    if (waitSeconds > 0) {
      onRefused("too many passwords", source);
      response.setHeader("Retry-After", String(waitSeconds));
      this.#show(request, response, 429, "later");
      return;
    }
    const hash = this.#options.password.hash();
    if (hash === undefined) {
      this.#show(request, response, 503, "unset");
      return;
    }
    if (!(await this.#verify(password, hash))) {
      onRefused("wrong password", source);
      this.#show(request, response, 401, "wrong");
      return;
    }
    this.#limiter.forgive(source);
    redirect(request, response, "/", access.sessionCookie(sessions.open(hash)));
  }

  async #verify(password: string, hash: string): Promise<boolean> {
    this.#waiting++;
    const turn = this.#turn.then(() => verifyPassword(password, hash));
    this.#turn = turn;
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  #show(request: IncomingMessage, response: ServerResponse, status: number, reason: LoginReason): void {
    sendPage(response, status, loginPage(languageOf(request.headers["accept-language"]), reason));
  }

  /** Answers without having read what was sent, and hangs up. */
  #refuse(request: IncomingMessage, response: ServerResponse, status: number, reason: LoginReason): void {
    response.setHeader("Connection", "close");
    this.#show(request, response, status, reason);
    request.resume();
  }
}

/** The body, undefined where it is longer than a form of ours can be or breaks off. */
function readForm(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_FORM_BYTES) resolve(undefined);
      else chunks.push(chunk);
    });
    request.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.once("error", () => resolve(undefined));
    request.once("close", () => resolve(undefined));
  });
}

function redirect(request: IncomingMessage, response: ServerResponse, location: string, cookie: string): void {
  request.resume();
  response.setHeader("Set-Cookie", cookie);
  response.writeHead(303, { Location: location, "Content-Length": 0 }).end();
}

function sendPage(response: ServerResponse, status: number, page: string): void {
  // With "no-referrer" a browser would send `Origin: null` with the form (Fetch standard, "append a request Origin header").
  response.setHeader("Referrer-Policy", "same-origin");
  send(response, status, page, "text/html; charset=utf-8");
}

function send(response: ServerResponse, status: number, body: string, type: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
