/**
 * Who may use the panel. It listens on loopback, but every page in every browser of this computer can
 * send requests there, and so can every local user: hence a secret in the printed address, a cookie
 * that no other site's request carries, and a Host and Origin that must be ours (DNS rebinding).
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** 256 bits: cannot be guessed, so guesses need no counting. */
const SECRET_BYTES = 32;

export class PanelAccess {
  readonly #port: number;
  readonly #token: string;
  /** Differs from the token: what the browser keeps is not what stands in its history. */
  readonly #session = randomBytes(SECRET_BYTES).toString("base64url");

  constructor(port: number, token = randomBytes(SECRET_BYTES).toString("base64url")) {
    this.#port = port;
    this.#token = token;
  }

  /** The address to open, the secret in it. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#token}`;
  }

  /** Whether the request was sent to us by name: a rebound DNS name fails here. */
  isOurHost(request: IncomingMessage): boolean {
    const host = request.headers.host;
    return host !== undefined && this.#hosts().includes(host);
  }

  /** Whether `Origin` is the panel itself; a WebSocket must have one, as every browser sends it. */
  isOurOrigin(request: IncomingMessage, presence: "required" | "optional"): boolean {
    const origin = request.headers.origin;
    if (origin === undefined) return presence === "optional";
    return origin === `http://${request.headers.host}` && this.isOurHost(request);
  }

  isToken(candidate: string | null): boolean {
    return candidate !== null && sameSecret(candidate, this.#token);
  }

  hasSession(request: IncomingMessage): boolean {
    const prefix = `${this.#cookieName()}=`;
    const cookies = (request.headers.cookie ?? "").split(";").map((cookie) => cookie.trim());
    return cookies.some(
      (cookie) => cookie.startsWith(prefix) && sameSecret(cookie.slice(prefix.length), this.#session),
    );
  }

  /** `Set-Cookie` for a browser that came with the token. Without a lifetime, it ends with the browser. */
  sessionCookie(): string {
    return `${this.#cookieName()}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`;
  }

  #hosts(): string[] {
    return [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`];
  }

  /** Cookies are shared by all ports of a host (RFC 6265, section 8.5): two nodes must not take each other's. */
  #cookieName(): string {
    return `higgsnode-${this.#port}`;
  }
}

function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
