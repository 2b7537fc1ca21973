/**
 * Finds out whether guests reach this node without the relay, and what stands in between if they do not.
 *
 * It is told what the node shares and what the router has granted, and looks: at start, after every change, and every ten
 * minutes. One look at a time; what changes meanwhile has another look at once. While the node does not share, nothing is
 * sent.
 */
import { isDeepStrictEqual } from "node:util";
import type { CancelTimer, Clock } from "../../src-shared/clock.ts";
import type { NatPath } from "../../src-shared/model/nat-path.ts";
import type { Reachability } from "../../src-shared/model/reachability.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import type { PeerSpec } from "../../src-shared/network-spec.ts";
import { errorOf, type HiggsError, type Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import { classifyPath } from "./classify-path.ts";
import { keptOutcome, outcomeOverIpv6, PROVE_EVERY_MS } from "./outcome.ts";
import type { Outside, OutsideView } from "./outside.ts";
import { NO_PROOF, type Proof, unreachableReason } from "./reasons.ts";
import { evidenceOf, familyOf, ipv4, portOf, type Sharing, subjectOf } from "./sharing.ts";

/** By up to this share, so that many nodes of one relay do not ask at once. */
const JITTER = 0.1;
/** A router that has just granted a port, or a relay that was too busy, gets this long before it is tried again. */
const SOON_MS = 15_000;
/** Silences after which a mapping that was granted is made anew; after the last of them the relay takes over. */
const REMAKE_AT_MOST = 2;

/** A port mapped at a router behind the router; see `second-router.ts`. */
export interface BehindRouter {
  readonly mapped: Endpoint | undefined;
  /**
   * Has `gateway` forward the port; undefined where it will not. The same question again renews. `inner`: the first
   * router's address as the second sees it, null where that is not known.
   */
  map(question: { gateway: string; local: string; inner: string | null; port: number }): Promise<Endpoint | undefined>;
  /** Deletes what was mapped. Idempotent. */
  release(): Promise<void>;
}

export interface ReachabilityOptions {
  readonly clock: Clock;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  readonly outside: Outside;
  /** The address and port a STUN server sees; undefined where it does not answer. */
  readonly stun: (server: Endpoint, localAddress: string) => Promise<Endpoint | undefined>;
  /** Who answers to packets let expire at the first hops, on the way to `towards` where that is known. */
  readonly trace: (towards: Endpoint | null) => Promise<readonly (string | null)[]>;
  /** Brings `peer` into the kernel. */
  readonly applyPeer: () => Promise<Result<void>>;
  readonly behind: BehindRouter;
  /** Has a granted mapping that nothing comes through deleted and made anew; `otherPort` with another external port. */
  readonly remake: (otherPort: boolean) => Promise<void>;
}

export interface ReachabilityFindings {
  readonly reachability: Reachability;
  readonly natPath: NatPath;
  /** The same over IPv6; undefined where this machine has no global address. */
  readonly reachabilityIpv6: Reachability | undefined;
}

const NOT_SHARING: HiggsError = { code: "not-sharing", message: "The node does not share at present." };
const NOT_LOOKED: ReachabilityFindings = {
  reachability: { state: "unknown", reason: NOT_SHARING },
  natPath: { state: "unknown", reason: NOT_SHARING },
  reachabilityIpv6: undefined,
};

export class ReachabilityService {
  readonly #options: ReachabilityOptions;
  readonly #logger: Logger;
  readonly #listeners = new Set<(findings: ReachabilityFindings) => void>();
  #sharing: Sharing | undefined;
  #findings: ReachabilityFindings = NOT_LOOKED;
  #peerKey: string | undefined;
  /** What the last look was at: the same again needs none. */
  #looked: unknown;
  #looking: Promise<void> | undefined;
  #silences = 0;
  #remade = 0;
  #cancelNext: CancelTimer = () => {};
  #disposed = false;

  constructor(options: ReachabilityOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ area: "reachability" });
  }

  get findings(): ReachabilityFindings {
    return this.#findings;
  }

  /** The relay's probe key: without allowed IPs, so that whoever holds it can shake hands and nothing else. */
  get peer(): PeerSpec | undefined {
    return this.#peerKey === undefined ? undefined : { publicKey: this.#peerKey, allowedIps: [] };
  }

  /** Where a handshake from outside was answered; undefined as long as none was. */
  get proven(): Endpoint | undefined {
    const { reachability } = this.#findings;
    return reachability.state === "reachable" ? reachability.endpoint : undefined;
  }

  onChange(listener: (findings: ReachabilityFindings) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Undefined while the node does not share. Call it with every change; one that changes nothing does nothing. */
  update(sharing: Sharing | undefined): void {
    if (this.#disposed) return;
    this.#sharing = sharing;
    if (sharing === undefined) {
      this.#forget();
      return;
    }
    const subject = subjectOf(sharing, this.#options.outside.view);
    if (isDeepStrictEqual(subject, this.#looked) || sharing.mapping.state === "probing") return;
    this.#looked = subject;
    this.#silences = 0;
    this.#look();
  }

  /** Looks again at once, as an owner who has just changed something wants it. Resolves when that is done. */
  async refresh(): Promise<void> {
    this.#silences = 0;
    this.#remade = 0;
    this.#look();
    await this.#looking;
  }

  /** Stops looking and deletes what was mapped behind the router; a look under way ends without effect. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#cancelNext();
    this.#listeners.clear();
    await this.#options.behind.release();
  }

  #forget(): void {
    this.#cancelNext();
    this.#looked = undefined;
    this.#peerKey = undefined;
    this.#silences = 0;
    this.#remade = 0;
    void this.#options.behind.release();
    this.#publish(NOT_LOOKED);
  }

  /** Begins a look, or has one follow the one under way. */
  #look(): void {
    this.#cancelNext();
    const before = this.#looking;
    const looking: Promise<void> = (before ?? Promise.resolve())
      .then(() => (this.#looking === looking ? this.#lookOnce() : undefined))
      .catch((thrown: unknown) => {
        this.#logger.error("looking from outside failed", thrown instanceof Error ? thrown : new Error(String(thrown)));
        this.#again(PROVE_EVERY_MS);
      });
    this.#looking = looking;
  }

  async #lookOnce(): Promise<void> {
    const sharing = this.#sharing;
    const { view } = this.#options.outside;
    if (sharing === undefined || this.#disposed) return;
    const { reachability } = this.#findings;
    const isNew = reachability.state === "unknown" && reachability.reason.code === "not-sharing";
    if (isNew && view !== undefined) this.#publish({ ...this.#findings, reachability: this.#checking() });
    const [hops, seenByStun, proof] = await Promise.all([
      this.#options.trace(view?.stun ?? null),
      this.#askStun(sharing, view),
      this.#prove(sharing, view),
    ]);
    if (this.#isOver(sharing)) return;
    const relaySees = ipv4(view?.seen);
    // Through a web proxy the relay sees the proxy: what STUN sees is this network.
    const behindProxy = seenByStun !== null && relaySees !== null && relaySees !== seenByStun;
    const usable: Proof = behindProxy ? NO_PROOF.proxy : proof;
    const pathWith = (found: Proof) => {
      const behind = this.#options.behind.mapped !== undefined;
      return classifyPath(evidenceOf(sharing, view, { hops, seenByStun, proof: found, behind }));
    };
    const other = usable.state === "silence" ? await this.#tryBehind(sharing, pathWith(usable), hops) : undefined;
    if (this.#isOver(sharing)) return;
    const final = other ?? usable;
    await this.#conclude(sharing, final, pathWith(final));
    const reachabilityIpv6 = await this.#lookOverIpv6(sharing, view);
    if (!this.#isOver(sharing)) this.#publish({ ...this.#findings, reachabilityIpv6 });
  }

  #askStun(sharing: Sharing, view: OutsideView | undefined): Promise<string | null> {
    if (view === undefined || view.stun === null || sharing.local === null) return Promise.resolve(null);
    return this.#options.stun(view.stun, sharing.local).then((answer) => answer?.host ?? null);
  }

  /** A handshake from outside to the port that guests use. */
  async #prove(sharing: Sharing, view: OutsideView | undefined): Promise<Proof> {
    if (view === undefined) return sharing.hasRelays ? NO_PROOF.notConnected : NO_PROOF.noRelay;
    if (view.probeKey === null) return NO_PROOF.cannotProbe;
    if (this.#peerKey !== view.probeKey) {
      this.#peerKey = view.probeKey;
      const applied = await this.#options.applyPeer();
      if (!applied.ok) return { state: "none", reason: applied.error, keep: true, soon: true };
    }
    return this.#probe(sharing, portOf(sharing, this.#options.behind.mapped), sharing.local);
  }

  /** @param at the address of this machine to be tried; over the relay's own connection where that is of the same family */
  async #probe({ publicKey }: Sharing, port: number, at: string | null): Promise<Proof> {
    const { outside } = this.#options;
    const { view } = outside;
    const question = { publicKey, port };
    const isElsewhere = at !== null && view?.probesElsewhere === true && familyOf(view.seen) !== familyOf(at);
    const answer = isElsewhere ? await outside.probeFrom(at, question) : await outside.probe(question);
    if (!answer.ok) return { state: "none", reason: answer.error, keep: true, soon: true };
    const { endpoint, result } = answer.value;
    switch (result.outcome) {
      case "answered":
        return { state: "answered", endpoint, ms: result.ms };
      case "silence":
        return { state: "silence", endpoint };
      case "refused":
        return NO_PROOF.refused(result.code);
    }
  }

  /** A second router at home may forward to the first one's port: asked, and proven like everything else. */
  async #tryBehind(sharing: Sharing, natPath: NatPath, hops: readonly (string | null)[]): Promise<Proof | undefined> {
    const gateway = hops[1] ?? null;
    const { mapping, local } = sharing;
    if (natPath.state !== "known" || natPath.verdict !== "double-nat") return undefined;
    if (gateway === null || local === null || mapping.state !== "mapped") return undefined;
    const { host: inner, port } = mapping.external;
    const mapped = await this.#options.behind.map({ gateway, local, inner, port });
    // Whoever stopped sharing meanwhile has released what was there before this.
    if (this.#isOver(sharing)) await this.#options.behind.release();
    if (mapped === undefined || this.#isOver(sharing)) return undefined;
    this.#logger.info("a second router forwards the port", { externalPort: mapped.port });
    return this.#probe(sharing, mapped.port, local);
  }

  /** One proof, without a mapping to make anew. */
  async #lookOverIpv6(sharing: Sharing, view: OutsideView | undefined): Promise<Reachability | undefined> {
    const { ipv6, hasRelays } = sharing;
    if (ipv6 === null) return undefined;
    const proof = await this.#proveOverIpv6(sharing, ipv6, view, hasRelays);
    return outcomeOverIpv6(this.#findings.reachabilityIpv6, proof, this.#options.clock.nowMs());
  }

  async #proveOverIpv6(
    sharing: Sharing,
    { host, port }: Endpoint,
    view: OutsideView | undefined,
    hasRelays: boolean,
  ): Promise<Proof> {
    if (view === undefined) return hasRelays ? NO_PROOF.notConnected : NO_PROOF.noRelay;
    const isSameFamily = familyOf(view.seen) === 6;
    if (view.probeKey === null || view.probeKey !== this.#peerKey) return NO_PROOF.cannotProbe;
    if (!isSameFamily && view.probesElsewhere !== true) return NO_PROOF.cannotProbe;
    const proof = await this.#probe(sharing, port, host);
    // That the relay has no IPv6 says nothing of this machine's, and is no reason to ask again in a moment.
    return proof.state === "none" ? { ...proof, soon: false } : proof;
  }

  async #conclude(sharing: Sharing, proof: Proof, natPath: NatPath): Promise<void> {
    switch (proof.state) {
      case "none":
        this.#publish({ ...this.#findings, natPath, reachability: this.#kept(proof.reason, proof.keep) });
        return this.#again(proof.soon ? SOON_MS : PROVE_EVERY_MS);
      case "answered": {
        this.#silences = 0;
        this.#remade = 0;
        const { endpoint, ms } = proof;
        const before = this.#findings.reachability;
        const same = before.state === "reachable" && isDeepStrictEqual(before.endpoint, endpoint);
        const provenAt = this.#now();
        const since = same ? before.since : provenAt;
        if (!same) this.#logger.info("reachable from outside", { port: endpoint.port, ms });
        const reachability: Reachability = { state: "reachable", endpoint, since, provenAt, ms };
        this.#publish({ ...this.#findings, natPath, reachability });
        return this.#again(PROVE_EVERY_MS);
      }
      case "silence":
        return this.#silent(sharing, proof.endpoint, natPath);
    }
  }

  async #silent(sharing: Sharing, endpoint: Endpoint, natPath: NatPath): Promise<void> {
    this.#silences++;
    const before = this.#findings.reachability;
    // One lost round is no verdict on what was proven a moment ago.
    if (before.state === "reachable" && this.#silences === 1) {
      this.#publish({ ...this.#findings, natPath });
      return this.#again(SOON_MS);
    }
    const { reason, advice } = unreachableReason(sharing, natPath, this.#options.outside.view !== undefined);
    const checkedAt = this.#now();
    const same = before.state === "unreachable" && isDeepStrictEqual(before.endpoint, endpoint);
    const since = same ? before.since : checkedAt;
    if (before.state !== "unreachable") this.#logger.info("not reachable from outside", { code: reason.code });
    const reachability: Reachability = { state: "unreachable", endpoint, since, checkedAt, reason, advice };
    this.#publish({ ...this.#findings, natPath, reachability });
    const isOurs = natPath.state === "known" && natPath.verdict === "one-nat" && sharing.mapping.state === "mapped";
    if (!isOurs || this.#remade >= REMAKE_AT_MOST) return this.#again(PROVE_EVERY_MS);
    const otherPort = this.#remade > 0;
    this.#remade++;
    this.#logger.info("a granted port mapping is dead and made anew", { otherPort });
    await this.#options.remake(otherPort);
    return this.#again(SOON_MS);
  }

  /** What is known stays while nobody can be asked for a moment; otherwise it is unknown why. */
  #kept(reason: HiggsError, keep: boolean): Reachability {
    return keptOutcome(this.#findings.reachability, { reason, keep }, this.#options.clock.nowMs());
  }

  #checking(): Reachability {
    return { state: "checking", since: this.#now() };
  }

  /** Whether what is being looked at is gone. */
  #isOver(sharing: Sharing): boolean {
    return this.#disposed || this.#sharing === undefined || this.#sharing.publicKey !== sharing.publicKey;
  }

  #again(inMs: number): void {
    this.#cancelNext();
    if (this.#disposed || this.#sharing === undefined) return;
    const spread = inMs * (1 + JITTER * (2 * this.#options.random() - 1));
    this.#cancelNext = this.#options.clock.after(Math.round(spread), () => this.#look());
  }

  #publish(findings: ReachabilityFindings): void {
    if (isDeepStrictEqual(findings, this.#findings)) return;
    this.#findings = findings;
    for (const listener of [...this.#listeners]) {
      try {
        listener(findings);
      } catch (thrown) {
        this.#logger.error("a listener failed", new Error(errorOf(thrown).message));
      }
    }
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}
