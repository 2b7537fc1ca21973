import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HiggsFailure } from "../../src-shared/result.ts";
import { Redactor } from "./redact.ts";

const ipv4 = fc
  .tuple(fc.integer({ min: 1, max: 126 }), fc.nat(255), fc.nat(255), fc.nat(255))
  .map((parts) => parts.join("."));
// Two groups that are not zero keep the address away from ::, ::1 and the mapped ones.
const ipv6 = fc.ipV6().filter((text) => {
  const [high] = text.split(":");
  return high !== undefined && /[1-9a-f]/i.test(high);
});
const mapped = ipv4.map((text) => `::ffff:${text}`);
const zoned = fc
  .tuple(fc.integer({ min: 1, max: 0xffff }), fc.constantFrom("eth0", "wlan0", "2", "br-lan.1"))
  .map(([tail, zone]) => `fe80::${tail.toString(16)}%${zone}`);
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const before = fc.constantFrom("", "from ", "peer=", "[", "(", '"', "addr:", "at ", "\n", "udp/", "x-", "→", "key: ");
const after = fc.constantFrom("", " ", "]:51820", ":51820", "/24", ")", '"', ",", ".", ". Next", "\n", "%");

describe("Redactor", () => {
  it("lets no address out, whatever stands around it", () => {
    const address = fc.oneof(ipv4, ipv6, mapped, zoned);
    fc.assert(
      fc.property(before, address, after, (head, text, tail) => {
        const output = new Redactor().text(`${head}${text}${tail}`);
        expect(output.toLowerCase()).not.toContain(text.toLowerCase());
        expect(output).toContain("ip-");
      }),
      { numRuns: 500 },
    );
  });

  it("lets no key out, whatever stands around it", () => {
    fc.assert(
      fc.property(before, key, after, (head, text, tail) => {
        const redactor = new Redactor();
        expect(redactor.text(`${head}${text}${tail}`)).not.toContain(text.slice(0, 43));
        expect(JSON.stringify(redactor.value({ peer: { [text]: [`${head}${text}`] } }))).not.toContain(
          text.slice(0, 43),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("knows a relay's node id, and the hardware address in an adapter's name", () => {
    const id = "aB3-_".repeat(9).slice(0, 43);
    expect(new Redactor().text(`node ${id}, uplink enx001122aabbcc`)).toBe("node key-1, uplink enxmac-1");
    expect(new Redactor().text(`${id}more eth0`)).toBe(`${id}more eth0`);
  });

  it("lets nothing out of nested fields, errors, causes, stacks and field names", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, key), (secret) => {
        const cause = new Error(`no route to ${secret}`);
        const error = new HiggsFailure({ code: "x", message: `cannot reach ${secret}`, hint: secret }, { cause });
        const fields = { error, list: [{ deep: new Map([[secret, new Set([secret])]]) }], [secret]: 1 };
        const output = JSON.stringify(new Redactor().value(fields));
        expect(output).not.toContain(secret);
        expect(output).toContain('"code":"x"');
      }),
    );
  });

  it("gives the same value the same placeholder, in any of its spellings", () => {
    const redactor = new Redactor();
    expect(redactor.text("from 11.22.33.44 and 11.22.33.45, again 11.22.33.44")).toBe("from ip-1 and ip-2, again ip-1");
    expect(redactor.text("::ffff:11.22.33.44")).toBe("ip-1");
    expect(redactor.text("[2001:DB8:0::1]:51820 is 2001:db8::1")).toBe("[ip-3]:51820 is ip-3");
    expect(redactor.text("fe80::1%eth0 and fe80::1%wlan0 and fe80::1")).toBe("ip-4 and ip-4 and ip-4");
    const secret = randomBytes(32).toString("base64");
    expect(redactor.text(`peer ${secret} is ${secret}`)).toBe("peer key-1 is key-1");
    expect(redactor.text(Buffer.from(secret, "base64").toString("hex"))).toBe("key-2");
    expect(redactor.text("ether 02:AA:bb:cc:dd:01")).toBe("ether mac-1");
  });

  it("keeps what says nothing about anybody", () => {
    const redactor = new Redactor();
    for (const text of [
      "listening on 127.0.0.1:53 and [::1]:53, 0.0.0.0 and ::",
      "at 12:34:56 in node:internal/process.js:95:5",
      "version 6.1.0, rule 10.5, port 51820",
      "2026-01-01T00:00:00.000Z",
      "/usr/share/homes/x and /rootless",
    ]) {
      expect(redactor.text(text)).toBe(text);
    }
  });

  it("takes out home folders of every platform", () => {
    const redactor = new Redactor();
    expect(redactor.text("open '/home/ann/.config/higgsnode/x'")).toBe("open 'home-1/.config/higgsnode/x'");
    expect(redactor.text("at file:///home/ann/app/main.mjs:10:5")).toBe("at file://home-1/app/main.mjs:10:5");
    expect(redactor.text("/Users/ann/Library")).toBe("home-2/Library");
    expect(redactor.text("/root/.config and /root")).toBe("home-3/.config and home-3");
    expect(redactor.text("C:\\Users\\Ann Smith\\AppData")).toBe("home-4\\AppData");
    expect(JSON.stringify(redactor.value({ path: "C:\\Users\\Ann Smith\\AppData" }))).not.toContain("Ann");
  });

  it("takes out endpoint names found in fields, and later in messages", () => {
    const redactor = new Redactor();
    expect(redactor.value({ endpoint: "Home.example.org:51820" })).toEqual({ endpoint: "host-1:51820" });
    expect(redactor.value({ publicEndpoint: { host: "home.example.org", port: 51820 } })).toEqual({
      publicEndpoint: { host: "host-1", port: 51820 },
    });
    expect(redactor.value({ server: "wss://relay.example.net/path" })).toEqual({ server: "wss://host-2/path" });
    expect(redactor.text("cannot resolve HOME.example.org; nothome.example.org is another")).toBe(
      "cannot resolve host-1; nothome.example.org is another",
    );
  });

  it("takes out fields that hold secrets, whatever these look like", () => {
    expect(new Redactor().value({ token: "abc", privateKey: "short", nested: { password: 12 } })).toEqual({
      token: "secret-1",
      privateKey: "secret-2",
      nested: { password: "secret-3" },
    });
  });

  it("copes with circular, deep, long and unusual values", () => {
    const circle: Record<string, unknown> = { big: 1n, when: new Date(0), bytes: Buffer.from("secret"), none: null };
    circle.self = circle;
    expect(new Redactor().value(circle)).toEqual({
      big: "1",
      when: "1970-01-01T00:00:00.000Z",
      bytes: "[6 bytes]",
      none: null,
      self: "[circular]",
    });
    let deep: unknown = "10.1.2.3";
    for (let n = 0; n < 50; n++) deep = [deep];
    expect(JSON.stringify(new Redactor().value(deep))).toContain("too deep");
    expect(new Redactor().value(Array.from({ length: 300 }, () => 0))).toHaveLength(201);
    expect(new Redactor().text("10.1.2.3 ".repeat(10_000)).length).toBeLessThan(9_000);
    expect(new Redactor().text("10.1.2.3 ".repeat(100_000))).not.toContain("10.1");
    expect(new Redactor().text("ab:".repeat(50_000))).toBe("key-1");
  });

  it("does not collect placeholders without end", () => {
    const redactor = new Redactor();
    for (let n = 0; n < 10_000; n++) redactor.text(`10.${n >> 8}.${n & 255}.1`);
    expect(redactor.text("11.22.33.44")).toBe("ip-other");
    expect(redactor.text("10.0.5.1")).toBe("ip-6");
  });

  it("takes out every name and address that a guest asks for, however many there are", () => {
    const redactor = new Redactor();
    for (let n = 0; n < 200; n++) {
      const output = JSON.stringify(
        redactor.value({ question: `secret-${n}.example.org`, dnsName: `Other-${n}.example` }),
      );
      expect(output).not.toMatch(/secret|other-\d|example/i);
    }
    const again = redactor.value({
      domain: "SECRET-7.example.org",
      destination: "203.0.113.7:443",
      destinations: ["[2001:db8::1]:80"],
    });
    expect(again).toEqual({ domain: "host-15", destination: "ip-1:443", destinations: ["[ip-2]:80"] });
  });
});
