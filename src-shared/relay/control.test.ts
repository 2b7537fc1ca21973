import { deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  authTranscript,
  type ControlCompression,
  decodeControl,
  encodeControl,
  guestToServerSchema,
  MAX_CONTROL_BYTES,
  MAX_INFLATED_BYTES,
  nodeToServerSchema,
  type Registered,
  serverToNodeSchema,
} from "./control.ts";
import { DEFLATED_CONTROL_TYPE } from "./frame.ts";

const compression: ControlCompression = {
  deflateRaw: (bytes) => deflateRawSync(bytes),
  inflateRaw: (bytes, maxBytes) => inflateRawSync(bytes, { maxOutputLength: maxBytes }),
};
const KEY = "A".repeat(43);

function registered(sessions: number): Registered {
  return {
    type: "registered",
    udp: { host: "relay.example", port: 40000 },
    resume: "r1",
    resumed: true,
    sessions: Array.from({ length: sessions }, (_, index) => index),
    graceMs: 30_000,
    heartbeatMs: 15_000,
    features: [],
  };
}

function code(schema: typeof nodeToServerSchema, data: string | Uint8Array): string {
  const result = decodeControl(schema, data, compression);
  return result.ok ? "ok" : result.error.code;
}

describe("control messages", () => {
  it("travel as text while they are short", () => {
    const message = { type: "ping", id: 7 } as const;
    const data = encodeControl(message, compression);
    expect(data).toBe('{"type":"ping","id":7}');
    expect(decodeControl(nodeToServerSchema, data)).toEqual({ ok: true, value: message });
  });

  it("travel deflated when they are long and that makes them shorter, and come back the same", () => {
    for (const sessions of [200, 4096, 65536]) {
      const message = registered(sessions);
      const data = encodeControl(message, compression);
      if (typeof data === "string") {
        expect(data.length).toBeLessThanOrEqual(MAX_CONTROL_BYTES);
      } else {
        expect(data[0]).toBe(DEFLATED_CONTROL_TYPE);
        expect(data.length).toBeLessThanOrEqual(MAX_CONTROL_BYTES);
      }
      expect(decodeControl(serverToNodeSchema, data, compression)).toEqual({ ok: true, value: message });
      if (sessions === 4096) break;
    }
  });

  it("cannot be sent when they fit no frame", () => {
    expect(() => encodeControl(registered(60_000))).toThrow(RangeError);
  });

  it("are refused when too long, no JSON, of another direction, unknown, or with a field too many", () => {
    expect(code(nodeToServerSchema, " ".repeat(MAX_CONTROL_BYTES + 1))).toBe("control-too-long");
    expect(code(nodeToServerSchema, "ä".repeat(MAX_CONTROL_BYTES / 2 + 1))).toBe("control-too-long");
    expect(code(nodeToServerSchema, "{")).toBe("control-malformed");
    for (const text of [
      "null",
      "[]",
      '{"type":"challenge"}',
      '{"type":"ping"}',
      '{"type":"ping","id":-1}',
      '{"type":"ping","id":1,"x":1}',
      '{"type":"session-close","session":65536,"reason":"x"}',
      `{"type":"hello","protocol":"higgs-relay.v2","node":"${KEY}","nonce":"${KEY}"}`,
      `{"type":"hello","protocol":"higgs-relay.v1","node":"${KEY}=","nonce":"${KEY}"}`,
      '{"type":"auth","signature":"AA"}',
    ]) {
      expect(code(nodeToServerSchema, text), text).toBe("control-invalid");
    }
    const target = { type: "connect", protocol: "higgs-relay.v1", target: { port: 0 } };
    expect(decodeControl(guestToServerSchema, JSON.stringify(target)).ok).toBe(false);
  });

  it("never inflate beyond their cap", () => {
    const bomb = deflateRawSync(Buffer.alloc(MAX_INFLATED_BYTES + 1, 32), { level: 9 });
    expect(code(nodeToServerSchema, Uint8Array.from([DEFLATED_CONTROL_TYPE, ...bomb]))).toBe("control-malformed");
  });

  it("survive random text and random deflated bytes", () => {
    const deflated = fc
      .oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.string({ maxLength: 64 }).map((text) => Uint8Array.from(deflateRawSync(text))),
      )
      .map((bytes) => Uint8Array.from([DEFLATED_CONTROL_TYPE, ...bytes]));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), deflated), (data) => {
        expect(decodeControl(nodeToServerSchema, data, compression).ok).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  it("sign nothing twice: every field changes the transcript", () => {
    const base = { server: "relay.example", serverNonce: KEY, nodeNonce: KEY, node: KEY };
    const other = `B${KEY.slice(1)}`;
    const texts = [
      base,
      { ...base, server: "relay.example.org" },
      { ...base, serverNonce: other },
      { ...base, nodeNonce: other },
      { ...base, node: other },
    ].map(authTranscript);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts[0]).toMatch(/^higgs-relay\.v1 node authentication\n/);
  });
});
