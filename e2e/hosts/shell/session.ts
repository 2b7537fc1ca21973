/** The session: our page's scheme, what may be requested, what a page may ask of the system. */
import type { CustomScheme, Protocol, Session } from "electron";

type BeforeRequest = Parameters<Session["webRequest"]["onBeforeRequest"]>[0];
/** Either form of the method's argument, as far as it is called here. */
type RequestListener = (details: never, answer: (response: { cancel?: boolean }) => void) => void;
type PermissionRequest = Parameters<Session["setPermissionRequestHandler"]>[0];
type PermissionCheck = Parameters<Session["setPermissionCheckHandler"]>[0];

type Conforms = Pick<Protocol, "registerSchemesAsPrivileged"> &
  Pick<Session, "setDevicePermissionHandler" | "setPermissionCheckHandler" | "setPermissionRequestHandler">;

/** Chromium knows no scheme of the app's own: its pages are at https://HOST.SCHEME.internal, where nobody else is. */
const STAND_IN_DOMAIN = "internal";

export class ShellSession implements Conforms {
  readonly #schemes = new Set<string>();
  readonly #handlers = new Map<string, (request: Request) => Promise<Response> | Response>();
  #beforeRequest: RequestListener | null = null;
  permissionRequest: PermissionRequest = null;
  permissionCheck: PermissionCheck = null;
  devicePermission: Parameters<Session["setDevicePermissionHandler"]>[0] = null;

  readonly protocol = {
    handle: (scheme: string, handler: (request: Request) => Promise<Response> | Response): void => {
      this.#handlers.set(scheme, handler);
    },
  };

  readonly webRequest = {
    onBeforeRequest: (listener: BeforeRequest): void => {
      this.#beforeRequest = listener as RequestListener | null;
    },
  };

  registerSchemesAsPrivileged(schemes: CustomScheme[]): void {
    for (const { scheme } of schemes) this.#schemes.add(scheme);
  }

  setPermissionRequestHandler(handler: PermissionRequest): void {
    this.permissionRequest = handler;
  }

  setPermissionCheckHandler(handler: PermissionCheck): void {
    this.permissionCheck = handler;
  }

  setDevicePermissionHandler(handler: Parameters<Session["setDevicePermissionHandler"]>[0]): void {
    this.devicePermission = handler;
  }

  /** `higgs://panel/x` → `https://panel.higgs.internal/x` */
  toChromium(url: string): string {
    const parsed = new URL(url);
    const scheme = parsed.protocol.slice(0, -1);
    if (!this.#schemes.has(scheme)) return url;
    return `https://${parsed.host}.${scheme}.${STAND_IN_DOMAIN}${parsed.pathname}${parsed.search}`;
  }

  /** The other way round, also inside `blob:`. */
  toElectron(url: string): string {
    return url.replace(/https:\/\/([^/]+)\.([a-z]+)\.internal/, (whole, host: string, scheme: string) =>
      this.#schemes.has(scheme) ? `${scheme}://${host}` : whole,
    );
  }

  /** Whether the app lets the request go. */
  async allows(url: string): Promise<boolean> {
    const listener = this.#beforeRequest;
    if (listener === null) return true;
    return new Promise((resolve) => {
      listener({ url } as never, ({ cancel }) => resolve(cancel !== true));
    });
  }

  /** The app's own answer; undefined where the address is none of its schemes'. */
  async answer(url: string, method: string): Promise<Response | undefined> {
    const handler = this.#handlers.get(new URL(url).protocol.slice(0, -1));
    return handler === undefined ? undefined : await handler(new Request(url, { method }));
  }
}
