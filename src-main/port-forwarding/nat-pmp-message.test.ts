import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeNatPmpAnswer,
  encodeNatPmpAddressRequest,
  encodeNatPmpMap,
  encodeNatPmpUnmap,
} from "./nat-pmp-message.ts";

describe("NAT-PMP requests", () => {
  it("have the octets of RFC 6886, sections 3.2 to 3.4", () => {
    expect(encodeNatPmpAddressRequest().toString("hex")).toBe("0000");
    const request = {
      transport: "udp",
      internalPort: 51820,
      suggestedExternalPort: 51821,
      lifetimeSeconds: 7200,
    } as const;
    expect(encodeNatPmpMap(request).toString("hex")).toBe("00010000ca6cca6d00001c20");
    expect(encodeNatPmpUnmap({ transport: "tcp", internalPort: 51820 }).toString("hex")).toBe(
      "00020000ca6c000000000000",
    );
  });
});

describe("decodeNatPmpAnswer", () => {
  // Recorded from miniupnpd 2.3.1 in its first second.
  it("reads the external address and a mapping", () => {
    expect(decodeNatPmpAnswer(Buffer.from("00800000000000000b162102", "hex"))).toEqual({
      kind: "address",
      epochSeconds: 0,
      externalAddress: "11.22.33.2",
    });
    expect(decodeNatPmpAnswer(Buffer.from("0081000000000000ca6eca6e00001c20", "hex"))).toEqual({
      kind: "map",
      transport: "udp",
      epochSeconds: 0,
      internalPort: 51822,
      externalPort: 51822,
      lifetimeSeconds: 7200,
    });
  });

  it("reads an error that is as short as some routers make it", () => {
    expect(decodeNatPmpAnswer(Buffer.from("0081000300000007", "hex"))).toEqual({
      kind: "error",
      about: "udp",
      resultCode: 3,
      epochSeconds: 7,
    });
  });

  it("gives nothing for every truncation of an answer", () => {
    for (const hex of ["00800000000000000b162102", "0081000000000000ca6eca6e00001c20"]) {
      const whole = Buffer.from(hex, "hex");
      for (let length = 0; length < whole.length; length++) {
        expect(decodeNatPmpAnswer(whole.subarray(0, length)), `${length} octets`).toBeUndefined();
      }
    }
  });

  it("never throws, whatever arrives", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(0x80, 0x81, 0x82, 0xff), (octets, opcode) => {
        if (octets.length > 1) octets.set([0, opcode]);
        const answer = decodeNatPmpAnswer(octets);
        if (answer?.kind === "map") expect(answer.externalPort).toBeLessThanOrEqual(65_535);
      }),
      { numRuns: 2_000 },
    );
  });
});
