import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkDatagrams,
  DATAGRAMS_TYPE,
  type Datagram,
  decodeDatagrams,
  encodeDatagrams,
  MAX_DATAGRAM_BYTES,
  MAX_MESSAGE_BYTES,
  walkDatagrams,
} from "./frame.ts";

const datagram: fc.Arbitrary<Datagram> = fc.record({
  session: fc.nat({ max: 0xffff }),
  payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
});

function plain(datagrams: readonly Datagram[]) {
  return datagrams.map(({ session, payload }) => ({ session, payload: [...payload] }));
}

function decoded(message: Uint8Array) {
  const result = decodeDatagrams(message);
  return result.ok ? plain(result.value) : result.error.code;
}

describe("datagram messages", () => {
  it("come back as they were sent, whatever their number, sessions and bytes", () => {
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 40 }), (datagrams) => {
        expect(decoded(encodeDatagrams(datagrams))).toEqual(plain(datagrams));
      }),
      { numRuns: 1000 },
    );
  });

  it("carry one datagram alone, whatever its first byte says", () => {
    for (let first = 0; first < 100; first++) {
      const payload = Uint8Array.from([first, 1, 0, 148, 1, 0, 0, 0]);
      expect(decoded(encodeDatagrams([{ session: first, payload }]))).toEqual([
        { session: first, payload: [...payload] },
      ]);
    }
  });

  it("have exactly the bytes of the format", () => {
    const message = encodeDatagrams([
      { session: 0x0102, payload: Uint8Array.of(9) },
      { session: 3, payload: Uint8Array.of(7, 8) },
    ]);
    expect([...message]).toEqual([1, 1, 2, 0, 1, 9, 0, 3, 0, 2, 7, 8]);
  });

  it("carry the longest datagram and refuse a longer one, an empty one and a session that is none", () => {
    expect(decoded(encodeDatagrams([{ session: 1, payload: new Uint8Array(MAX_DATAGRAM_BYTES) }]))).toHaveLength(1);
    expect(() => encodeDatagrams([{ session: 1, payload: new Uint8Array(MAX_DATAGRAM_BYTES + 1) }])).toThrow(
      RangeError,
    );
    expect(() => encodeDatagrams([{ session: 1, payload: new Uint8Array(0) }])).toThrow(RangeError);
    for (const session of [-1, 65536, 1.5, Number.NaN]) {
      expect(() => encodeDatagrams([{ session, payload: Uint8Array.of(1) }])).toThrow(RangeError);
    }
  });

  it("are refused when cut short anywhere but between two datagrams", () => {
    fc.assert(
      fc.property(fc.array(datagram, { minLength: 1, maxLength: 4 }), (datagrams) => {
        const message = encodeDatagrams(datagrams);
        const ends = new Set<number>([1]);
        walkDatagrams(message, (_session, _start, end) => ends.add(end));
        for (let length = 0; length < message.length; length++) {
          expect(checkDatagrams(message.subarray(0, length)) === undefined).toBe(ends.has(length));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("name what is wrong with them", () => {
    expect(decoded(new Uint8Array(0))).toBe("message-empty");
    expect(decoded(Uint8Array.of(3, 0, 1, 0, 1, 5))).toBe("wrong-type");
    expect(decoded(Uint8Array.of(DATAGRAMS_TYPE, 0, 1, 0, 0))).toBe("datagram-empty");
    expect(decoded(Uint8Array.of(DATAGRAMS_TYPE, 0, 1, 0, 2, 5))).toBe("datagram-truncated");
    expect(decoded(Uint8Array.of(DATAGRAMS_TYPE, 0, 1, 0))).toBe("datagram-truncated");
    expect(decoded(new Uint8Array(MAX_MESSAGE_BYTES + 1).fill(1))).toBe("message-too-long");
  });

  it("hand on nothing when a later datagram is malformed", () => {
    let visited = 0;
    const message = Uint8Array.of(DATAGRAMS_TYPE, 0, 1, 0, 1, 5, 0, 1, 0, 9);
    expect(walkDatagrams(message, () => visited++)).toBe("datagram-truncated");
    expect(visited).toBe(0);
  });

  it("survive 100,000 random messages: payloads lie inside the message and nothing is copied", () => {
    // Half of the bytes are drawn from a few small values, so that headers often make sense.
    const byte = fc.oneof(fc.constantFrom(0, 1, 2, 3, 5), fc.nat({ max: 255 }));
    const message = fc
      .tuple(fc.boolean(), fc.array(byte, { maxLength: 24 }))
      .map(([typed, bytes]) => Uint8Array.from(typed ? [DATAGRAMS_TYPE, ...bytes] : bytes));
    let wellFormed = 0;
    fc.assert(
      fc.property(message, (bytes) => {
        let covered = 1;
        const fault = walkDatagrams(bytes, (session, start, end) => {
          if (session < 0 || session > 0xffff || start !== covered + 4 || end <= start || end > bytes.length) {
            throw new Error(`range ${start} to ${end} of session ${session}`);
          }
          covered = end;
        });
        if (fault !== undefined) return;
        wellFormed++;
        if (covered !== bytes.length) throw new Error("bytes were left over");
        const result = decodeDatagrams(bytes);
        if (!result.ok || result.value.some(({ payload }) => payload.buffer !== bytes.buffer))
          throw new Error("copied");
      }),
      { numRuns: 100_000 },
    );
    expect(wellFormed).toBeGreaterThan(1000);
  });
});
