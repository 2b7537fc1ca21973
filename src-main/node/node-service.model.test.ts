/** The node under random sequences of what owners, helpers and networks do. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { phaseStateSchema } from "../../src-shared/model/node-state.ts";
import { HOME, observation } from "../routing/testing/observation.ts";
import { LONGEST_WAIT_MS } from "./recovery-ladder.ts";
import { NodeRig, settled } from "./testing/node-rig.ts";

/** As often as health has everything compared. */
const CHECK_EVERY_MS = 30_000;

/** What the owner wants is all that the model needs to know. */
interface Model {
  wanted: boolean;
}

class Step implements fc.AsyncCommand<Model, NodeRig> {
  readonly #name: string;
  readonly #act: (rig: NodeRig, model: Model) => unknown;
  readonly #letSettle: boolean;

  constructor(name: string, letSettle: boolean, act: (rig: NodeRig, model: Model) => unknown) {
    this.#name = name;
    this.#letSettle = letSettle;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, rig: NodeRig): Promise<void> {
    await this.#act(rig, model);
    if (this.#letSettle) await settled();
    expect(rig.helper.mostAtOnce).toBeLessThanOrEqual(1);
    expect(rig.memory.wanted).toBe(model.wanted);
    const { phase } = rig.node.state;
    if (phase === "stopped") expect(rig.helper.applied).toBeUndefined();
    if (phase === "stopped" || phase === "failed") expect(rig.answeringAt).toBeUndefined();
    expect(rig.clock.pending).toBeLessThanOrEqual(2);
  }

  toString(): string {
    return this.#letSettle ? `${this.#name}, settle` : this.#name;
  }
}

function step(name: string, act: (rig: NodeRig, model: Model) => unknown) {
  return fc.boolean().map((letSettle) => new Step(name, letSettle, act));
}

const SWITCHED_ON = step("on", (rig, model) => {
  model.wanted = true;
  void rig.node.on();
});
const SWITCHED_OFF = step("off", (rig, model) => {
  model.wanted = false;
  void rig.node.off();
});

const steps = [
  SWITCHED_ON,
  SWITCHED_OFF,
  step("lose the helper", (rig) => rig.helper.lose()),
  step("add a client", (rig) => {
    rig.clients++;
    rig.node.refresh();
  }),
  step("no network", (rig) => {
    rig.helper.machine = observation([], []);
    rig.helper.changeNetwork();
  }),
  step("network", (rig) => {
    rig.helper.machine = HOME;
    rig.helper.changeNetwork();
  }),
  step("no helper", (rig) => {
    rig.helper.refusal = { code: "helper-not-started", message: "It does not start." };
  }),
  step("permission refused", (rig) => {
    rig.helper.refusal = { code: "permission-refused", message: "No." };
  }),
  step("helper", (rig) => {
    rig.helper.refusal = undefined;
  }),
  step("apply fails", (rig) => rig.helper.failNext("apply", "firewall-refused")),
  step("apply is refused", (rig) => rig.helper.failNext("apply", "port-in-use")),
  step("DNS port taken", (rig) => rig.dnsErrors.push("dns-port-taken")),
  step("a planner's mistake", async (rig) => {
    rig.planFails = new Error("a mistake");
    await settled();
    rig.planFails = undefined;
  }),
  fc.integer({ min: 1, max: 40_000 }).map((ms) => new Step(`${ms} ms`, true, (rig) => rig.clock.advance(ms))),
];

/** Whatever went wrong is over. */
function heal(rig: NodeRig): void {
  rig.helper.refusal = undefined;
  rig.helper.machine = HOME;
  rig.helper.forgetFailures();
  rig.dnsErrors.length = 0;
}

function play(end: (rig: NodeRig, model: Model) => Promise<void>) {
  return fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 30 }), async (commands) => {
      const rig = new NodeRig();
      const model = { wanted: false };
      await fc.asyncModelRun(() => ({ model, real: rig }), commands);
      heal(rig);
      await end(rig, model);
      expect(rig.helper.mostAtOnce).toBeLessThanOrEqual(1);
      for (const state of rig.states) phaseStateSchema.parse(state);
    }),
    { numRuns: 150 },
  );
}

function expectNothingLeft(rig: NodeRig): void {
  expect(rig.node.state.phase).toBe("stopped");
  expect(rig.helper.applied).toBeUndefined();
  expect(rig.answeringAt).toBeUndefined();
  expect(rig.memory.dirty).toBe(false);
  expect(rig.clock.pending).toBe(0);
}

describe("whatever happens", () => {
  it("a node that is switched off in the end has left nothing applied", async () => {
    await play(async (rig) => {
      expect((await rig.node.off()).ok).toBe(true);
      expectNothingLeft(rig);
    });
  });

  it("a node that is switched off and on in the end shares, over the connection it has", async () => {
    await play(async (rig) => {
      await rig.node.off();
      expect((await rig.node.on()).ok).toBe(true);
      expect(rig.node.state.phase).toBe("running");
      expect(rig.helper.holder).toBe(rig.helper.connected);
      expect(rig.helper.applied?.wireguard.peers).toHaveLength(rig.clients);
    });
  });

  it("a node that is to share does so by itself once all is well, unless a person has refused", async () => {
    await play(async (rig, model) => {
      for (let ms = 0; ms <= LONGEST_WAIT_MS + CHECK_EVERY_MS; ms += CHECK_EVERY_MS) {
        rig.node.refresh();
        await rig.clock.advance(CHECK_EVERY_MS);
        await settled();
      }
      const { state } = rig.node;
      if (!model.wanted) return expect(["stopped", "failed"]).toContain(state.phase);
      const reasons = state.phase === "failed" ? [state.error] : state.phase === "degraded" ? state.problems : [];
      if (reasons.some(({ code }) => code === "permission-refused")) return;
      expect(state.phase).toBe("running");
      expect(rig.node.recovery).toEqual({ state: "idle" });
    });
  });

  it("a node that is disposed of keeps nothing but what the owner wants", async () => {
    await play(async (rig, model) => {
      await rig.helper.ensure();
      await rig.node.dispose();
      expectNothingLeft(rig);
      expect(rig.memory.wanted).toBe(model.wanted);
      expect(rig.helper.listeners).toBe(0);
    });
  });
});
