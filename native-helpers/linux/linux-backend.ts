/**
 * plan → journal → change → read back, on Linux.
 *
 * The firewall goes in before the interface and forwarding, and comes out after them, so that guests
 * are never forwarded without the rules that keep them out of the home network.
 */
import type { Clock } from "../../src-shared/clock.ts";
import type { ApplyResult, NetworkChange, RestoreResult, TracedHop } from "../../src-shared/helper/protocol.ts";
import type { Family } from "../../src-shared/net/address.ts";
import type {
  Capabilities,
  FirewallInspection,
  NetworkObservation,
  ObservedFirewall,
  ObservedLimit,
  ObservedLimits,
  ObservedWireguard,
} from "../../src-shared/network-observation.ts";
import type { NetworkSpec } from "../../src-shared/network-spec.ts";
import { errorOf, fail, ok, type Result } from "../../src-shared/result.ts";
import type { ConnectionListener, NetworkBackend } from "../backend.ts";
import type { Journal } from "../journal.ts";
import type { OwnProgram } from "../own-program.ts";
import { readCapabilities } from "./capabilities.ts";
import { isAccountingKey, planAccounting } from "./conntrack-accounting.ts";
import { ConntrackWatch } from "./conntrack-watch.ts";
import { effectiveSpec, guestPrefixes, hashOf, withoutLimits, withoutPeers } from "./effective-spec.ts";
import { applyRules, compareRules, readTables, removeRules } from "./firewall.ts";
import { planRules } from "./firewall-plan.ts";
import { LastEndpoints } from "./greet.ts";
import { inspectFirewall } from "./inspect.ts";
import { readHeldPrefixes, readLink, readLinks, readRoutes } from "./ip-json.ts";
import { LinuxDiagnostics } from "./linux-diagnostics.ts";
import { isUdpPortFree, preflight } from "./preflight.ts";
import type { Run } from "./run.ts";
import { planForwarding, restoreSysctls, type SysctlTree, withoutUplinks } from "./sysctl.ts";
import { traceHops } from "./trace.ts";
import { TrafficControl } from "./traffic-control.ts";
import { ifbNameOf, isIfbName, planTraffic } from "./traffic-control-plan.ts";
import { NetworkWatch } from "./watch.ts";
import {
  configureInterface,
  ensureInterface,
  ensurePrivateKey,
  observeWireguard,
  removeInterface,
  syncWireguard,
} from "./wireguard.ts";

const DEFAULT_INTERFACE = "higgs0";

/** Failures that IPv4 does not share: the node goes on without IPv6. */
const IPV6_ALONE: ReadonlySet<string> = new Set(["ipv6-address-refused", "ipv6-forwarding-refused"]);

interface Applied {
  /** The spec as it was really applied: without IPv6 where that failed. */
  effective: NetworkSpec;
  hash: string;
  result: ApplyResult;
}

export interface LinuxBackendOptions {
  run: Run;
  clock: Clock;
  sysctls: SysctlTree;
  journal: Journal;
  stateDir: string;
  /** This helper's program, for what is tried as a guest. */
  program: OwnProgram;
  /** Whether a UDP port can be bound on this machine; handed in by tests. */
  isPortFree?: (port: number) => Promise<boolean>;
}

export class LinuxBackend implements NetworkBackend {
  readonly #run: Run;
  readonly #clock: Clock;
  readonly #sysctls: SysctlTree;
  readonly #journal: Journal;
  readonly #stateDir: string;
  readonly #isPortFree: (port: number) => Promise<boolean>;
  readonly #endpoints = new LastEndpoints();
  readonly #connections: ConntrackWatch;
  readonly #traffic: TrafficControl;
  readonly diagnostics: LinuxDiagnostics;
  #applied: Applied | undefined;

