import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRelayUrl, isLoopbackHost, parseRelayUrl, relayUrlSchema } from "./relay-url.ts";

describe("a relay's address", () => {
  it.each([
    ["wss://relay.example.org", { secure: true, host: "relay.example.org", port: 443, path: "" }],
    ["WSS://Relay.Example.org:443/", { secure: true, host: "relay.example.org", port: 443, path: "" }],
    ["wss://203.0.113.7:8443", { secure: true, host: "203.0.113.7", port: 8443, path: "" }],
    ["wss://[2001:DB8::0:7]/relay/one", { secure: true, host: "2001:db8::7", port: 443, path: "/relay/one" }],
    ["ws://localhost:8080", { secure: false, host: "localhost", port: 8080, path: "" }],
  ])("%s is understood", (text, expected) => {
    expect(parseRelayUrl(text)).toEqual(expected);
  });

  it.each([
    "",
    "https://relay.example.org",
    "relay.example.org",
    "wss://",
    "wss://user:secret@relay.example.org",
    "wss://relay.example.org:0",
    "wss://relay.example.org:65536",
    "wss://relay.example.org/?x=1",
    "wss://relay.example.org/a b",
    "wss://relay_example",
    "wss://[::1",
    "wss://[10.0.0.1]",
    "wss://1.2.3.4.5",
    "wss://relay.example.org\n",
    `wss://relay.example.org/${"a".repeat(600)}`,
  ])("%j is none", (text) => {
    expect(parseRelayUrl(text)).toBeUndefined();
  });

  it("has one form, whatever way it was written", () => {
    expect(relayUrlSchema.parse("WSS://Relay.Example.org:443/")).toBe("wss://relay.example.org");
    expect(relayUrlSchema.parse("ws://[0:0::1]:80")).toBe("ws://[::1]");
  });

  it("survives being written and read again", () => {
    fc.assert(
      fc.property(
        fc.record({
          secure: fc.boolean(),
          host: fc.oneof(fc.ipV4(), fc.constantFrom("2001:db8::1", "::1", "a.example", "xn--bcher-kva.example")),
          port: fc.integer({ min: 1, max: 65535 }),
          path: fc.constantFrom("", "/a", "/a/b.c"),
        }),
        (url) => {
          expect(parseRelayUrl(formatRelayUrl(url))).toEqual(url);
        },
      ),
    );
  });

  it("tells what stays on this machine from what does not", () => {
    expect(["127.0.0.1", "127.9.9.9", "::1", "localhost"].every(isLoopbackHost)).toBe(true);
    expect(["128.0.0.1", "10.0.0.1", "::2", "localhost.example", "0.0.0.0"].some(isLoopbackHost)).toBe(false);
  });
});
