/** Joins the reachability service with what the rest of the node knows and does. */
import { randomInt } from "node:crypto";
import type { Clock } from "../../src-shared/clock.ts";
import { exitOf, type PhaseState } from "../../src-shared/model/node-state.ts";
import type { Pinhole } from "../../src-shared/model/pinhole.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { Result } from "../../src-shared/result.ts";
import type { Logger } from "../logs/logger.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";
import type { MappingJournal } from "../port-forwarding/mapping-journal.ts";
import type { PortForwardingService } from "../port-forwarding/port-forwarding-service.ts";
import type { RelayService } from "../relay/relay-service.ts";
import { egressTargetsOf } from "../routing/egress-targets.ts";
import { ReachabilityService } from "./reachability-service.ts";
import { SecondRouter } from "./second-router.ts";
import { askStun, lookupIpv4 } from "./stun-client.ts";

/** Who the second hop is, and one more in case the first is this computer's own VPN or virtual switch. */
const HOPS_TRACED = 3;
/** IANA's range for what is nobody's in particular (RFC 6335, section 6). */
const DYNAMIC_PORTS = { least: 49_152, most: 65_535 } as const;

export interface ReachabilityParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly io: MappingIo;
  readonly journal: MappingJournal;
  readonly relay: RelayService;
  readonly ports: PortForwardingService;
  /** Whether the router lets guests in over IPv6. */
  readonly pinhole: () => Pinhole["state"];
  readonly settings: () => Settings;
  readonly node: {
    readonly state: PhaseState;
    readonly plan: { readonly route: { local: string | null; gateway: string | null } } | undefined;
    settle(): Promise<Result<void>>;
  };
  /** Who answers at the first hops on the way to an address. */
  readonly trace: (to: string, maxHops: number) => Promise<readonly (string | null)[]>;
}

export interface JoinedReachability {
  readonly service: ReachabilityService;
  /** Call it whenever the node, its settings, the relay or the port mapping have changed. */
  update(): void;
}

export function joinReachability(parts: ReachabilityParts): JoinedReachability {
  const { clock, logger, io, journal, relay, ports, pinhole, settings, node, trace } = parts;
  const controller = new AbortController();
  const listenPort = () => exitOf(node.state)?.listenPort;
  const service = new ReachabilityService({
    clock,
    random: Math.random,
    logger,
    outside: relay,
    behind: new SecondRouter({ io, journal, logger }),
    stun: async (server, localAddress) => {
      const answer = await askStun(io, { server, localAddress, signal: controller.signal });
      return answer.ok ? answer.value : undefined;
    },
    trace: async (towards) => {
      // Somewhere out in the internet will do: the packets expire long before they arrive.
      const to = (towards && (await lookupIpv4(towards.host))) ?? egressTargetsOf(settings().egressTargets, 4)[0]?.host;
      return to === undefined ? [] : trace(to, HOPS_TRACED);
    },
    applyPeer: () => node.settle(),
    remake: async (otherPort) => {
      const internalPort = listenPort();
      if (internalPort === undefined) return;
      await ports.removePortMapping({ internalPort });
      // Sharing may have been switched off while the router was asked.
      if (listenPort() !== internalPort || settings().portMapping === "off") return;
      const externalPort = otherPort ? randomInt(DYNAMIC_PORTS.least, DYNAMIC_PORTS.most + 1) : internalPort;
      await ports.addPortMapping({ internalPort, externalPort });
    },
  });
  return {
    service,
    update: () => {
      const exit = exitOf(node.state);
      const route = node.plan?.route;
      if (exit === undefined || route === undefined) {
        service.update(undefined);
        return;
      }
      const { publicEndpoint } = settings();
      service.update({
        publicKey: exit.publicKey,
        listenPort: exit.listenPort,
        ...route,
        hasIpv6: exit.reach.ipv6 !== undefined && exit.reach.ipv6 !== null,
        ipv6: exit.reach.ipv6 ?? null,
        isPinholeOpen: pinhole() === "open",
        ownEndpoint: publicEndpoint === "auto" ? null : publicEndpoint,
        mapping: ports.state,
        hasRelays: relay.hasServers(settings()),
      });
    },
  };
}
