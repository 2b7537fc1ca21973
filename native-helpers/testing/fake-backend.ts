/** A backend that changes nothing, tells what it was asked, and takes as long as the test wants. */
import type { ApplyResult, NetworkChange, RestoreResult } from "../../src-shared/helper/protocol.ts";
import type {
  Capabilities,
  FirewallInspection,
  NetworkObservation,
  ObservedLimit,
  ObservedWireguard,
} from "../../src-shared/network-observation.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import type { ConnectionListener, NetworkBackend } from "../backend.ts";

export class FakeBackend implements NetworkBackend {
  /** Verbs in the order in which they began; `-` before one that began while another was under way. */
  readonly calls: string[] = [];
  owns = false;
  applyOutcome: Result<ApplyResult> = ok({
    changed: true,
    publicKey: "Gu3stKeyxxxxxxxxxxxxxxxxxxxxxxxxxxxx000000A=",
    implementation: "kernel",
    specHash: "0123456789abcdef",
    ipv6: { state: "on" },
  });
  /** Thrown by the next verb. */
  surprise: Error | undefined;
  /** Makes the answer to `observe` this much longer. */
  padding = "";
  readonly watchers = new Set<(kinds: NetworkChange["kinds"]) => void>();
  readonly connectionListeners = new Set<ConnectionListener>();
  #underWay = 0;
  #gate: Promise<void> = Promise.resolve();

  /** Verbs wait until the returned function is called. */
  hold(): () => void {
    let open = () => {};
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  ownsNetwork(): boolean {
    return this.owns;
  }

  capabilities(): Promise<Capabilities> {
    return this.#perform("capabilities", () => ({
      platform: "linux",
      kernelRelease: "6.1.0",
      programs: {},
      wireguard: "kernel",
      nat: { ipv4: true, ipv6: true },
      ipv6: true,
      tunDevice: true,
    }));
  }

  apply(spec: NetworkSpec): Promise<Result<ApplyResult>> {
    return this.#perform(`apply ${spec.wireguard.interfaceName}`, () => {
      if (this.applyOutcome.ok) this.owns = true;
      return this.applyOutcome;
    });
  }

  observe(): Promise<NetworkObservation> {
    return this.#perform("observe", () => ({
      atMs: 0,
      applied: null,
      wireguard: { state: "broken", reason: this.padding },
      forwarding: { ipv4: {}, ipv6: null },
      firewall: { ipv4: { state: "absent" }, ipv6: { state: "absent" } },
      links: [],
      routes: [],
    }));
  }

  observePeers(): Promise<ObservedWireguard> {
    return this.#perform("observe-peers", () => ({ state: "absent" }));
  }

  observeLimit(): Promise<ObservedLimit> {
    return this.#perform("observe-limit", () => ({ atMs: 0, down: null, up: null }));
  }

  greet(): Promise<void> {
    return this.#perform("greet", () => undefined);
  }

  restore(): Promise<RestoreResult> {
    return this.#perform("restore", () => {
      this.owns = false;
      return { undone: [], failed: [] };
    });
  }

  inspectFirewall(): Promise<FirewallInspection> {
    return this.#perform("inspect-firewall", () => ({ owners: [], policies: {}, obstacles: [], unreadable: [] }));
  }

  watch(listener: (kinds: NetworkChange["kinds"]) => void): () => void {
    this.watchers.add(listener);
    return () => this.watchers.delete(listener);
  }

  watchConnections(listener: ConnectionListener): () => void {
    this.connectionListeners.add(listener);
    return () => this.connectionListeners.delete(listener);
  }

  async #perform<T>(name: string, finish: () => T): Promise<T> {
    this.calls.push(this.#underWay > 0 ? `-${name}` : name);
    this.#underWay++;
    try {
      await this.#gate;
      if (this.surprise !== undefined) {
        const { surprise } = this;
        this.surprise = undefined;
        throw surprise;
      }
      return finish();
    } finally {
      this.#underWay--;
    }
  }
}
