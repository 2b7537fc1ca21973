/** IPv6 for guests, and this machine's own while it forwards. */
import { readFileSync } from "node:fs";
import { exitOf } from "../../../src-shared/model/node-state.ts";
import { formatEndpoint } from "../../../src-shared/net/endpoint.ts";
import { type Check, failed, pass, skipped, warn, whileOnline, whileSharing } from "../check.ts";

const REAPPLY = "Switch sharing off and on again: higgsnode off && higgsnode on";

const guests: Check = {
  id: "ipv6.guests",
  group: "ipv6",
  title: "Guests reach the internet over IPv6",
  run: (context) =>
    whileOnline(context, (_, { state }) => {
      const ipv6 = exitOf(state)?.ipv6;
      switch (ipv6?.state) {
        case undefined:
          return skipped("Sharing is off.");
        case "off":
          return skipped(ipv6.reason.message);
        case "failed":
          return warn(ipv6.error.message, ipv6.error.hint ?? "Guests get IPv4 only.");
        case "on":
          break;
      }
      if (ipv6.check?.outcome === "failed") {
        return warn(ipv6.check.error.message, ipv6.check.error.hint ?? "Guests fall back to IPv4.");
      }
      return pass(`${ipv6.mode}${ipv6.check === undefined ? "; nobody out there was asked yet" : ", answered"}.`);
    }),
};

const forwarding: Check = {
  id: "ipv6.forwarding",
  group: "ipv6",
  title: "IPv6 packets are forwarded",
  run: (context) =>
    whileSharing(context, ({ plan, ipv6Failed }, { observation }) => {
      if (plan.spec.exit.ipv6 === "off" || ipv6Failed) return skipped("Guests have no IPv6.");
      return observation.forwarding.ipv6 === true ? pass("On.") : failed("IPv6 forwarding is off.", REAPPLY);
    }),
};

/** A machine that forwards ignores router advertisements unless it is told not to (ip-sysctl, accept_ra). */
const advertisements: Check = {
  id: "ipv6.advertisements",
  group: "ipv6",
  title: "This computer keeps its own IPv6 route while it forwards",
  run: (context) =>
    whileSharing(context, ({ plan }, { observation }) => {
      const name = plan.uplink.ipv6;
      if (name === null) return skipped("There is no IPv6 uplink.");
      if (observation.forwarding.ipv6 !== true) return skipped("IPv6 is not forwarded.");
      const value = readSetting(`/proc/sys/net/ipv6/conf/${name}/accept_ra`);
      if (value === undefined) return skipped("This system does not say.");
      if (value !== "1") return pass(`accept_ra is ${value} on ${name}.`);
      const fix = `sudo sysctl -w net.ipv6.conf.${name}.accept_ra=2`;
      return warn(`${name} ignores router advertisements: its IPv6 route will be forgotten.`, fix);
    }),
};

const wayIn: Check = {
  id: "ipv6.way-in",
  group: "ipv6",
  title: "The router lets guests in over IPv6",
  run: (context) =>
    whileOnline(context, ({ pinhole }) => {
      switch (pinhole?.state) {
        case undefined:
        case "off":
          return skipped("Not asked for: there is no router that filters, or port mapping is off.");
        case "asking":
          return skipped("The router is being asked at this moment.");
        case "open":
          return pass(`At ${formatEndpoint(pinhole.endpoint)}.`);
        case "closed":
          // Guests come in over IPv4; nothing is broken.
          return skipped(pinhole.reason.message);
      }
    }),
};

function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

export const ipv6Checks: readonly Check[] = [guests, forwarding, advertisements, wayIn];
