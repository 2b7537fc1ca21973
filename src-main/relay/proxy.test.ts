import { describe, expect, it } from "vitest";
import { parseRelayUrl, type RelayUrl } from "../../src-shared/net/relay-url.ts";
import { unwrap } from "../../src-shared/result.ts";
import { type Environment, proxyFor } from "./proxy.ts";

function proxyOf(text: string, env: Environment): string | undefined {
  return unwrap(proxyFor(parseRelayUrl(text) as RelayUrl, env))?.href;
}

describe("the proxy for a relay", () => {
  it("is none in an empty environment", () => {
    expect(proxyOf("wss://relay.example", {})).toBeUndefined();
    expect(proxyOf("wss://relay.example", { HTTPS_PROXY: "" })).toBeUndefined();
  });

  it("is HTTPS_PROXY for wss and HTTP_PROXY for ws, in lower case first", () => {
    const env = { HTTPS_PROXY: "http://upper:1", https_proxy: "http://lower:2", HTTP_PROXY: "plain:3" };
    expect(proxyOf("wss://relay.example", env)).toBe("http://lower:2/");
    expect(proxyOf("ws://relay.example", env)).toBe("http://plain:3/");
    expect(proxyOf("ws://relay.example", { ALL_PROXY: "http://all:4" })).toBe("http://all:4/");
  });

  it("is none for this machine", () => {
    expect(proxyOf("wss://127.0.0.1", { HTTPS_PROXY: "http://proxy:1" })).toBeUndefined();
  });

  it.each([
    ["*", true],
    ["relay.example", true],
    ["example", true],
    [".example", true],
    ["*.example", true],
    ["RELAY.example", true],
    ["other.example, relay.example", true],
    ["relay.example:443", true],
    ["relay.example:8443", false],
    ["lay.example", false],
    ["", false],
  ])("NO_PROXY=%s leaves relay.example out: %s", (list, isLeftOut) => {
    const proxy = proxyOf("wss://relay.example", { HTTPS_PROXY: "http://proxy:1", NO_PROXY: list });
    expect(proxy === undefined).toBe(isLeftOut);
  });

  it.each([
    ["10.0.0.0/8", "wss://10.1.2.3", true],
    ["10.1.2.3", "wss://10.1.2.3", true],
    ["10.1.2.3:443", "wss://10.1.2.3", true],
    ["10.0.0.0/8", "wss://11.1.2.3", false],
    ["2001:db8::/32", "wss://[2001:db8::1]", true],
    ["2001:db8::1", "wss://[2001:db8::1]", true],
    ["[2001:db8::1]:443", "wss://[2001:db8::1]", true],
    ["2001:db8::2", "wss://[2001:db8::1]", false],
  ])("NO_PROXY=%s leaves %s out: %s", (list, url, isLeftOut) => {
    expect(proxyOf(url, { HTTPS_PROXY: "http://proxy:1", NO_PROXY: list }) === undefined).toBe(isLeftOut);
  });

  it("that cannot be used is an error, without the password that may be in it", () => {
    const failed = proxyFor(parseRelayUrl("wss://relay.example") as RelayUrl, {
      HTTPS_PROXY: "socks5://me:secret@proxy:1",
    });
    expect(failed).toMatchObject({ ok: false, error: { code: "proxy-invalid" } });
    expect(JSON.stringify(failed)).not.toContain("secret");
  });
});
