/** Serves the built interface to our windows under a scheme of our own, with a strict policy. */
import { protocol, type Session } from "electron";
import type { StaticFiles } from "../headless/static-files.ts";
import { PAGE_ORIGIN, PAGE_SCHEME } from "./channel.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Must run before the app is ready. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: PAGE_SCHEME, privileges: { standard: true, secure: true } }]);
}

export function servePage(session: Session, files: StaticFiles): void {
  session.protocol.handle(PAGE_SCHEME, (request) => {
    const url = new URL(request.url);
    const file = `${url.protocol}//${url.host}` === PAGE_ORIGIN ? files.get(url.pathname) : undefined;
    if (file === undefined || request.method !== "GET") return new Response("not found", { status: 404 });
    return new Response(new Uint8Array(file.body), {
      headers: {
        "Content-Type": file.type,
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
      },
    });
  });
}
