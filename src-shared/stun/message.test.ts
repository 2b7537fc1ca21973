import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "../net/address.ts";
import {
  decodeBindingAnswer,
  decodeBindingRequest,
  encodeBindingAnswer,
  encodeBindingRequest,
  MAX_STUN_BYTES,
  sourceOf,
} from "./message.ts";

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const address = (text: string) => parseAddress(text) ?? expect.fail(`${text} is no address`);

/** RFC 5769, section 2: the transaction of its sample messages. */
const TRANSACTION = hex("b7e7a701bc34d686fa87dfae");
/** RFC 5769, section 2.2: sample answer over IPv4, with SOFTWARE, MESSAGE-INTEGRITY and FINGERPRINT. */
const IPV4_ANSWER = hex(
  "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643" +
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96",
);
/** RFC 5769, section 2.3: the same over IPv6. */
const IPV6_ANSWER = hex(
  "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa" +
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c",
);

describe("STUN messages", () => {
  it("are read as in the test vectors of RFC 5769", () => {
    expect(decodeBindingAnswer(IPV4_ANSWER, TRANSACTION)).toEqual({ host: "192.0.2.1", port: 32853 });
    expect(decodeBindingAnswer(IPV6_ANSWER, TRANSACTION)).toEqual({
      host: "2001:db8:1234:5678:11:2233:4455:6677",
      port: 32853,
    });
  });

  it("are refused when one octet under the fingerprint is another", () => {
    for (const at of [21, 44, 60, IPV4_ANSWER.length - 1]) {
      const changed = IPV4_ANSWER.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(decodeBindingAnswer(changed, TRANSACTION)).toBeUndefined();
    }
  });

  it("bring every address and port back unchanged, with and without fingerprint", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.integer({ min: 1, max: 65535 }),
        fc.boolean(),
        (transaction, text, port, fingerprint) => {
          const source = { address: address(text), port };
          const answer = encodeBindingAnswer({ transaction, fingerprint, unknown: [] }, source);
          expect(decodeBindingAnswer(answer, transaction)).toEqual({ host: formatAddress(source.address), port });
        },
      ),
    );
  });

  it("ask in 28 octets, and are answered in no more than twice as many", () => {
    const request = encodeBindingRequest(TRANSACTION);
    expect(request).toHaveLength(28);
    const decoded = decodeBindingRequest(request) ?? expect.fail("no request");
    expect(decoded).toEqual({ transaction: TRANSACTION, fingerprint: true, unknown: [] });
    expect(encodeBindingAnswer(decoded, { address: address("192.0.2.1"), port: 1 })).toHaveLength(40);
    expect(encodeBindingAnswer(decoded, { address: address("2001:db8::1"), port: 1 })).toHaveLength(52);
  });

  it("refuse attributes that would have to be understood, in an answer that is no larger for more of them", () => {
    const many = Array.from({ length: 100 }, (_, index) => 0x0040 + index);
    const answer = encodeBindingAnswer(
      { transaction: TRANSACTION, fingerprint: false, unknown: many },
      { address: address("192.0.2.1"), port: 1 },
    );
    expect([answer[0], answer[1], answer[26], answer[27]]).toEqual([1, 0x11, 4, 20]);
    expect(answer).toHaveLength(40);
    expect(decodeBindingAnswer(answer, TRANSACTION)).toBeUndefined();
  });

  it("are nothing when they are the answer to another question, a legacy question, or too long", () => {
    expect(decodeBindingAnswer(IPV4_ANSWER, hex("b7e7a701bc34d686fa87dfaf"))).toBeUndefined();
    const legacy = encodeBindingRequest(TRANSACTION);
    legacy[4] = 0;
    expect(decodeBindingRequest(legacy)).toBeUndefined();
    expect(decodeBindingRequest(new Uint8Array(MAX_STUN_BYTES + 4))).toBeUndefined();
  });

  it("never throw, whatever the octets are", () => {
    const start = encodeBindingRequest(TRANSACTION);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(28), (octets, kept) => {
        const message = Uint8Array.from([...start.subarray(0, kept), ...octets]);
        decodeBindingRequest(message);
        decodeBindingAnswer(message, TRANSACTION);
      }),
    );
  });

  it("know an IPv4 source in IPv6 clothes", () => {
    expect(sourceOf("::ffff:1.2.3.4")).toEqual(parseAddress("1.2.3.4"));
    expect(sourceOf("fe80::1%eth0")).toEqual(parseAddress("fe80::1"));
    expect(sourceOf("")).toBeUndefined();
  });
});
