import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Address,
  containsAddress,
  formatAddress,
  overlaps,
  type Prefix,
  parsePrefix,
  sizeOf,
} from "../../src-shared/net/address.ts";
import { allowedIpsWithout } from "./allowed-ips.ts";

function prefixesWithout(addresses: readonly string[]): Prefix[] {
  return allowedIpsWithout(addresses).map((text) => parsePrefix(text) as Prefix);
}

const address: fc.Arbitrary<Address> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 4 as const, value })),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => ({ family: 6 as const, value })),
);

describe("AllowedIPs without some addresses", () => {
  it("are the two default routes where nothing is left out", () => {
    expect(allowedIpsWithout([])).toEqual(["0.0.0.0/0", "::/0"]);
  });

  it("are 32 prefixes and the other family's default route without one IPv4 address", () => {
    const prefixes = allowedIpsWithout(["11.22.44.90"]);
    expect(prefixes).toHaveLength(33);
    expect(prefixes).toEqual(expect.arrayContaining(["128.0.0.0/1", "11.22.44.91/32", "::/0"]));
  });

  it("cover every address but those, each once", () => {
    fc.assert(
      fc.property(fc.array(address, { maxLength: 6 }), address, (left, probe) => {
        const prefixes = prefixesWithout(left.map(formatAddress));
        for (const one of left) expect(prefixes.some((prefix) => containsAddress(prefix, one))).toBe(false);
        const isLeft = left.some(({ family, value }) => family === probe.family && value === probe.value);
        expect(prefixes.filter((prefix) => containsAddress(prefix, probe))).toHaveLength(isLeft ? 0 : 1);
        const distinct = new Set(left.filter(({ family }) => family === 4).map(({ value }) => value)).size;
        const total = prefixes.filter(({ family }) => family === 4).reduce((sum, prefix) => sum + sizeOf(prefix), 0n);
        expect(total).toBe(2n ** 32n - BigInt(distinct));
      }),
      { numRuns: 200 },
    );
  });

  it("never overlap", () => {
    const prefixes = prefixesWithout(["1.2.3.4", "1.2.3.5", "2001:db8::1"]);
    for (const [index, one] of prefixes.entries()) {
      expect(prefixes.slice(index + 1).some((other) => overlaps(one, other))).toBe(false);
    }
  });
});
