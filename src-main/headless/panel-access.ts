/**
 * Who may use the panel. Every page in every browser can send requests to it, and so can every local user: hence a
 * secret that a browser gets once it has shown a key or given a password, in a cookie that no other site's request
 * carries, and a Host and Origin that must be ours (DNS rebinding).
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { SECRET_BYTES } from "./panel-sessions.ts";

export interface AccessOptions {
  readonly scheme: "http" | "https";
  /** Whether something in front of us may speak TLS for us: pages then come from https, under the same name. */
  readonly mayBeProxied?: boolean;
  readonly port: number;
  /** Whether this is a name of ours, as `Host` has it: in lower case, IPv6 in brackets, the port apart. */
  readonly isOurName: (name: string, port: string | undefined) => boolean;
  /** Whether the secret is one that was given out and still holds. */
  readonly isSession: (secret: string) => boolean;
  /** Whether a session may be used from where a request comes from; from everywhere where it is left out. */
  readonly isFromOwner?: (socket: Socket) => boolean;
}

/** A name or an address with an optional port (RFC 9110, section 7.2). */
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?$/;

export class PanelAccess {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  get scheme(): AccessOptions["scheme"] {
    return this.#options.scheme;
  }

  /** Whether the request was sent to us by name: a rebound DNS name fails here. */
  isOurHost(request: IncomingMessage): boolean {
    const [, name, port] = HOST.exec(request.headers.host?.toLowerCase() ?? "") ?? [];
    return name !== undefined && this.#options.isOurName(name, port);
  }

  /** Whether `Origin` is the panel itself; a WebSocket and a form must have one, as every browser sends it. */
  isOurOrigin(request: IncomingMessage, presence: "required" | "optional"): boolean {
    const origin = request.headers.origin;
    if (origin === undefined) return presence === "optional";
    const { scheme, mayBeProxied = false } = this.#options;
    const schemes = mayBeProxied ? [scheme, "https"] : [scheme];
    return schemes.some((ours) => origin === `${ours}://${request.headers.host}`) && this.isOurHost(request);
  }

  /** The secret of the session that the request belongs to; undefined where it belongs to none. */
  sessionOf(request: IncomingMessage): string | undefined {
    const prefix = `${this.#cookieName()}=`;
    const found = (request.headers.cookie ?? "")
      .split(";")
      .map((cookie) => cookie.trim())
      .filter((cookie) => cookie.startsWith(prefix))
      .map((cookie) => cookie.slice(prefix.length))
      .find((secret) => this.#options.isSession(secret));
    if (found === undefined || this.#options.isFromOwner?.(request.socket) === false) return undefined;
    return found;
  }

  isSession(secret: string): boolean {
    return this.#options.isSession(secret);
  }

  /** `Set-Cookie` for a browser that may come in. Without a lifetime, it ends with the browser. */
  sessionCookie(secret: string): string {
    return `${this.#cookieName()}=${secret}; ${this.#attributes()}`;
  }

  /** `Set-Cookie` that takes the cookie away. */
  endedCookie(): string {
    return `${this.#cookieName()}=; ${this.#attributes()}; Max-Age=0`;
  }

  #attributes(): string {
    return `Path=/; HttpOnly; SameSite=Strict${this.#options.scheme === "https" ? "; Secure" : ""}`;
  }

  /**
   * Cookies are shared by all ports of a host (RFC 6265, section 8.5): two nodes must not take each other's. `__Host-`
   * keeps other hosts of the domain from setting it.
   */
  #cookieName(): string {
    return `${this.#options.scheme === "https" ? "__Host-" : ""}higgsnode-${this.#options.port}`;
  }
}

/** The key in the printed address, and the one session of this run that it is traded for. */
export class PanelKey {
  readonly #token = randomBytes(SECRET_BYTES).toString("base64url");
  /** Differs from the token: what the browser keeps is not what stands in its history. */
  readonly session = randomBytes(SECRET_BYTES).toString("base64url");
  /** Users of this computer who have shown the key. */
  readonly #users = new Set<number>();

  /** Notes who has shown the key; undefined where nobody can tell. */
  shownBy(user: number | undefined): void {
    if (user !== undefined) this.#users.add(user);
  }

  /**
   * Whether whoever uses the session is one who has shown the key: a browser sends the cookie to every port of this computer, so
   * that a server of another user may have got hold of it. Where it could not be told who showed the key, anybody is.
   */
  wasShownBy(user: () => number | undefined): boolean {
    if (this.#users.size === 0) return true;
    const found = user();
    return found !== undefined && this.#users.has(found);
  }

  get token(): string {
    return this.#token;
  }

  isToken(candidate: string | null): boolean {
    return candidate !== null && sameSecret(candidate, this.#token);
  }

  isSession(candidate: string): boolean {
    return sameSecret(candidate, this.session);
  }
}

function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
