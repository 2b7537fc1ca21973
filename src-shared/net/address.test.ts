import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Address,
  addressAt,
  addressSchema,
  bitsOf,
  containsAddress,
  containsPrefix,
  type Family,
  formatAddress,
  formatPrefix,
  interfaceAddressSchema,
  isInAny,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefix,
  prefixSchema,
  sizeOf,
  splitPrefix,
} from "./address.ts";

const family = fc.constantFrom<Family>(4, 6);

const addresses: fc.Arbitrary<Address> = family.chain((each) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(bitsOf(each))) - 1n }).map((value) => ({ family: each, value })),
);

const prefixes: fc.Arbitrary<Prefix> = addresses.chain((address) =>
  fc.integer({ min: 0, max: bitsOf(address.family) }).map((length) => prefix(`${formatAddress(address)}/${length}`)),
);

describe("addresses", () => {
  it("come back from their text", () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  it("are printed so that the platform reads them too", () => {
    fc.assert(
      fc.property(addresses, (address) => {
        const text = formatAddress(address);
        expect(address.family === 4 ? isIPv4(text) : isIPv6(text)).toBe(true);
      }),
    );
  });

  it("are never read where the platform reads none", () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9a-f:.%/x]{0,45}$/),
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4Extended(),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        if (parseAddress(candidate) !== undefined) expect(isIPv4(candidate) || isIPv6(candidate)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["::", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ])("are written after RFC 5952: %s is %s", (text, canonical) => {
    expect(addressSchema.parse(text)).toBe(canonical);
  });

  it.each([
    "010.0.0.1",
    "0x7f.1",
    "127.1",
    "2130706433",
    "1.2.3.4.5",
    "256.0.0.1",
    " 1.2.3.4",
    "1.2.3.4\n",
    "fe80::1%eth0",
    "1::2::3",
    ":::",
    "12345::",
    "",
    "1.2.3.4/32",
    "[::1]",
  ])("are not read from %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
    expect(addressSchema.safeParse(text).success).toBe(false);
  });
});

describe("prefixes", () => {
  it("come back from their text, and are in canonical form", () => {
    fc.assert(
      fc.property(prefixes, (each) => {
        expect(parsePrefix(formatPrefix(each))).toEqual(each);
        expect(prefixSchema.parse(formatPrefix(each))).toBe(formatPrefix(each));
      }),
    );
  });

  it("contain their first and last address and not the ones beside them", () => {
    fc.assert(
      fc.property(prefixes, (each) => {
        const last = addressAt(each, sizeOf(each) - 1n);
        expect(containsAddress(each, addressAt(each, 0n))).toBe(true);
        expect(containsAddress(each, last)).toBe(true);
        const after = { ...last, value: last.value + 1n };
        if (after.value < 1n << BigInt(bitsOf(each.family))) expect(containsAddress(each, after)).toBe(false);
        if (each.value > 0n) expect(containsAddress(each, { ...each, value: each.value - 1n })).toBe(false);
      }),
    );
  });

  it("contain one another exactly as their addresses say", () => {
    fc.assert(
      fc.property(prefixes, prefixes, (a, b) => {
        const byEnds = containsAddress(a, b) && containsAddress(a, addressAt(b, sizeOf(b) - 1n));
        expect(containsPrefix(a, b)).toBe(byEnds);
        expect(overlaps(a, b)).toBe(containsPrefix(a, b) || containsPrefix(b, a));
        expect(overlaps(a, b)).toBe(overlaps(b, a));
      }),
    );
  });

  it("of a longer length lie inside the shorter one of the same address", () => {
    fc.assert(
      fc.property(addresses, fc.nat(128), fc.nat(128), (address, one, other) => {
        const [short, long] = [Math.min(one, other), Math.max(one, other)].map((length) =>
          prefix(`${formatAddress(address)}/${Math.min(length, bitsOf(address.family))}`),
        );
        if (short === undefined || long === undefined) throw new Error("two lengths make two prefixes");
        expect(containsPrefix(short, long)).toBe(true);
        expect(isInAny(address, [long])).toBe(true);
      }),
    );
  });

  it("of one family never hold addresses of the other", () => {
    expect(containsAddress(prefix("0.0.0.0/0"), { family: 6, value: 0n })).toBe(false);
    expect(containsPrefix(prefix("::/0"), prefix("0.0.0.0/0"))).toBe(false);
  });

  it.each([
    "10.0.0.0",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0.0/8 ",
    "10.0.0.0/8\n-A X",
    "/8",
    "::1/",
  ])("are not read from %j", (text) => {
    expect(splitPrefix(text)).toBeUndefined();
    expect(prefixSchema.safeParse(text).success).toBe(false);
    expect(interfaceAddressSchema.safeParse(text).success).toBe(false);
  });

  it("with host bits are refused as a prefix and kept as an interface address", () => {
    expect(prefixSchema.safeParse("10.66.0.1/16").success).toBe(false);
    expect(interfaceAddressSchema.parse("10.66.0.1/16")).toBe("10.66.0.1/16");
    expect(interfaceAddressSchema.parse("FD00:0::1/64")).toBe("fd00::1/64");
  });

  it("come out of the schemas without a character that could end a rule or a line", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), prefixes.map(formatPrefix)), (text) => {
        for (const schema of [addressSchema, prefixSchema, interfaceAddressSchema]) {
          const parsed = schema.safeParse(text);
          if (parsed.success) expect(parsed.data).toMatch(/^[0-9a-f:./]+$/);
        }
      }),
    );
  });
});
