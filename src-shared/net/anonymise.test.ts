import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "./address.ts";
import { anonymiseAddress, anonymiseDnsName, anonymiseIdentifier } from "./anonymise.ts";

describe("anonymiseAddress", () => {
  it.each([
    ["203.0.113.7", "203.0.113.0"],
    ["203.0.113.255", "203.0.113.0"],
    ["203.0.113.7:443", "203.0.113.0:443"],
    ["203.0.113.7/32", "203.0.113.0"],
    ["2001:db8:1:2::3", "2001:db8:1::"],
    ["2001:DB8:1:2:3:4:5:6", "2001:db8:1::"],
    ["[2001:db8:1:2::3]:443", "[2001:db8:1::]:443"],
    ["[2001:db8:1:2::3]", "[2001:db8:1::]"],
    ["2001:db8:1:2::3/128", "2001:db8:1::"],
    ["::ffff:203.0.113.7", "::ffff:203.0.113.0"],
    ["::ffff:cb00:7107", "::ffff:203.0.113.0"],
    ["[::ffff:203.0.113.7]:80", "[::ffff:203.0.113.0]:80"],
    ["fe80::1234%eth0", "fe80::"],
    ["::ffff:203.0.113.7%eth0", "::ffff:203.0.113.0"],
    ["[fe80::1234%eth0.100]:80", "[fe80::]:80"],
    ["64:ff9b::203.0.113.7", "64:ff9b::"],
    ["2002:cb00:7107:1::1", "2002:cb00:7100::"],
    ["::1", "::"],
  ])("makes %s %s", (exact, anonymous) => {
    expect(anonymiseAddress(exact)).toBe(anonymous);
    expect(anonymiseAddress(anonymous)).toBe(anonymous);
  });

  it.each(["", "Anna's phone", "203.0.113", "203.0.113.7.8", "1.2.3.4:", "[]:80", "x".repeat(10_000), "999.1.1.1"])(
    "knows that %j is no address",
    (text) => {
      expect(anonymiseAddress(text)).toBeUndefined();
    },
  );

  it("keeps the first 24 bits of any IPv4 and at most the first 48 of any IPv6 address, and no more", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), (value) => {
        const anonymous = parseAddress(anonymiseAddress(formatAddress({ family: 4, value })) ?? "");
        expect(anonymous?.value).toBe(value & 0xffff_ff00n);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 1n << 120n, max: (1n << 128n) - 1n }), (value) => {
        const anonymous = parseAddress(anonymiseAddress(formatAddress({ family: 6, value })) ?? "");
        expect((anonymous?.value ?? 1n) & ((1n << 80n) - 1n)).toBe(0n);
      }),
    );
  });

  it("takes any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const anonymous = anonymiseAddress(text);
        if (anonymous !== undefined) expect(anonymiseAddress(anonymous)).toBe(anonymous);
      }),
    );
  });
});

describe("anonymiseIdentifier", () => {
  it("treats an id that is an address as one, and leaves every other as it is", () => {
    expect(anonymiseIdentifier("10.66.0.7")).toBe("10.66.0.0");
    expect(anonymiseIdentifier("fd12:3456:789a::7")).toBe("fd12:3456:789a::");
    expect(anonymiseIdentifier("2f1c1c9e-8f7f-4d55-9f3e-0a8b1f1f6c11")).toBe("2f1c1c9e-8f7f-4d55-9f3e-0a8b1f1f6c11");
  });
});

describe("anonymiseDnsName", () => {
  it.each([
    ["www.example.org", "www.example.org"],
    ["7.113.0.203.in-addr.arpa", "113.0.203.in-addr.arpa"],
    ["113.0.203.in-addr.arpa", "113.0.203.in-addr.arpa"],
    ["in-addr.arpa", "in-addr.arpa"],
    ["3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"],
    ["ip-203-0-113-7.example.net", "ip-203-0-113-0.example.net"],
    ["203.0.113.7.nip.example", "203.0.113.0.nip.example"],
    ["v1-2-3.example.org", "v1-2-3.example.org"],
  ])("makes %s %s", (exact, anonymous) => {
    expect(anonymiseDnsName(exact)).toBe(anonymous);
    expect(anonymiseDnsName(anonymous)).toBe(anonymous);
  });
});
