/** What follows when a part of the node has changed: which other parts are told, and what is published. */
import { isDeepStrictEqual } from "node:util";
import { exitOf } from "../../src-shared/model/node-state.ts";
import { mappedEndpoint } from "../../src-shared/model/port-mapping.ts";
import type { ClientRegistry } from "../clients/client-registry.ts";
import type { JoinedHealth } from "../health/join-health.ts";
import type { HelperLink } from "../helper/helper-link.ts";
import type { Ipv6Checker } from "../ipv6/ipv6-checker.ts";
import type { Ipv6Pinhole } from "../ipv6/ipv6-pinhole.ts";
import type { ClientRateLimiter } from "../limits/client-rate-limiter.ts";
import type { Logger } from "../logs/logger.ts";
import { followNode } from "../port-forwarding/follow-node.ts";
import type { PortForwardingService } from "../port-forwarding/port-forwarding-service.ts";
import type { PrivacyManager } from "../privacy/privacy-manager.ts";
import type { JoinedReachability } from "../reachability/join-reachability.ts";
import type { RelayService } from "../relay/relay-service.ts";
import type { SettingsStore } from "../storage/settings-store.ts";
import { greetGuests } from "./greet-guests.ts";
import type { NodeEvents } from "./node-events.ts";
import type { NodeService } from "./node-service.ts";

export interface ChangingParts {
  readonly helper: Pick<HelperLink, "call" | "connected" | "onNetworkChange">;
  readonly node: NodeService;
  readonly relay: RelayService;
  readonly ports: PortForwardingService;
  readonly reachability: JoinedReachability;
  readonly ipv6: Ipv6Checker;
  readonly pinhole: Ipv6Pinhole;
  readonly health: JoinedHealth;
  readonly registry: ClientRegistry;
  readonly limiter: ClientRateLimiter;
  readonly settings: SettingsStore;
  readonly privacy: PrivacyManager;
  readonly events: NodeEvents;
  readonly logger: Logger;
}

/** Ends with the parts themselves, each of which lets go of its listeners when it is disposed of. */
export function followChanges(parts: ChangingParts): void {
  const { helper, node, relay, ports, reachability, ipv6, pinhole, health, events, settings, registry } = parts;

  const updateRelay = () => relay.update(settings.get(), exitOf(node.state)?.listenPort);
  const forward = followNode(ports);
  const updatePorts = () => {
    const exit = exitOf(node.state);
    const shared = exit && node.plan && { listenPort: exit.listenPort, surroundings: node.plan.surroundings };
    forward(settings.get(), shared);
  };
  const greet = greetGuests({ helper, logger: parts.logger.child({ area: "node" }) });
  const greetIfMoved = () => greet(exitOf(node.state) && node.plan?.route, ports.state);

  helper.onNetworkChange(({ kinds }) => {
    if (kinds.some((kind) => kind === "link" || kind === "address" || kind === "route")) relay.networkChanged();
  });
  node.onChange(() => {
    greetIfMoved();
    updateRelay();
    updatePorts();
    reachability.update();
    ipv6.update(node.state, node.plan?.tunnelAddresses ?? []);
    pinhole.update(exitOf(node.state) && node.plan?.pinhole);
    events.publishState();
    events.publishClients();
  });
  relay.onChange(() => {
    reachability.update();
    health.manager.update();
    events.publishState();
  });
  // Where guests find the node is part of the plan.
  const planIfProven = whenOther(reachability.service.proven, () => node.refresh());
  reachability.service.onChange(() => {
    health.manager.update();
    events.publishState();
    planIfProven(reachability.service.proven);
  });
  const planIfMapped = whenOther(mappedEndpoint(ports.state), () => node.refresh());
  ports.on("changed", (state) => {
    greetIfMoved();
    reachability.update();
    health.manager.update();
    events.publishState();
    planIfMapped(mappedEndpoint(state));
  });
  registry.onChange((change) => {
    // Usage comes from the peers' counters, after which the list is made in any case.
    if (change === "usage") return;
    events.publishClients();
    node.refresh();
  });
  parts.limiter.onChange(() => {
    events.publishClients();
    node.refresh();
  });
  settings.onChange((changed) => {
    events.published.settings.set(changed);
    events.publishClients();
    updateRelay();
    updatePorts();
    reachability.update();
    health.manager.update();
    node.refresh();
    // Last, so that a disk that refuses it, of which the owner is told, keeps nobody else from following.
    if (!changed.keepClientKeys) registry.forgetKeptKeys();
  });
  parts.privacy.onStateChange((state) => events.published.privacy.set(state));
}

/** Calls `act` when it is told another value than the last one. */
function whenOther<T>(first: T, act: () => void): (value: T) => void {
  let last = first;
  return (value) => {
    if (isDeepStrictEqual(value, last)) return;
    last = value;
    act();
  };
}
