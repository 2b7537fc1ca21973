/** A helper with a machine of its own behind it, for tests of the node: no socket, no privileges, and it fails as told. */
import type { ApplyResult, HelperParams, HelperResult, HelperVerb } from "../../../src-shared/helper/protocol.ts";
import type { NetworkObservation, ObservedPeer, ObservedWireguard } from "../../../src-shared/network-observation.ts";
import { type NetworkSpec, networkSpecSchema } from "../../../src-shared/network-spec.ts";
import { fail, type HiggsError, ok, type Result } from "../../../src-shared/result.ts";
import { HOME } from "../../routing/testing/observation.ts";
import type { NodeHelper } from "../node-surroundings.ts";

type Connection = Pick<NodeHelper, "call">;
/** What the node asks; the fake answers nothing else. */
type Verb = "subscribe" | "observe" | "observe-peers" | "apply" | "restore";

/** After these the machine is as it was before the apply. */
const LOOKED_FIRST: ReadonlySet<string> = new Set(["port-in-use", "prefix-conflict"]);

export const SERVER_KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

export class FakeHelper implements NodeHelper {
  /** Every verb asked, in order; `ensure` where a connection was asked for. */
  readonly calls: string[] = [];
  /** The spec on the machine. */
  applied: NetworkSpec | undefined;
  /** The connection for which it is held. */
  holder: Connection | undefined;
  /** The machine without us. */
  machine: NetworkObservation = HOME;
  peers: ObservedPeer[] = [];
  ipv6: ApplyResult["ipv6"] = { state: "on" };
  /** What `restore` cannot undo. */
  stuck: string[] = [];
  /** Why no helper can be had; each `ensure` asks. */
  refusal: HiggsError | undefined;
  /** While set, every answer waits for it. */
  hold: Promise<unknown> | undefined;
  /** Calls under way at once, peers aside: those come between. */
  mostAtOnce = 0;
  prompts = false;
  /** The tunnel went with the helper. */
  interfaceGone = false;
  /** Bends what is observed while a spec is applied. */
  distort: (seen: NetworkObservation) => NetworkObservation = (seen) => seen;
  readonly #failures = new Map<string, HiggsError[]>();
  readonly #lost = new Set<() => void>();
  readonly #changed = new Set<() => void>();
  #connected: Connection | undefined;
  #underWay = 0;

  get connected(): Connection | undefined {
    return this.#connected;
  }

  /** Listeners that are left: 0 after the node was disposed of. */
  get listeners(): number {
    return this.#lost.size + this.#changed.size;
  }

  count(verb: string): number {
    return this.calls.filter((call) => call === verb).length;
  }

  /** What an apply says of the limits; nothing where nobody is limited. */
  limits: ApplyResult["limits"];

  /** The next `times` calls of `verb` fail with `code`. */
  failNext(verb: Verb, code: string, times = 1): void {
    const errors = Array.from({ length: times }, () => ({ code, message: `${verb} failed as told` }));
    this.#failures.set(verb, [...(this.#failures.get(verb) ?? []), ...errors]);
  }

  forgetFailures(): void {
    this.#failures.clear();
  }

