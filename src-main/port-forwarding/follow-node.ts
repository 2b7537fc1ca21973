/** Wants the WireGuard port forwarded while the node shares, and nothing at any other time. */
import type { Settings } from "../../src-shared/model/settings.ts";
import type { Surroundings } from "./home-network.ts";
import type { PortForwardingService } from "./port-forwarding-service.ts";

export interface SharedPort {
  listenPort: number;
  surroundings: Surroundings;
}

/**
 * Call the result whenever the node's state or the settings have changed; undefined stands for a node that does not share.
 * Calls that change nothing do nothing.
 */
export function followNode(
  ports: PortForwardingService,
): (settings: Pick<Settings, "portMapping">, shared: SharedPort | undefined) => void {
  let mappedPort: number | undefined;
  return ({ portMapping }, shared) => {
    if (shared === undefined || portMapping === "off" || shared.surroundings.kind === "public") {
      mappedPort = undefined;
      void ports.cleanup();
      return;
    }
    const { listenPort, surroundings } = shared;
    if (mappedPort !== undefined && mappedPort !== listenPort) {
      void ports.removePortMapping({ internalPort: mappedPort });
      mappedPort = undefined;
    }
    ports.initialize(surroundings.kind === "router" ? surroundings.network : null);
    if (mappedPort === undefined) {
      mappedPort = listenPort;
      void ports.addPortMapping({ internalPort: listenPort });
    }
  };
}
