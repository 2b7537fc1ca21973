/** A node without a network, for the hosts' own tests: the contract's behaviour, nothing behind it. */
import type { CallHandlers, EventName } from "../../../src-shared/ipc/contract.ts";
import { type Client, clientNameKey } from "../../../src-shared/model/client.ts";
import type { CheckResult, Diagnosis } from "../../../src-shared/model/diagnosis.ts";
import { HEALTH_NOT_LOOKED } from "../../../src-shared/model/health.ts";
import { changeLimit } from "../../../src-shared/model/limit.ts";
import type { ExitState, NodeState, PhaseState } from "../../../src-shared/model/node-state.ts";
import type { PortMappingState } from "../../../src-shared/model/port-mapping.ts";
import { DEFAULT_SETTINGS, type Settings, settingsSchema } from "../../../src-shared/model/settings.ts";
import { describeZodError, HiggsFailure, unwrap } from "../../../src-shared/result.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { PrivacyRig } from "../../privacy/testing/privacy-rig.ts";
import type { CallContext, NodeApi, NodeEvent } from "../node-api.ts";

const NO_TRAFFIC = { rxBytes: 0, txBytes: 0 };

export const FAKE_NOW = "2026-01-01T12:00:00.000Z";
const FAKE_KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

export const FAKE_EXIT: ExitState = {
  interfaceName: "higgs0",
  implementation: "kernel",
  listenPort: 51820,
  publicKey: FAKE_KEY,
  guestPrefixes: { ipv4: "10.66.0.0/16", ipv6: "fd12:3456:789a::/64" },
  uplink: { ipv4: "eth0", ipv6: null },
  reach: { endpoint: { host: "203.0.113.7", port: 51820 }, source: "owner" },
  ipv6: { state: "off", reason: { code: "no-ipv6-uplink", message: "this computer has no IPv6 connection" } },
  clients: { total: 2, connected: 1 },
  traffic: { rxBytes: 1_300_000, txBytes: 34_000_000 },
};

export function fakeClient(changes: Partial<Client> = {}): Client {
  return {
    id: "c1",
    name: "Anna's phone",
    publicKey: FAKE_KEY,
    addresses: ["10.66.0.2", "fd12:3456:789a::2"],
    createdAt: "2026-01-01T10:00:00.000Z",
    paused: false,
    connected: false,
    usage: { rxBytes: 0, txBytes: 0 },
    ...changes,
  };
}

export const FAKE_CHECKS: CheckResult[] = [
  {
    id: "system.privileges",
    group: "system",
    title: "May change the network",
    outcome: "pass",
    detail: "root",
    durationMs: 1,
  },
  {
    id: "wireguard.tools",
    group: "wireguard",
    title: "WireGuard tools are installed",
    outcome: "fail",
    detail: "wg was not found in PATH",
    fix: "apt install wireguard-tools",
    durationMs: 2,
  },
  {
    id: "nat.masquerade",
    group: "nat",
    title: "Guests are masqueraded",
    outcome: "skipped",
    detail: "sharing is off",
    durationMs: 0,
  },
];

const CONFIG = "[Interface]\nPrivateKey = secret\nAddress = 10.66.0.2/32\n\n[Peer]\nEndpoint = 203.0.113.7:51820\n";

export class FakeNode implements NodeApi {
  readonly handlers: CallHandlers<CallContext>;
  readonly calls: string[] = [];
  /** Signals of the calls that wait on `hold`. */
  readonly signals: AbortSignal[] = [];
  hold: Promise<void> | undefined;
  failNext: unknown;
  closed = 0;
  closing: Promise<void> = Promise.resolve();
  phase: PhaseState = { phase: "stopped", since: FAKE_NOW };
  clients: Client[] = [];
  settings: Settings = DEFAULT_SETTINGS;
  portMapping: PortMappingState = { state: "off" };
  /** The real thing, over a database in memory. */
  readonly privacy = new PrivacyRig();
  diagnosis: CheckResult[] = FAKE_CHECKS;
  run = "run-1";
  #revision = 0;
  #listeners = new Set<(name: EventName, payload: unknown) => void>();

