import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { PanelAccess } from "./panel-access.ts";

function access(scheme: "http" | "https", mayBeProxied: boolean): PanelAccess {
  const isOurName = (name: string) => name === "panel.example.org";
  return new PanelAccess({ scheme, mayBeProxied, port: 8080, isOurName, isSession: () => false });
}

function request(host: string, origin?: string): IncomingMessage {
  const made = new IncomingMessage(new Socket());
  made.headers = origin === undefined ? { host } : { host, origin };
  return made;
}

describe("the origin of a request", () => {
  const host = "panel.example.org:8443";

  it.each([
    ["http", false, `http://${host}`, true],
    ["http", false, `https://${host}`, false],
    ["http", true, `https://${host}`, true],
    ["http", true, "https://panel.example.org", false],
    ["http", true, "https://evil.example", false],
    ["https", false, `http://${host}`, false],
    ["https", false, `https://${host}`, true],
    ["https", false, "null", false],
  ] as const)("of a panel on %s (proxied: %s) may be %s: %s", (scheme, mayBeProxied, origin, allowed) => {
    expect(access(scheme, mayBeProxied).isOurOrigin(request(host, origin), "required")).toBe(allowed);
  });

  it("is no use under a name that is not ours, and is asked of a form and a WebSocket", () => {
    const panel = access("http", true);
    expect(panel.isOurOrigin(request("evil.example", "https://evil.example"), "optional")).toBe(false);
    expect(panel.isOurOrigin(request(host), "required")).toBe(false);
    expect(panel.isOurOrigin(request(host), "optional")).toBe(true);
  });
});