  constructor({ run, clock, sysctls, journal, stateDir, program, isPortFree = isUdpPortFree }: LinuxBackendOptions) {
    this.#run = run;
    this.#clock = clock;
    this.#sysctls = sysctls;
    this.#journal = journal;
    this.#stateDir = stateDir;
    this.#isPortFree = isPortFree;
    this.#connections = new ConntrackWatch({ clock });
    this.#traffic = new TrafficControl({ run, stateDir });
    this.diagnostics = new LinuxDiagnostics({
      run,
      clock,
      journal,
      stateDir,
      program,
      tunnel: async () => (this.#applied === undefined ? { state: "absent" } : this.observePeers()),
    });
  }

  ownsNetwork(): boolean {
    return this.#applied !== undefined || this.#journal.read() !== undefined;
  }

  async capabilities(): Promise<Capabilities> {
    const [found, leaf] = await Promise.all([readCapabilities(this.#run), this.#traffic.leafKind()]);
    const limits = leaf.ok
      ? ({ state: "supported", leaf: leaf.value } as const)
      : ({ state: "unsupported", error: leaf.error } as const);
    return { ...found, limits };
  }

  async apply(spec: NetworkSpec): Promise<Result<ApplyResult>> {
    const hash = hashOf(spec);
    const ours = new Set([spec.wireguard.interfaceName, ifbNameOf(spec.wireguard.interfaceName)]);
    const others = this.#journal.read()?.interfaces.filter((name) => !ours.has(name)) ?? [];
    // Another interface of ours, of this run or of one that crashed, would hold the prefix and the port.
    if (others.length > 0) await this.restore();
    // One that a helper left behind that was killed; its peer is not in the spec any more.
    if (!this.diagnostics.hasGuest) await this.diagnostics.closeTestGuest();
    const limitsOnly = await this.#applyLimits(spec, hash);
    if (limitsOnly !== undefined) return limitsOnly;
    const refused = await preflight(spec, { run: this.#run, isPortFree: this.#isPortFree });
    if (refused !== undefined) return { ok: false, error: refused };
    const key = ensurePrivateKey(this.#stateDir);
    const peersOnly = await this.#applyPeers(spec, hash, key.privateKey);
    if (peersOnly !== undefined) return peersOnly;
    try {
      const done = await this.#applyAll(spec, hash, key);
      if (!done.ok) await this.restore();
      return done;
    } catch (thrown) {
      // A full disk, mostly: the journal could not be written.
      await this.restore();
      return { ok: false, error: errorOf(thrown) };
    }
  }

  async observe(): Promise<NetworkObservation> {
    const spec = this.#applied?.effective;
    const name = this.#interfaceName();
    const [wireguard, links, routes, heldPrefixes, ipv4, ipv6, limits] = await Promise.all([
      this.observePeers(),
      readLinks(this.#run),
      readRoutes(this.#run),
      readHeldPrefixes(this.#run),
      this.#observeFirewall(4),
      this.#observeFirewall(6),
      this.#observeLimits(),
    ]);
    const watched = spec === undefined ? [] : [name, ...spec.exit.uplinks];
    return {
      atMs: this.#clock.nowMs(),
      applied: this.#applied === undefined ? null : { specHash: this.#applied.hash },
      wireguard,
      forwarding: {
        ipv4: Object.fromEntries(
          watched.map((each) => [each, this.#sysctls.read(`net/ipv4/conf/${each}/forwarding`) === "1"]),
        ),
        ipv6: readFlag(this.#sysctls.read("net/ipv6/conf/all/forwarding")),
      },
      firewall: { ipv4, ipv6 },
      limits,
      links,
      routes,
      heldPrefixes,
    };
  }

  async observePeers(): Promise<ObservedWireguard> {
    const seen = await observeWireguard(this.#run, this.#interfaceName());
    this.#endpoints.learn(seen);
    return seen;
  }

  observeLimit(classId: number): Promise<ObservedLimit> {
    return this.#traffic.counters(this.#interfaceName(), classId, this.#clock.nowMs());
  }

  async greet(): Promise<void> {
    if (this.#applied !== undefined) await this.#greet(this.#applied.effective);
  }

  async restore(): Promise<RestoreResult> {
    this.#connections.setGuests(undefined);
    const journal = this.#journal.read();
    const undone: string[] = [];
    const failed: string[] = [];
    const guestLeft = await this.diagnostics.closeTestGuest();
    failed.push(...guestLeft.map((what) => `${what} could not be removed`));
    const names = new Set([DEFAULT_INTERFACE, ifbNameOf(DEFAULT_INTERFACE), ...(journal?.interfaces ?? [])]);
    this.#traffic.forget();
    for (const name of names) {
      const removed = isIfbName(name) ? await this.#traffic.removeIfb(name) : await removeInterface(this.#run, name);
      if (!removed.ok) failed.push(removed.error.message);
      else if (removed.value) undone.push(`interface ${name}`);
    }
    const sysctls = restoreSysctls(this.#sysctls, journal?.sysctls ?? []);
    undone.push(...sysctls.undone);
    failed.push(...sysctls.failed);
    for (const family of [4, 6] as const) {
      const removed = await removeRules(this.#run, family);
      if (removed.ok) undone.push(...removed.value);
      else if (family === 4 || this.#sysctls.interfaces(6).length > 0) failed.push(removed.error.message);
    }
    this.#applied = undefined;
    // What could not be undone stays in the journal: the next restore tries again.
    if (failed.length === 0) this.#journal.clear();
    return { undone, failed };
  }

  trace(question: { to: string; maxHops: number }): Promise<TracedHop[]> {
    return traceHops(this.#run, question);
  }

  inspectFirewall(): Promise<FirewallInspection> {
    return inspectFirewall(this.#run);
  }

  watch(listener: (kinds: NetworkChange["kinds"]) => void): () => void {
    const options = { clock: this.#clock, run: this.#run, rulesAsPlanned: () => this.#areRulesAsPlanned() };
    const watch = new NetworkWatch(options, listener);
    return () => watch.stop();
  }

  watchConnections(listener: ConnectionListener): () => void {
    return this.#connections.add(listener);
  }

  #interfaceName(): string {
    return this.#applied?.effective.wireguard.interfaceName ?? DEFAULT_INTERFACE;
  }

  /** A change of peers alone touches nothing but the interface's peer list. Undefined when more has changed. */
  async #applyPeers(spec: NetworkSpec, hash: string, privateKey: string): Promise<Result<ApplyResult> | undefined> {
    const applied = this.#applied;
    if (applied === undefined) return undefined;
    const effective = effectiveSpec(spec, applied.result.ipv6.state === "failed");
    const samePeers = hash === applied.hash;
    if (!samePeers && hashOf(withoutPeers(effective)) !== hashOf(withoutPeers(applied.effective))) return undefined;
    if (!(await this.#isInPlace(applied.effective))) return undefined;
    if (samePeers) return ok({ ...applied.result, changed: false });
    const synced = await syncWireguard(this.#run, effective.wireguard, { privateKey, stateDir: this.#stateDir });
    if (!synced.ok) return undefined;
    return this.#keep(applied, { effective, hash });
  }

  /** A change of limits alone touches nothing but traffic control, whatever the number of clients. Undefined when more has changed. */
  async #applyLimits(spec: NetworkSpec, hash: string): Promise<Result<ApplyResult> | undefined> {
    const applied = this.#applied;
    if (applied === undefined || hash === applied.hash) return undefined;
    const effective = effectiveSpec(spec, applied.result.ipv6.state === "failed");
    if (hashOf(withoutLimits(effective)) !== hashOf(withoutLimits(applied.effective))) return undefined;
    if ((await readLink(this.#run, effective.wireguard.interfaceName)) === undefined) return undefined;
    return this.#keep(applied, { effective, hash });
  }

  /** The rest of a change that leaves interface, rules and forwarding as they are. */
  async #keep(
    applied: Applied,
    { effective, hash }: Pick<Applied, "effective" | "hash">,
  ): Promise<Result<ApplyResult>> {
    const { limits: before, ...rest } = applied.result;
    const sameLimits = JSON.stringify(effective.limits) === JSON.stringify(applied.effective.limits);
    const limits = sameLimits ? before : await this.#limit(effective, true);
    const result: ApplyResult = { ...rest, specHash: hash, changed: true, ...(limits === undefined ? {} : { limits }) };
    this.#applied = { effective, hash, result };
    this.#account(effective);
    return ok(result);
  }

  /** @param isKnown nobody has touched traffic control since we did */
  async #limit(spec: NetworkSpec, isKnown: boolean): Promise<ApplyResult["limits"]> {
    const plan = planTraffic(spec);
    if (plan === undefined) {
      const removed = await this.#traffic.remove(spec.wireguard.interfaceName);
      return removed.ok ? undefined : { state: "failed", error: removed.error };
    }
    if (this.#journal.read()?.interfaces.includes(plan.ifb) !== true) this.#journal.add({ interfaces: [plan.ifb] });
    const applied = await this.#traffic.apply(plan, isKnown);
    return applied.ok ? { state: "on", leaf: applied.value.leaf } : { state: "failed", error: applied.error };
  }

  #observeLimits(): Promise<ObservedLimits> {
    const applied = this.#applied;
    const isOn = applied !== undefined && applied.result.limits?.state !== "failed";
    return this.#traffic.observe(isOn ? planTraffic(applied.effective) : undefined, this.#interfaceName());
  }

  /** Whether interface, forwarding, firewall and limits still are what was applied. */
  async #isInPlace(spec: NetworkSpec): Promise<boolean> {
    const { name, ...wanted } = { name: spec.wireguard.interfaceName, ...spec.wireguard };
    const present = await observeWireguard(this.#run, name);
    if (present.state !== "present" || !present.up || present.mtu !== wanted.mtu) return false;
    if (present.listenPort !== wanted.listenPort) return false;
    if (!wanted.addresses.every((address) => present.addresses.includes(address))) return false;
    if (present.publicKey !== this.#applied?.result.publicKey) return false;
    const known = new Map(present.peers.map(({ publicKey, allowedIps }) => [publicKey, sorted(allowedIps)]));
    const applied = this.#applied.effective.wireguard.peers;
    if (known.size !== applied.length) return false;
    if (!applied.every(({ publicKey, allowedIps }) => known.get(publicKey) === sorted(allowedIps))) return false;
    if (this.#forwardingPlan(spec).writes.length > 0) return false;
    if (!(await this.#areRulesAsPlanned())) return false;
    return (await this.#observeLimits()).state !== "differs";
  }

  async #applyAll(
    spec: NetworkSpec,
    hash: string,
    key: { privateKey: string; publicKey: string },
  ): Promise<Result<ApplyResult>> {
    const { interfaceName } = spec.wireguard;
    this.#journal.add({ interfaces: [interfaceName] });
    const ipv4 = await this.#applyFamily(spec, 4);
    if (!ipv4.ok) return ipv4;
    const rules6 = await this.#applyFamily(spec, 6);
    const tunnel = await ensureInterface(this.#run, interfaceName);
    if (!tunnel.ok) return tunnel;
    let effective = effectiveSpec(spec, !rules6.ok);
    let ipv6: Result<unknown> = rules6;
    const broughtUp = await this.#bringUp(effective, key.privateKey);
    if (!broughtUp.ok) {
      if (!IPV6_ALONE.has(broughtUp.error.code)) return broughtUp;
      effective = effectiveSpec(spec, true);
      ipv6 = broughtUp;
      const withoutIpv6 = await this.#bringUp(effective, key.privateKey);
      if (!withoutIpv6.ok) return withoutIpv6;
      await this.#takeIpv6Back();
    }

    const limits = await this.#limit(effective, false);
    const result: ApplyResult = {
      changed: true,
      publicKey: key.publicKey,
      implementation: tunnel.value.implementation,
      specHash: hash,
      ipv6: ipv6.ok
        ? { state: spec.guests.ipv6 !== null && spec.exit.ipv6 !== "off" ? "on" : "off" }
        : { state: "failed", error: ipv6.error },
      ...(limits === undefined ? {} : { limits }),
    };
    const uplinksBefore = this.#applied?.effective.exit.uplinks ?? effective.exit.uplinks;
    this.#applied = { effective, hash, result };
    this.#account(effective);
    if (tunnel.value.made || sorted(uplinksBefore) !== sorted(effective.exit.uplinks)) await this.#greet(effective);
    return ok(result);
  }

  /** Speaks to guests first, where they cannot know that the tunnel is a new one, or that it is reached another way. */
  async #greet({ wireguard }: NetworkSpec): Promise<void> {
    // Where they are this moment: somebody may have moved since they were last looked at.
    await this.observePeers();
    // A peer without addresses is no guest: nobody waits for it.
    const guests = wireguard.peers.filter(({ allowedIps }) => allowedIps.length > 0);
    const keys = guests.map(({ publicKey }) => publicKey);
    await this.#endpoints.greet(this.#run, wireguard.interfaceName, keys);
  }

  /** Counting of connections, and who is told of them. Guests are served without it where the kernel refuses. */
  #account(spec: NetworkSpec): void {
    if (spec.accounting === undefined) {
      this.#connections.setGuests(undefined);
      const saved = this.#journal.read()?.sysctls ?? [];
      restoreSysctls(
        this.#sysctls,
        saved.filter(({ key }) => isAccountingKey(key)),
      );
      return;
    }
    const plan = planAccounting(this.#sysctls);
    if (plan.saves.length > 0) this.#journal.add({ sysctls: plan.saves });
    for (const { key, value } of plan.writes) {
      try {
        this.#sysctls.write(key, value);
      } catch {
        // The log then says of each connection that its bytes were not counted.
      }
    }
    this.#connections.setGuests(guestPrefixes(spec));
  }

  async #bringUp(effective: NetworkSpec, privateKey: string): Promise<Result<void>> {
    const synced = await syncWireguard(this.#run, effective.wireguard, { privateKey, stateDir: this.#stateDir });
    if (!synced.ok) return synced;
    const configured = await configureInterface(this.#run, effective.wireguard);
    if (!configured.ok) return configured;
    return this.#forward(effective);
  }

  /** After IPv6 has failed halfway: its settings and rules, once the interface has no IPv6 address any more. */
  async #takeIpv6Back(): Promise<void> {
    const saved = this.#journal.read()?.sysctls ?? [];
    restoreSysctls(
      this.#sysctls,
      saved.filter(({ key }) => key.startsWith("net/ipv6/")),
    );
    await removeRules(this.#run, 6);
  }

  /** Puts the rules of one family in place, or takes ours away where the spec wants none. */
  async #applyFamily(spec: NetworkSpec, family: Family): Promise<Result<unknown>> {
    const plan = planRules(spec, family);
    if (plan !== undefined) {
      const applied = await applyRules(this.#run, family, plan);
      if (!applied.ok) await removeRules(this.#run, family);
      return applied;
    }
    // Without ip6tables there is nothing of ours to take away.
    const removed = await removeRules(this.#run, family);
    return family === 6 ? ok(undefined) : removed;
  }

  #forward(spec: NetworkSpec): Result<void> {
    const plan = this.#forwardingPlan(spec);
    if (plan.saves.length > 0) this.#journal.add({ sysctls: plan.saves });
    for (const { key, value } of plan.writes) {
      try {
        this.#sysctls.write(key, value);
      } catch (error) {
        return fail(
          key.startsWith("net/ipv6/") ? "ipv6-forwarding-refused" : "forwarding-refused",
          `The kernel refused ${key.replaceAll("/", ".")}=${value}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    const saved = this.#journal.read()?.sysctls ?? [];
    restoreSysctls(this.#sysctls, withoutUplinks(saved, spec.exit.uplinks));
    return ok(undefined);
  }

  #forwardingPlan(spec: NetworkSpec) {
    return planForwarding(this.#sysctls, {
      own: spec.wireguard.interfaceName,
      uplinks: spec.exit.uplinks,
      ipv4: spec.exit.ipv4 !== "off",
      ipv6: spec.exit.ipv6 !== "off",
    });
  }

  async #areRulesAsPlanned(): Promise<boolean> {
    if (this.#applied === undefined) return true;
    const seen = await Promise.all(([4, 6] as const).map((family) => this.#observeFirewall(family)));
    return seen.every(({ state }) => state === "matches" || state === "absent");
  }

  async #observeFirewall(family: Family): Promise<ObservedFirewall> {
    const plan = this.#applied === undefined ? undefined : planRules(this.#applied.effective, family);
    const tables = await readTables(this.#run, family);
    // Without ip6tables there can be nothing of ours in it.
    if (!tables.ok && family === 6 && plan === undefined) return { state: "absent" };
    if (!tables.ok) return { state: "unavailable", reason: tables.error.message };
    const differences = compareRules(plan ?? new Map(), tables.value);
    if (plan === undefined) {
      const leftOver = [...tables.value].some(([, chains]) =>
        [...chains.keys()].some((name) => name.startsWith("HIGGS-")),
      );
      return leftOver ? { state: "differs", differences: ["chains of an earlier run are left"] } : { state: "absent" };
    }
    return differences.length === 0 ? { state: "matches" } : { state: "differs", differences };
  }
}

function sorted(texts: readonly string[]): string {
  return [...texts].sort().join(",");
}

function readFlag(value: string | undefined): boolean | null {
  return value === undefined ? null : value === "1";
}
