/** Whether packets of the tunnel's size get through whole: on the uplink's link, and on the path beyond. */
import type { Family } from "../../../src-shared/net/address.ts";
import { egressTargetsOf } from "../../routing/egress-targets.ts";
import { readUplinks } from "../../routing/network-route-manager.ts";
import { INTERFACE_NAME } from "../../wireguard/wireguard-manager.ts";
import { type Check, type CheckContext, failed, pass, skipped, type Verdict, warn, withMachine } from "../check.ts";

/** Outer IP header, UDP, WireGuard's header and tag (WireGuard paper, section 5.4.6): 20 or 40, 8, 32 bytes. */
const OVERHEAD_BYTES = { 4: 60, 6: 80 } as const;

/** The least that IPv6 allows (RFC 8200, section 5), and that a tunnel here may have. */
const LEAST_MTU = 1_280;

const link: Check = {
  id: "mtu.link",
  group: "mtu",
  title: "The tunnel's packets fit the uplink",
  run: (context) =>
    withMachine(context, ({ observation }) => {
      const uplinks = readUplinks(observation, INTERFACE_NAME);
      const name = uplinks.ipv4?.interfaceName ?? uplinks.ipv6?.interfaceName;
      const found = observation.links.find((one) => one.name === name);
      if (found === undefined) return skipped("There is no uplink.");
      const needed = context.settings.mtu + OVERHEAD_BYTES[uplinks.ipv4 === null ? 6 : 4];
      const detail = `${found.name} takes ${found.mtu} bytes, the tunnel sends up to ${needed}.`;
      return found.mtu >= needed ? pass(detail) : warn(`${detail} Larger ones are cut in two.`, smaller(found.mtu));
    }),
};

function path(family: Family): Check {
  return {
    id: `mtu.path${family}`,
    group: "mtu",
    title: `Large packets get through over IPv${family}`,
    async run(context) {
      const target = targetOf(context, family);
      if (typeof target !== "string") return target;
      const { probe, settings } = context;
      if (probe === null) return skipped("Only the privileged helper can try it.");
      const seen = await probe.pathMtu(target);
      if (!seen.ok) return skipped(seen.error.message);
      const { mtu, told } = seen.value;
      const needed = settings.mtu + OVERHEAD_BYTES[family];
      if (mtu === null) return skipped("The target does not answer echo requests, so it cannot be told.");
      if (mtu >= Math.min(needed, seen.value.tried)) return pass(`Up to ${mtu} bytes.`);
      if (told === null) {
        return failed(
          `More than ${mtu} bytes vanish without a word, and the tunnel sends up to ${needed}.`,
          smaller(mtu),
        );
      }
      return warn(`The path takes ${told} bytes, the tunnel sends up to ${needed}.`, smaller(Math.min(mtu, told)));
    },
  };
}

/** The address to try, or why there is none. */
function targetOf({ settings, machine }: CheckContext, family: Family): string | Verdict {
  const [target] = egressTargetsOf(settings.egressTargets, family);
  if (target === undefined) return skipped("No address to try is set (egressTargets).");
  if (!machine.ok) return skipped("Not looked at: only the privileged helper can try it.");
  const uplinks = readUplinks(machine.value.observation, INTERFACE_NAME);
  const uplink = family === 4 ? uplinks.ipv4 : uplinks.ipv6;
  return uplink === null ? skipped(`This network has no IPv${family}.`) : target.host;
}

function smaller(pathMtu: number): string {
  const mtu = Math.max(LEAST_MTU, pathMtu - OVERHEAD_BYTES[6]);
  return `Make the tunnel narrower: higgsnode settings set mtu=${mtu}`;
}

export const mtuChecks: readonly Check[] = [link, path(4), path(6)];
