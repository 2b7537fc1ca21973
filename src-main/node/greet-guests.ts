/**
 * When the way between guests and this machine has changed, they go on speaking to where it was: a router that was restarted holds
 * their packets in a connection that leads nowhere, another router knows nothing of them. From what the node sends they learn
 * the new way (WireGuard's roaming), so it speaks first.
 */
import { isDeepStrictEqual } from "node:util";
import type { PortMappingState } from "../../src-shared/model/port-mapping.ts";
import type { Logger } from "../logs/logger.ts";
import type { ExitPlan } from "./exit-planner.ts";
import type { NodeHelper } from "./node-surroundings.ts";

export interface GreetOptions {
  helper: Pick<NodeHelper, "call" | "connected">;
  logger: Logger;
}

/**
 * Call the result with what there is now, whenever either has changed; the route is undefined while the node does not share.
 * Guests are greeted when the machine's address or gateway is another one, and when a router has granted the port anew.
 */
export function greetGuests({
  helper,
  logger,
}: GreetOptions): (route: ExitPlan["route"] | undefined, mapping: PortMappingState) => void {
  let lastRoute: ExitPlan["route"] | undefined;
  let lastGrant: string | undefined;
  return (route, mapping) => {
    const moved = lastRoute !== undefined && route !== undefined && !isDeepStrictEqual(route, lastRoute);
    lastRoute = route;
    const grant = mapping.state === "mapped" ? mapping.renewAt : undefined;
    const granted = grant !== undefined && grant !== lastGrant;
    lastGrant = grant ?? lastGrant;
    // Without a helper there is no tunnel to speak through; whoever makes it anew greets, too.
    if (route === undefined || (!moved && !granted) || helper.connected === undefined) return;
    void helper.connected.call("greet", {}).then((done) => {
      if (!done.ok) logger.warn("guests were not greeted", { code: done.error.code });
    });
  };
}