  /** The helper dies: what it applied stays, and what was asked gets no answer. */
  lose(): void {
    if (this.#connected === undefined) return;
    this.#connected = undefined;
    for (const listener of this.#lost) listener();
  }

  changeNetwork(): void {
    for (const listener of this.#changed) listener();
  }

  /** The connection is lost and another one stands, before the node comes to look. */
  reconnect(): void {
    this.#connected = undefined;
    this.#connect();
    for (const listener of this.#lost) listener();
  }

  restart(): void {
    this.calls.push("restart");
    this.#connected = undefined;
  }

  async ensure(): Promise<Result<unknown>> {
    if (this.#connected !== undefined) return ok(undefined);
    this.calls.push("ensure");
    await this.hold;
    if (this.refusal !== undefined) return { ok: false, error: this.refusal };
    this.#connect();
    return ok(undefined);
  }

  async call<V extends HelperVerb>(verb: V, params: HelperParams<V>): Promise<Result<HelperResult<V>>> {
    const ensured = await this.ensure();
    if (!ensured.ok) return ensured;
    const connection = this.#connected;
    if (connection === undefined) return fail("helper-lost", "The helper has died.");
    return this.#ask(connection, verb, params);
  }

  onLost(listener: () => void): () => void {
    this.#lost.add(listener);
    return () => this.#lost.delete(listener);
  }

  onNetworkChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  #connect(): void {
    if (this.#connected !== undefined) return;
    const connection: Connection = { call: (verb, params) => this.#ask(connection, verb, params) };
    this.#connected = connection;
  }

  async #ask<V extends HelperVerb>(
    connection: Connection,
    verb: V,
    params: HelperParams<V>,
  ): Promise<Result<HelperResult<V>>> {
    this.calls.push(verb);
    const counts = verb !== "observe-peers";
    if (counts) this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    try {
      await this.hold;
      await Promise.resolve();
      if (this.#connected !== connection) return fail("helper-lost", "The helper has died.");
      const told = this.#failures.get(verb)?.shift();
      if (told !== undefined) {
        if (verb === "apply" && !LOOKED_FIRST.has(told.code)) this.#clear();
        return { ok: false, error: told };
      }
      return this.#answer(connection, verb, params) as Result<HelperResult<V>>;
    } finally {
      if (counts) this.#underWay--;
    }
  }

  #answer(connection: Connection, verb: HelperVerb, params: unknown): Result<unknown> {
    switch (verb) {
      case "subscribe":
        return ok({});
      case "observe":
        return ok(this.#observe());
      case "observe-peers":
        return ok(this.#observe().wireguard);
      case "apply": {
        const { spec } = params as { spec: unknown };
        this.applied = networkSpecSchema.parse(spec);
        this.holder = connection;
        return ok({
          changed: true,
          publicKey: SERVER_KEY,
          implementation: "kernel",
          specHash: hashOf(this.applied),
          ipv6: this.ipv6,
          ...(this.limits === undefined ? {} : { limits: this.limits }),
        } satisfies ApplyResult);
      }
      case "restore":
        if (this.stuck.length > 0) return ok({ undone: [], failed: this.stuck });
        this.#clear();
        return ok({ undone: ["interface higgs0"], failed: [] });
      default:
        return fail("unknown-verb", `This fake knows no ${verb}.`);
    }
  }

  #clear(): void {
    this.applied = undefined;
    this.holder = undefined;
    this.peers = [];
  }

  #observe(): NetworkObservation {
    const spec = this.applied;
    if (spec === undefined) return this.machine;
    const ipv6 = this.ipv6.state !== "failed";
    return this.distort({
      ...this.machine,
      applied: { specHash: hashOf(spec) },
      wireguard: this.#wireguard(spec),
      forwarding: {
        ipv4: Object.fromEntries([spec.wireguard.interfaceName, ...spec.exit.uplinks].map((name) => [name, true])),
        ipv6,
      },
      firewall: { ipv4: { state: "matches" }, ipv6: { state: ipv6 ? "matches" : "absent" } },
    });
  }

  #wireguard({ wireguard }: NetworkSpec): ObservedWireguard {
    const known = new Map(this.peers.map((peer) => [peer.publicKey, peer]));
    return {
      state: "present",
      implementation: "kernel",
      up: true,
      mtu: wireguard.mtu,
      addresses: wireguard.addresses,
      listenPort: wireguard.listenPort,
      publicKey: SERVER_KEY,
      peers: wireguard.peers.map(
        ({ publicKey, allowedIps }) =>
          known.get(publicKey) ?? {
            publicKey,
            endpoint: null,
            allowedIps,
            latestHandshakeAtMs: null,
            rxBytes: 0,
            txBytes: 0,
          },
      ),
    };
  }
}

function hashOf(spec: NetworkSpec): string {
  return JSON.stringify(spec);
}
