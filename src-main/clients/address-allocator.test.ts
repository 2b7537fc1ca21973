import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { containsAddress, formatPrefix, type Prefix, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import { unwrap } from "../../src-shared/result.ts";
import { AddressAllocator, addressesOf, lastHostNumber, nodeAddressesOf } from "./address-allocator.ts";

const ipv4 = fc
  .record({ length: fc.integer({ min: 16, max: 30 }), host: fc.nat(0xffff) })
  .map(({ length, host }) => formatPrefix(parsePrefix(`10.66.${host >> 8}.${host & 255}/${length}`) as Prefix));
const ipv6 = fc
  .record({ length: fc.integer({ min: 64, max: 120 }), host: fc.nat(0xffff) })
  .map(({ length, host }) => formatPrefix(parsePrefix(`fd12:3456:789a:0:${host.toString(16)}::/${length}`) as Prefix));
const prefixes = fc.record({ ipv4, ipv6: fc.option(ipv6) });

function lastOf(guests: { ipv4: string; ipv6: string | null }): number {
  const lengths = [guests.ipv4, guests.ipv6].flatMap((text) => (text === null ? [] : [parsePrefix(text) as Prefix]));
  return Math.min(...lengths.map((prefix) => lastHostNumber(prefix.family, prefix.length)));
}

describe("AddressAllocator", () => {
  it("gives out addresses that are unique, inside the prefix and never the node's, in any order of adding and removing", () => {
    fc.assert(
      fc.property(prefixes, fc.array(fc.option(fc.nat(40)), { maxLength: 120 }), (guests, steps) => {
        const allocator = new AddressAllocator();
        const last = lastOf(guests);
        const held: number[] = [];
        for (const removed of steps) {
          const gone = removed === null ? undefined : held.splice(removed % Math.max(held.length, 1), 1)[0];
          if (gone !== undefined) {
            allocator.release(gone);
            continue;
          }
          const result = allocator.take(last);
          if (result.ok) held.push(result.value);
          else expect(held.length).toBe(last - 1);
        }
        const addresses = held.map((n) => addressesOf(n, guests) ?? []);
        const flat = addresses.flat();
        expect(new Set(flat).size).toBe(flat.length);
        const own = nodeAddressesOf(guests).map((text) => text.split("/")[0]);
        for (const address of flat) {
          expect(own).not.toContain(address);
          const parsed = parseAddress(address);
          const prefix = parsePrefix((parsed?.family === 4 ? guests.ipv4 : guests.ipv6) ?? "");
          if (parsed === undefined || prefix === undefined) throw new Error("unreadable");
          expect(containsAddress(prefix, parsed)).toBe(true);
          expect(parsed.value).not.toBe(prefix.value);
        }
      }),
    );
  });

  it("gives a removed client's address to the next one", () => {
    const allocator = new AddressAllocator([2, 3, 5]);
    expect(unwrap(allocator.take(100))).toBe(4);
    expect(unwrap(allocator.take(100))).toBe(6);
    allocator.release(3);
    allocator.release(3);
    expect(unwrap(allocator.take(100))).toBe(3);
    expect(unwrap(allocator.take(100))).toBe(7);
  });

  it("says when the guest network is full", () => {
    const allocator = new AddressAllocator();
    expect(allocator.take(2).ok).toBe(true);
    expect(allocator.take(2)).toMatchObject({ ok: false, error: { code: "guest-network-full" } });
    expect(allocator.take(3).ok).toBe(true);
  });

  it("looks at each number a bounded number of times, however many clients there are", () => {
    let looks = 0;
    const has = Set.prototype.has;
    Set.prototype.has = function (this: Set<unknown>, value: unknown) {
      looks += 1;
      return has.call(this, value);
    };
    try {
      const allocator = new AddressAllocator();
      for (let n = 0; n < 4_000; n++) allocator.take(65_534);
    } finally {
      Set.prototype.has = has;
    }
    expect(looks).toBeLessThan(3 * 4_000);
  });
});

describe("addressesOf", () => {
  it("leaves out network and broadcast of IPv4, and has nothing for a number that does not fit", () => {
    const guests = { ipv4: "10.66.0.0/30", ipv6: "fd00::/64" };
    expect(nodeAddressesOf(guests)).toEqual(["10.66.0.1/30", "fd00::1/64"]);
    expect(addressesOf(2, guests)).toEqual(["10.66.0.2", "fd00::2"]);
    expect(addressesOf(3, guests)).toBeUndefined();
    expect(addressesOf(0, guests)).toBeUndefined();
    expect(addressesOf(300, { ipv4: "10.66.0.0/16", ipv6: "fd00::/120" })).toBeUndefined();
    expect(addressesOf(65_534, { ipv4: "10.66.0.0/16", ipv6: null })).toEqual(["10.66.255.254"]);
  });
});
