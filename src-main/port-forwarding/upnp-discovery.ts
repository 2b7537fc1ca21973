/** Chooses the Internet Gateway Device that can do the work, among those that answer. */
import { parseAddress } from "../../src-shared/net/address.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import { errorOf, type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { FIREWALL_SERVICES, type IgdService, MAPPING_SERVICES, readIgdDescription } from "./igd-description.ts";
import { IgdDevice } from "./igd-device.ts";
import type { HomeNetwork } from "./mapping.ts";
import { mappingFail, tellingRank } from "./mapping-errors.ts";
import type { MappingIo } from "./mapping-io.ts";
import { type FoundDevice, searchIgd } from "./upnp-search.ts";

/** As long as PCP and NAT-PMP are given; devices spread their answers to a question to all over one second. */
const SEARCH_TIMEOUT_MS = 3_000;
/** After the first usable device, how long a better one may take. The gateway itself, connected, is taken at once. */
const BETTER_WITHIN_MS = 400;

export interface ChosenDevice {
  device: IgdDevice;
  found: FoundDevice;
  externalAddress: string | undefined;
}

export interface DiscoverOptions {
  io: MappingIo;
  network: HomeNetwork;
  signal: AbortSignal;
  /** Called when the gateway is known not to listen; devices elsewhere on the network may still be found. */
  onRefused?: () => void;
  /** The address the gateway knows this machine by, where that is not its own: behind a router in between. */
  clientAddress?: string;
  ports?: { ssdp: number };
}

/** Something a device offers. Smaller ranks are better, and 0 is taken at once. */
interface Ranked {
  readonly rank: number;
}

interface Examined<T> {
  readonly candidates: readonly T[];
  readonly problems: readonly HiggsError[];
}

/** A device that maps ports. Errors: those of `discover`. */
export async function discoverIgd(options: DiscoverOptions): Promise<Result<ChosenDevice>> {
  return discover(options, (found, signal) => examine(options, found, signal));
}

/** The service that opens the router's IPv6 firewall, in a network whose gateway has an IPv6 address. The same errors. */
export async function discoverFirewall(options: DiscoverOptions): Promise<Result<IgdDevice>> {
  const found = await discover(options, (device, signal) => examineFirewall(options, device, signal));
  return found.ok ? ok(found.value.device) : found;
}

/**
 * The best of what devices offer that answer a search. Errors: `router-silent`, `router-refused`, `aborted`, and what was
 * wrong with the devices that answered.
 */
async function discover<T extends Ranked>(
  options: DiscoverOptions,
  look: (found: FoundDevice, signal: AbortSignal) => Promise<Examined<T>>,
): Promise<Result<T>> {
  const { io, signal } = options;
  const controller = new AbortController();
  const within = AbortSignal.any([signal, controller.signal]);
  const errors: HiggsError[] = [];
  let best: T | undefined;
  let refused = false;
  let underWay = 0;
  let searching = true;
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const timers: (() => void)[] = [];

  const examined = ({ candidates, problems }: Examined<T>) => {
    underWay--;
    errors.push(...problems);
    for (const candidate of candidates) {
      if (best === undefined) timers.push(io.clock.after(BETTER_WITHIN_MS, finish));
      if (best === undefined || candidate.rank < best.rank) best = candidate;
    }
    if (best?.rank === 0 || (!searching && underWay === 0)) finish();
  };
  const endSearch = () => {
    searching = false;
    stopSearch();
    if (underWay === 0) finish();
  };
  const stopSearch = searchIgd({
    ...options,
    signal: within,
    onFound: (found) => {
      underWay++;
      look(found, within).then(examined, (thrown: unknown) =>
        examined({ candidates: [], problems: [errorOf(thrown)] }),
      );
    },
    onForeign: () => {
      const foreign = mappingFail("upnp-foreign-address");
      errors.push(foreign.error);
    },
    onRefused: () => {
      refused = true;
      options.onRefused?.();
      // Nobody else is asked there.
      if (options.network.lanPrefix === null) endSearch();
    },
  });
  timers.push(io.clock.after(SEARCH_TIMEOUT_MS, endSearch));
  signal.addEventListener("abort", finish);
  if (signal.aborted) finish();
  try {
    await finished;
  } finally {
    for (const cancel of timers) cancel();
    stopSearch();
    signal.removeEventListener("abort", finish);
    controller.abort();
  }
  if (signal.aborted) return mappingFail("aborted");
  if (best !== undefined) return ok(best);
  const [error] = errors.sort((a, b) => tellingRank(a.code) - tellingRank(b.code));
  if (error !== undefined) return { ok: false, error };
  return mappingFail(refused ? "router-refused" : "router-silent");
}

/** A device's services of the wanted types. Errors: those of HTTP, `upnp-not-xml`, `upnp-foreign-address`, `upnp-no-service`. */
async function servicesOf(
  { io, network }: DiscoverOptions,
  { location }: FoundDevice,
  signal: AbortSignal,
  wanted: readonly string[],
): Promise<Result<readonly IgdService[]>> {
  const fetched = await io.http({ url: location, localAddress: network.address, signal });
  if (!fetched.ok) return fetched;
  const { status, body } = fetched.value;
  if (status !== 200) return mappingFail("upnp-http-status", `HTTP status ${status}`);
  const description = readIgdDescription(body, location, wanted);
  if (description.kind === "not-a-description") return mappingFail("upnp-not-xml");
  if (description.kind === "foreign-address") return mappingFail("upnp-foreign-address");
  return description.services.length === 0 ? mappingFail("upnp-no-service") : ok(description.services);
}

async function examineFirewall(options: DiscoverOptions, found: FoundDevice, signal: AbortSignal) {
  const services = await servicesOf(options, found, signal, FIREWALL_SERVICES);
  if (!services.ok) return { candidates: [], problems: [services.error] };
  const rank = found.isGateway ? 0 : 1;
  const devices = services.value.map((service) => new IgdDevice(options.io, service, options.network.address));
  return { candidates: devices.map((device) => ({ device, rank })), problems: [] };
}

async function examine(options: DiscoverOptions, found: FoundDevice, signal: AbortSignal) {
  const { io, network, clientAddress } = options;
  const services = await servicesOf(options, found, signal, MAPPING_SERVICES);
  if (!services.ok) return { candidates: [], problems: [services.error] };
  const problems: HiggsError[] = [];
  const candidates: (ChosenDevice & Ranked)[] = [];
  await Promise.all(
    services.value.map(async (service) => {
      const device = new IgdDevice(io, service, network.address, clientAddress);
      const [connected, external] = await Promise.all([device.isConnected(signal), device.externalAddress(signal)]);
      // A router that can say neither maps nothing.
      if (!connected.ok && !external.ok) {
        problems.push(external.error);
        return;
      }
      const externalAddress = external.ok ? external.value : undefined;
      const isConnected = !connected.ok || connected.value;
      candidates.push({ device, found, externalAddress, rank: rankOf(found, isConnected, externalAddress) });
    }),
  );
  return { candidates, problems };
}

function rankOf({ isGateway }: FoundDevice, connected: boolean, externalAddress: string | undefined): number {
  const parsed = externalAddress === undefined ? undefined : parseAddress(externalAddress);
  const reachable = connected && parsed !== undefined && isPublicAddress(parsed);
  if (reachable) return isGateway ? 0 : 1;
  return (connected ? 2 : 4) + (isGateway ? 0 : 1);
}
