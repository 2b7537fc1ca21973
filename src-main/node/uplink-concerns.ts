/** Whether the interfaces that lead to the internet are connected: a route stays in place when its cable is pulled. */
import { networkInterfaces } from "node:os";
import type { HiggsError } from "../../src-shared/result.ts";
import type { ExitPlan } from "./exit-planner.ts";

/** Names of the interfaces that are up, have a carrier and an address, as the system lists them to everybody. */
export function interfacesUp(): ReadonlySet<string> {
  // Linux lists an address with a label under the label, which begins with the interface's name (ip-address(8)).
  return new Set(Object.keys(networkInterfaces()).map((name) => name.split(":")[0] ?? name));
}

/** IPv4 counts where there is any: it is what guests cannot do without. */
export function uplinkConcerns({ uplink }: Pick<ExitPlan, "uplink">, up: ReadonlySet<string>): HiggsError[] {
  const name = uplink.ipv4 ?? uplink.ipv6;
  if (name === null || up.has(name)) return [];
  return [
    {
      code: "uplink-down",
      message: `The connection ${name}, which leads to the internet, is not connected.`,
      hint: "Plug the cable in, or join the wireless network again.",
    },
  ];
}
