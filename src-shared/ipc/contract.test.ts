import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { callShapes, eventShapes, ipcContract } from "./contract.ts";
import { ipcMessageSchema, ipcRequestSchema, SUBSCRIBE } from "./wire.ts";

const members = Object.entries(ipcContract).flatMap(([group, shapes]) =>
  Object.entries(shapes).map(([name, shape]) => ({ name: `${group}.${name}`, shape })),
);

describe("the contract", () => {
  it("gives every member a shape, once, as a call or as an event", () => {
    const names = members.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...callShapes.keys(), ...eventShapes.keys()].sort()).toEqual([...names].sort());
    for (const name of callShapes.keys()) expect(eventShapes.has(name)).toBe(false);
  });

  it("names members so that they fit the wire and none is taken for a subscription", () => {
    for (const { name } of members) {
      expect(name).toMatch(/^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/);
      expect(ipcRequestSchema.safeParse({ id: 0, call: name }).success).toBe(true);
      expect(name).not.toBe(SUBSCRIBE);
    }
  });

  it("has zod schemas for everything that crosses", () => {
    for (const { input, output } of callShapes.values()) {
      expect(input).toBeInstanceOf(z.ZodType);
      expect(output).toBeInstanceOf(z.ZodType);
    }
    for (const { payload } of eventShapes.values()) expect(payload).toBeInstanceOf(z.ZodType);
  });

  it("knows no call that an object merely inherits", () => {
    for (const name of ["__proto__", "constructor", "node.constructor", "toString", "node.__proto__"]) {
      expect(callShapes.has(name)).toBe(false);
      expect(eventShapes.has(name)).toBe(false);
    }
  });

  it("takes no input with fields that no call has", () => {
    for (const { input } of callShapes.values()) {
      expect(input.safeParse({ name: "x", changes: {}, surplus: 1 }).success).toBe(false);
      expect(input.safeParse(JSON.parse('{"__proto__":{"a":1}}')).success).toBe(false);
    }
  });

  it("never crashes on an input, and pollutes nothing", () => {
    const calls = [...callShapes.values()];
    fc.assert(
      fc.property(fc.constantFrom(...calls), fc.anything({ withNullPrototype: true }), ({ input }, odd) => {
        input.safeParse(odd);
      }),
    );
    const parsed = callShapes
      .get("settings.set")
      ?.input.safeParse(JSON.parse('{"changes":{"__proto__":{"polluted":true},"constructor":1}}'));
    expect(parsed).toBeDefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("the wire", () => {
  it.each([
    { id: 1 },
    { id: "1", call: "node.on" },
    { id: -1, call: "node.on" },
    { id: 1, call: "x".repeat(65) },
    { id: 1, call: "node.on", extra: true },
    null,
    [],
  ])("refuses the request %j", (request) => {
    expect(ipcRequestSchema.safeParse(request).success).toBe(false);
  });

  it.each([
    { id: 1, ok: true },
    { id: null, ok: true, output: 1 },
    { id: 1, ok: false, error: { code: "Not A Code", message: "" } },
    { event: 1, payload: {} },
  ])("tells %j from an answer", (message) => {
    const parsed = ipcMessageSchema.safeParse(message);
    // An answer without output is one whose output is undefined: the contract decides whether that will do.
    expect(parsed.success && !("id" in message && message.ok === true && message.id === 1)).toBe(false);
  });
});
