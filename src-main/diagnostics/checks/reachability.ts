/** Whether guests get as far as this computer, as the node has found out. */
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { type Check, failed, type NodeStatus, pass, skipped, warn, whileOnline } from "../check.ts";

const ASK_AGAIN = "Ask the router again: higgsnode ports refresh";

const mapping: Check = {
  id: "reachability.mapping",
  group: "reachability",
  title: "The router forwards the WireGuard port",
  run: (context) =>
    whileOnline(context, ({ portMapping, reachability }) => {
      switch (portMapping.state) {
        case "off":
          return skipped("The router is not asked: portMapping is off, or there is no router.");
        case "probing":
          return skipped("The router is being asked at this moment.");
        case "mapped":
          return pass(`${formatEndpoint(portMapping.external)}, by ${portMapping.protocol}.`);
        case "unavailable": {
          const { message, hint } = portMapping.reason;
          if (context.settings.publicEndpoint !== "auto") return skipped(`You named the way in yourself. ${message}`);
          if (reachability.state === "reachable") return pass(`Guests come in all the same. ${message}`);
          return warn(message, hint ?? ASK_AGAIN);
        }
      }
    }),
};

const outside: Check = {
  id: "reachability.outside",
  group: "reachability",
  title: "Guests reach this computer from outside",
  run: (context) =>
    whileOnline(context, ({ reachability, relay }) => {
      switch (reachability.state) {
        case "unknown":
          return skipped(reachability.reason.message);
        case "checking":
          return skipped("It is being tried at this moment.");
        case "reachable":
          return pass(`At ${formatEndpoint(reachability.endpoint)}, answered in ${Math.round(reachability.ms)} ms.`);
        case "unreachable": {
          const where = `Not at ${formatEndpoint(reachability.endpoint)}: ${reachability.reason.message}`;
          const help = reachability.advice.map(({ text }) => text).join(" ");
          if (relay.state === "connected") return warn(`${where} They come in through the relay.`, help || ASK_AGAIN);
          return failed(where, help || "Forward the WireGuard port on the router, or name a relay.");
        }
      }
    }),
};

const natPath: Check = {
  id: "reachability.nat-path",
  group: "reachability",
  title: "What stands between this computer and the internet",
  run: (context) =>
    whileOnline(context, (status) => {
      if (status.natPath.state === "unknown") return skipped(status.natPath.reason.message);
      const { verdict, hops, reason, advice } = status.natPath;
      const detail = `${VERDICTS[verdict]}, ${hops.length} ${hops.length === 1 ? "hop" : "hops"}.`;
      if (reason === null || hasWayIn(status, context.settings.publicEndpoint !== "auto")) return pass(detail);
      return warn(`${detail} ${reason.message}`, advice.map(({ text }) => text).join(" ") || ASK_AGAIN);
    }),
};

const VERDICTS = {
  "no-nat": "No address translation",
  "one-nat": "One router",
  "double-nat": "Two routers in a row",
  "carrier-nat": "The provider shares one address among customers",
  "another-nat": "Another address translation in front of the router",
  "false-address": "The router names an address that the internet does not see",
} as const;

function hasWayIn({ reachability, relay }: NodeStatus, named: boolean): boolean {
  return named || reachability.state === "reachable" || relay.state === "connected";
}

export const reachabilityChecks: readonly Check[] = [mapping, outside, natPath];
