import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipcContract } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import { applyDelta, type ClientsDelta, type ClientsState, clientsEvent } from "./clients-event.ts";
import { fakeClient } from "./testing/fake-node.ts";

function state(revision: number, value: Client[], run = "r1"): ClientsState {
  return { run, revision, value };
}

function numbered(...numbers: number[]): Client[] {
  return numbers.map((number) => fakeClient({ id: `c${number}`, name: `Client ${number}` }));
}

function deltaOf(sent: ClientsState, now: ClientsState): ClientsDelta {
  const event = clientsEvent(sent, now);
  expect(event.name).toBe("clients.delta");
  return ipcContract.clients.delta.payload.parse(event.payload);
}

describe("what a connection is told of the clients", () => {
  it("is the whole list first, and after another run of the node", () => {
    const now = state(4, numbered(1, 2));
    expect(clientsEvent(undefined, now)).toEqual({ name: "clients.changed", payload: now });
    expect(clientsEvent(state(3, numbered(1, 2), "r0"), now).name).toBe("clients.changed");
  });

  it("names who changed, who came and who went", () => {
    const before = numbered(1, 2, 3, 4, 5, 6, 7, 8);
    const [one, two, ...rest] = before;
    if (one === undefined || two === undefined) throw new Error("no clients");
    const after = [one, { ...two, paused: true }, ...rest.slice(1), ...numbered(9)];
    expect(deltaOf(state(3, before), state(4, after))).toMatchObject({
      run: "r1",
      base: 3,
      revision: 4,
      changed: [{ id: "c2", paused: true }, { id: "c9" }],
      removed: ["c3"],
    });
  });

  it("is the whole list where that is not longer", () => {
    expect(clientsEvent(state(1, numbered(1)), state(2, [])).name).toBe("clients.changed");
    expect(clientsEvent(state(1, numbered(1, 2, 3, 4)), state(2, numbered(1))).name).toBe("clients.changed");
  });

  it("is the whole list where the order is another", () => {
    expect(clientsEvent(state(1, numbered(1, 2, 3)), state(2, numbered(1, 3, 2))).name).toBe("clients.changed");
  });

  it("leads to the same list and is shorter, whatever has happened", () => {
    const list = fc.uniqueArray(fc.tuple(fc.nat(12), fc.nat(2)), { selector: ([number]) => number, maxLength: 10 });
    fc.assert(
      fc.property(list, list, (before, after) => {
        const clients = (entries: [number, number][]) =>
          entries.map(([number, rxBytes]) => fakeClient({ id: `c${number}`, usage: { rxBytes, txBytes: 0 } }));
        const sent = state(1, clients(before));
        const now = state(2, clients(after));
        const { name, payload } = clientsEvent(sent, now);
        if (name === "clients.changed") {
          expect(payload).toBe(now);
          return;
        }
        const delta = ipcContract.clients.delta.payload.parse(payload);
        expect(applyDelta(sent.value, delta)).toEqual(now.value);
        expect(JSON.stringify(delta).length).toBeLessThan(JSON.stringify(now).length + 50);
      }),
    );
  });
});
