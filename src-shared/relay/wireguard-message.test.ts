import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { receiverIndex, senderIndex, wireguardMessageType } from "./wireguard-message.ts";

function message(type: number, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  data.set([type, 0, 0, 0, 0x01, 0x02, 0x03, 0x84, 0x05, 0x06, 0x07, 0x08]);
  return data;
}

describe("the outside of a WireGuard message", () => {
  it("is known by type, reserved bytes and length", () => {
    expect(wireguardMessageType(message(1, 148))).toBe(1);
    expect(wireguardMessageType(message(2, 92))).toBe(2);
    expect(wireguardMessageType(message(3, 64))).toBe(3);
    expect(wireguardMessageType(message(4, 32))).toBe(4);
    expect(wireguardMessageType(message(4, 1408 + 32))).toBe(4);
    // A full packet is not padded beyond the sender's MTU, which is no multiple of 16 here.
    expect(wireguardMessageType(message(4, 1380 + 32))).toBe(4);
    for (const [type, bytes] of [
      [0, 148],
      [5, 148],
      [1, 147],
      [1, 149],
      [2, 93],
      [3, 65],
      [4, 31],
    ] as const) {
      expect(wireguardMessageType(message(type, bytes))).toBeUndefined();
    }
    const reserved = message(4, 32);
    reserved[2] = 1;
    expect(wireguardMessageType(reserved)).toBeUndefined();
  });

  it("tells the indices, little endian and unsigned", () => {
    expect(senderIndex(message(1, 148), 1)).toBe(0x84030201);
    expect(senderIndex(message(2, 92), 2)).toBe(0x84030201);
    expect(receiverIndex(message(2, 92), 2)).toBe(0x08070605);
    expect(receiverIndex(message(4, 32), 4)).toBe(0x84030201);
    expect(senderIndex(message(4, 32), 4)).toBeUndefined();
    expect(receiverIndex(message(1, 148), 1)).toBeUndefined();
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), (bytes) => {
        const type = wireguardMessageType(bytes);
        if (type !== undefined) receiverIndex(bytes, type);
      }),
    );
  });
});
