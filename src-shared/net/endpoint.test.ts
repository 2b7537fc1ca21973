import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endpointSchema, formatEndpoint, parseEndpoint, portSchema } from "./endpoint.ts";

const ports = fc.integer({ min: 1, max: 65535 });

describe("endpoints", () => {
  it("come back from their text, whatever the host is", () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(hosts, ports, (host, port) => {
        const parsed = endpointSchema.safeParse({ host, port });
        if (!parsed.success) return;
        expect(parseEndpoint(formatEndpoint(parsed.data))).toEqual(parsed.data);
      }),
    );
  });

  it("take every address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), ports, (host, port) => {
        expect(endpointSchema.safeParse({ host, port }).success).toBe(true);
      }),
    );
  });

  it.each([
    ["198.51.100.1:51820", { host: "198.51.100.1", port: 51820 }],
    ["[2001:db8::1]:51820", { host: "2001:db8::1", port: 51820 }],
    ["home.example.org:1", { host: "home.example.org", port: 1 }],
  ])("are read from %s", (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });

  it.each([
    "2001:db8::1:51820",
    "[198.51.100.1]:51820",
    "198.51.100.1",
    "198.51.100.1:0",
    "198.51.100.1:65536",
    "198.51.100.256:51820",
    "1.2.3:51820",
    "host name:51820",
    "host\nPrivateKey = x:51820",
    "-leading.example:51820",
    "trailing-.example:51820",
    "a..b:51820",
    "$(reboot):51820",
    "a;b:51820",
    `${"a".repeat(64)}.example:1`,
    `${"a.".repeat(126)}ab:1`,
    "[fe80::1%eth0]:1",
    ":51820",
    "host:",
    "host:51820\n",
    "",
  ])("are not read from %j", (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });

  it("never hold a character that WireGuard's configuration gives a meaning", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.domain()), ports, (host, port) => {
        const parsed = endpointSchema.safeParse({ host, port });
        if (parsed.success) expect(formatEndpoint(parsed.data)).toMatch(/^[A-Za-z0-9.:[\]-]+$/);
      }),
    );
  });

  it("have no further fields", () => {
    expect(endpointSchema.safeParse({ host: "h.example", port: 1, extra: 1 }).success).toBe(false);
  });
});

describe("ports", () => {
  it.each([0, -1, 65536, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "80", null])("are never %j", (port) => {
    expect(portSchema.safeParse(port).success).toBe(false);
  });
});
