/** A second router in the home, with a line of its own: where a machine with two uplinks can turn to. */
import { SECOND_UPLINK } from "./addresses.ts";
import type { LabHost } from "./lab-host.ts";
import { Router } from "./router.ts";
import { connect } from "./wiring.ts";

export interface SecondUplinkHosts {
  node: LabHost;
  inet: LabHost;
  router: LabHost;
  ipv6: boolean;
}

/** Wires and starts it; the node gets addresses on eth1 and no default route. */
export async function wireSecondUplink({ node, inet, router, ipv6 }: SecondUplinkHosts): Promise<Router> {
  const { line, customer, lanIpv6, router: gateway, node: own } = SECOND_UPLINK;
  await connect({ host: node, name: "eth1" }, { host: router, name: "lan" });
  await connect({ host: router, name: "wan" }, { host: inet, name: "second-line" });
  const with6 = (lines: string[]) => (ipv6 ? lines : []);
  await node.ip([`address add ${own.ipv4}/24 dev eth1`, ...with6([`address add ${own.ipv6}/64 dev eth1 nodad`])]);
  await router.ip([
    `address add ${gateway.ipv4}/24 dev lan`,
    `address add ${customer.ipv4}/24 dev wan`,
    `route add default via ${line.ipv4}`,
    ...with6([
      `address add ${gateway.ipv6}/64 dev lan nodad`,
      `address add ${customer.ipv6}/64 dev wan nodad`,
      `route add default via ${line.ipv6}`,
    ]),
  ]);
  await inet.ip([
    `address add ${line.ipv4}/24 dev second-line`,
    ...with6([`address add ${line.ipv6}/64 dev second-line nodad`, `route add ${lanIpv6} via ${customer.ipv6}`]),
  ]);
  const made = new Router(router, { wanInterface: "wan", lanInterface: "lan", ipv6: "filtered" }, undefined);
  await made.start();
  return made;
}