  constructor() {
    const handlers: CallHandlers<CallContext> = {
      "node.state": async () => this.#state(),
      "node.on": async () => {
        this.setPhase({ phase: "running", since: FAKE_NOW, exit: FAKE_EXIT });
        return this.#state();
      },
      "node.off": async () => {
        this.setPhase({ phase: "stopped", since: FAKE_NOW });
        return this.#state();
      },
      "clients.list": async () => this.#revised(this.clients),
      "clients.add": async ({ name }) => {
        if (this.clients.some((client) => clientNameKey(client.name) === clientNameKey(name))) {
          throw new HiggsFailure({
            code: "client-exists",
            message: `there is a client named ${name} already`,
            hint: "Choose another name.",
          });
        }
        const number = this.clients.length + 2;
        const client = fakeClient({
          id: `c${number}`,
          name,
          addresses: [`10.66.0.${number}`, `fd12:3456:789a::${number}`],
        });
        this.setClients([...this.clients, client]);
        return client;
      },
      "clients.remove": async ({ name }) => {
        const client = this.#find(name);
        this.setClients(this.clients.filter((other) => other !== client));
        return client;
      },
      "clients.pause": async ({ name }) => this.#replace(name, { paused: true, connected: false }),
      "clients.resume": async ({ name }) => this.#replace(name, { paused: false }),
      "clients.config": async ({ name }) => ({
        client: this.#find(name),
        config: CONFIG,
        shownUntil: "2026-01-01T12:10:00.000Z",
      }),
      "limits.set": async ({ name, changes }) => {
        const { limit, quota } = this.#find(name);
        const { state, ...present } = limit ?? { state: "unlimited" };
        const { quota: nextQuota, ...rates } = unwrap(changeLimit(present, changes));
        const used = quota ?? { usedBytes: 0, since: "2026-01-01", exhausted: false };
        return this.#replace(name, {
          limit: { ...rates, state: "limited" },
          ...(nextQuota === undefined ? {} : { quota: { ...used, ...nextQuota } }),
        });
      },
      "limits.clear": async ({ name }) => {
        const { limit, quota, ...rest } = this.#find(name);
        this.setClients(this.clients.map((other) => (other.id === rest.id ? rest : other)));
        return rest;
      },
      "limits.list": async () =>
        this.clients.flatMap(({ id, name, limit, quota }) =>
          limit === undefined ? [] : { id, name, limit, ...(quota === undefined ? {} : { quota }) },
        ),
      "limits.test": async ({ name, seconds }) => ({
        name: this.#find(name).name,
        seconds,
        down: { limit: "10mbit", measured: "9800kbit", measuredBitsPerSecond: 9_800_000, verdict: "holds" },
        up: { limit: "5mbit", measured: "7mbit", measuredBitsPerSecond: 7_000_000, verdict: "off" },
      }),
      "settings.get": async () => this.#revised(this.settings),
      "settings.set": async ({ changes }) => {
        const parsed = settingsSchema.safeParse({ ...this.settings, ...changes });
        if (!parsed.success)
          throw new HiggsFailure({ code: "settings-invalid", message: describeZodError(parsed.error) });
        this.settings = parsed.data;
        this.#revision++;
        this.emit("settings.changed", this.#revised(this.settings));
        return this.#revised(this.settings);
      },
      ...this.privacy.handlers,
      "ports.refresh": async () => this.#state(),
      "node.restoreNetwork": async () => ({ left: [] }),
      "health.check": async () => HEALTH_NOT_LOOKED,
      "health.history": async () => ({ events: [], more: false }),
      "health.uptime": async () => [],
      "traffic.history": async ({ range }) => ({ range, stepSeconds: 2, points: [] }),
      "traffic.totals": async () => ({ today: NO_TRAFFIC, month: NO_TRAFFIC }),
      "host.facts": async () => ({ kind: "headless", canStartAtLogin: false, canKeepAwake: false }),
      "diagnose.cancel": async () => ({}),
      "diagnose.trace": async () => ({ verdict: "passes", reason: "Nothing stands in the way.", steps: [] }),
      "diagnose.selfTest": async () => ({ outcome: "pass", finishedAt: FAKE_NOW, steps: [] }),
      "diagnose.report": async () => ({ createdAt: FAKE_NOW, json: "{}", text: "" }),
      "diagnose.run": async () => {
        const checks = this.diagnosis;
        for (const [index, check] of checks.entries()) {
          this.emit("diagnose.progress", { done: index + 1, total: checks.length, check });
        }
        const outcome = checks.some((check) => check.outcome === "fail") ? "fail" : "pass";
        const diagnosis: Diagnosis = {
          version: "1.2.3",
          finishedAt: FAKE_NOW,
          nodePhase: this.phase.phase,
          outcome,
          checks,
        };
        return diagnosis;
      },
    };
    this.handlers = Object.fromEntries(
      Object.entries(handlers).map(([name, handler]) => [name, this.#watched(name, handler as Handler)]),
    ) as CallHandlers<CallContext>;
  }

  onEvent(listener: (name: EventName, payload: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  current(): NodeEvent[] {
    return [
      { name: "node.stateChanged", payload: this.#state() },
      { name: "clients.changed", payload: this.#revised(this.clients) },
      { name: "settings.changed", payload: this.#revised(this.settings) },
    ];
  }

  woke(): void {
    this.calls.push("woke");
  }

  close(): Promise<void> {
    this.closed++;
    return this.closing;
  }

  emit(name: EventName, payload: unknown): void {
    for (const listener of [...this.#listeners]) listener(name, payload);
  }

  setPhase(phase: PhaseState): void {
    this.phase = phase;
    this.#revision++;
    this.emit("node.stateChanged", this.#state());
  }

  setClients(clients: Client[]): void {
    this.clients = clients;
    this.#revision++;
    this.emit("clients.changed", this.#revised(clients));
  }

  #watched(name: string, handler: Handler): Handler {
    return async (input, context) => {
      this.calls.push(name);
      this.signals.push(context.signal);
      if (this.hold !== undefined) await this.hold;
      if (this.failNext !== undefined) {
        const thrown = this.failNext;
        this.failNext = undefined;
        throw thrown;
      }
      return await handler(input, context);
    };
  }

  #find(name: string): Client {
    const found = this.clients.find(
      (client) => client.id === name || clientNameKey(client.name) === clientNameKey(name),
    );
    if (found !== undefined) return found;
    throw new HiggsFailure({
      code: "client-unknown",
      message: `there is no client named ${name}`,
      hint: "See the names with: higgsnode client list",
    });
  }

  #replace(name: string, changes: Partial<Client>): Client {
    const client = { ...this.#find(name), ...changes };
    this.setClients(this.clients.map((other) => (other.id === client.id ? client : other)));
    return client;
  }

  #state() {
    const value: NodeState = {
      version: "1.2.3",
      node: this.phase,
      relay: { state: "off" },
      portMapping: this.portMapping,
      ...NOT_LOOKED,
    };
    return this.#revised(value);
  }

  #revised<T>(value: T) {
    return { run: this.run, revision: this.#revision, value };
  }
}

type Handler = (input: never, context: CallContext) => Promise<unknown>;
