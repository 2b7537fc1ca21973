import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePcpAnswer, encodePcpAnnounce, encodePcpMap, MAX_PCP_BYTES } from "./pcp-message.ts";

const NONCE = Buffer.from("000102030405060708090a0b", "hex");
const CLIENT = "192.168.77.10";

/** Recorded from miniupnpd 2.3.1 in its first second, which had mapped UDP 51820 for an hour. */
const GRANTED =
  "0281000000000e1000000000000000000000000000000000000102030405060708090a0b11000000ca6cca6c" +
  "00000000000000000000ffff0b162102";

describe("encodePcpMap", () => {
  it("writes the octets of RFC 6887, sections 7.1 and 11.1", () => {
    const message = encodePcpMap({
      clientAddress: CLIENT,
      nonce: NONCE,
      transport: "udp",
      internalPort: 51820,
      suggestedExternalPort: 51821,
      lifetimeSeconds: 7200,
    });
    expect(message.toString("hex")).toBe(
      "0201000000001c2000000000000000000000ffffc0a84d0a000102030405060708090a0b11000000ca6cca6d" +
        "00000000000000000000ffff00000000",
    );
  });

  it("asks for an IPv6 pinhole with the unspecified IPv6 address", () => {
    const message = encodePcpMap({
      clientAddress: "2a0a:77::10",
      nonce: NONCE,
      transport: "tcp",
      internalPort: 1,
      suggestedExternalPort: 0,
      lifetimeSeconds: 0,
    });
    expect(message.subarray(8, 24).toString("hex")).toBe("2a0a0077000000000000000000000010");
    expect(message[36]).toBe(6);
    expect(message.subarray(44).toString("hex")).toBe("0".repeat(32));
  });
});

describe("decodePcpAnswer", () => {
  it("reads a granted mapping", () => {
    expect(decodePcpAnswer(Buffer.from(GRANTED, "hex"))).toEqual({
      opcode: "map",
      resultCode: 0,
      lifetimeSeconds: 3600,
      epochSeconds: 0,
      nonce: NONCE,
      transport: "udp",
      internalPort: 51820,
      externalPort: 51820,
      externalAddress: "11.22.33.2",
    });
  });

  it("skips options behind the mapping", () => {
    const withOption = Buffer.concat([Buffer.from(GRANTED, "hex"), Buffer.from("0200000400000000", "hex")]);
    expect(decodePcpAnswer(withOption)).toMatchObject({ opcode: "map", externalPort: 51820 });
  });

  it("understands a NAT-PMP router that says it knows no version 2", () => {
    expect(decodePcpAnswer(Buffer.from("0081000100000005", "hex"))).toEqual({
      opcode: "unsupported-version",
      version: 0,
    });
  });

  it("takes no request for an answer", () => {
    expect(decodePcpAnswer(encodePcpAnnounce(CLIENT))).toBeUndefined();
  });

  it("gives nothing for every truncation of an answer", () => {
    const whole = Buffer.from(GRANTED, "hex");
    for (let length = 0; length < whole.length; length++) {
      expect(decodePcpAnswer(whole.subarray(0, length)), `${length} octets`).toBeUndefined();
    }
  });

  it("never throws, and gives only values in range, whatever arrives", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: MAX_PCP_BYTES + 8 }), fc.boolean(), (octets, dressed) => {
        if (dressed && octets.length > 3) octets.set([2, 0x81, 0, 0]);
        const answer = decodePcpAnswer(octets);
        if (answer?.opcode !== "map") return;
        expect(answer.externalPort).toBeLessThanOrEqual(65_535);
        expect(answer.nonce).toHaveLength(12);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is not changed afterwards by whoever owns the datagram", () => {
    const datagram = Buffer.from(GRANTED, "hex");
    const answer = decodePcpAnswer(datagram);
    datagram.fill(0xff);
    expect(answer).toMatchObject({ nonce: NONCE });
  });
});
