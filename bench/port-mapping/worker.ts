/**
 * Runs on a host of the lab: maps and deletes one port with one of our clients, several times, and prints one line of JSON with
 * the times in milliseconds. Usage: worker.ts PROTOCOL GATEWAY ADDRESS LAN_PREFIX ROUNDS
 */
import process from "node:process";
import type { HomeNetwork, MappingClient } from "../../src-main/port-forwarding/mapping.ts";
import { systemIo } from "../../src-main/port-forwarding/mapping-io.ts";
import { NatPmpClient } from "../../src-main/port-forwarding/nat-pmp-client.ts";
import { PcpClient } from "../../src-main/port-forwarding/pcp-client.ts";
import { UpnpClient } from "../../src-main/port-forwarding/upnp-client.ts";
import { unwrap } from "../../src-shared/result.ts";

const PORT = 51_820;
const LIFETIME_SECONDS = 3_600;

const [protocol, gateway = "", address = "", lanPrefix = "", rounds] = process.argv.slice(2);
const network: HomeNetwork = { gateway, address, lanPrefix };

function client(): MappingClient {
  const io = systemIo();
  switch (protocol) {
    case "pcp":
      return new PcpClient({ io, network });
    case "nat-pmp":
      return new NatPmpClient({ io, network });
    default:
      return new UpnpClient({ io, network });
  }
}

const times = { mapMs: [] as number[], deleteMs: [] as number[] };
const { signal } = new AbortController();
// One round more than is counted: the first pays for loading and compiling.
for (let round = 0; round <= Number(rounds); round++) {
  const mapper = client();
  const startedMs = performance.now();
  const request = {
    transport: "udp",
    internalPort: PORT,
    externalPort: PORT,
    lifetimeSeconds: LIFETIME_SECONDS,
    description: "HiggsNode",
  } as const;
  // UPnP has to find its router first; that belongs to the call.
  const mapping = unwrap(await mapper.map(request, { signal }));
  const mappedMs = performance.now();
  if (mapping.externalAddress === null) throw new Error("the router did not tell its address");
  unwrap(await mapper.unmap(mapping, signal));
  if (round > 0) {
    times.mapMs.push(mappedMs - startedMs);
    times.deleteMs.push(performance.now() - mappedMs);
  }
}
process.stdout.write(`${JSON.stringify(times)}\n`);
