import { describe, expect, it } from "vitest";
import type { Client } from "../../src-shared/model/client.ts";
import { FAKE_NOW, FakeNode, fakeClient } from "../ipc/testing/fake-node.ts";
import { followNode } from "./node-view.ts";

function follow(node: FakeNode) {
  const seen = { phases: [] as string[], languages: [] as string[], clients: [] as string[][] };
  const end = followNode(node, {
    onState: (state) => seen.phases.push(state.node.phase),
    onSettings: (settings) => seen.languages.push(settings.language),
    onClients: (clients: readonly Client[]) => seen.clients.push(clients.map(({ name }) => name)),
  });
  return { seen, end };
}

describe("what the tray knows of the node", () => {
  it("is what is so now, and then every change", () => {
    const node = new FakeNode();
    const { seen } = follow(node);
    node.setPhase({ phase: "stopping", since: FAKE_NOW });
    node.setClients([fakeClient({ name: "Anna" })]);
    expect(seen).toEqual({ phases: ["stopped", "stopping"], languages: ["system"], clients: [[], ["Anna"]] });
  });

  it("is nothing more after the end", () => {
    const node = new FakeNode();
    const { seen, end } = follow(node);
    end();
    node.setPhase({ phase: "stopping", since: FAKE_NOW });
    expect(seen.phases).toEqual(["stopped"]);
    expect(node.listeners).toBe(0);
  });
});
