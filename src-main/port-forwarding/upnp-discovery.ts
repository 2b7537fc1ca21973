/** Chooses the Internet Gateway Device that can do the work, among those that answer. */
import { parseAddress } from "../../src-shared/net/address.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import { type HiggsError, ok, type Result } from "../../src-shared/result.ts";
import { readIgdDescription } from "./igd-description.ts";
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
  ports?: { ssdp: number };
}

interface Candidate extends ChosenDevice {
  /** Smaller is better. */
  rank: number;
}

/** Errors: `router-silent`, `router-refused`, `aborted`, and what was wrong with the devices that answered. */
export async function discoverIgd(options: DiscoverOptions): Promise<Result<ChosenDevice>> {
  const { io, signal } = options;
  const controller = new AbortController();
  const within = AbortSignal.any([signal, controller.signal]);
  const errors: HiggsError[] = [];
  let best: Candidate | undefined;
  let refused = false;
  let underWay = 0;
  let searching = true;
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const timers: (() => void)[] = [];

  const examined = (candidates: Candidate[], problems: HiggsError[]) => {
    underWay--;
    errors.push(...problems);
    for (const candidate of candidates) {
      if (best === undefined) timers.push(io.clock.after(BETTER_WITHIN_MS, finish));
      if (best === undefined || candidate.rank < best.rank) best = candidate;
    }
    if (best?.rank === 0 || (!searching && underWay === 0)) finish();
  };
  const stopSearch = searchIgd({
    ...options,
    signal: within,
    onFound: (found) => {
      underWay++;
      void examine(options, found, within).then(({ candidates, problems }) => examined(candidates, problems));
    },
    onForeign: () => {
      const foreign = mappingFail("upnp-foreign-address");
      errors.push(foreign.error);
    },
    onRefused: () => {
      refused = true;
      options.onRefused?.();
    },
  });
  timers.push(
    io.clock.after(SEARCH_TIMEOUT_MS, () => {
      searching = false;
      stopSearch();
      if (underWay === 0) finish();
    }),
  );
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

async function examine({ io, network }: DiscoverOptions, found: FoundDevice, signal: AbortSignal) {
  const none = (error: HiggsError) => ({ candidates: [], problems: [error] });
  const fetched = await io.http({ url: found.location, localAddress: network.address, signal });
  if (!fetched.ok) return none(fetched.error);
  const { status, body } = fetched.value;
  if (status !== 200) return none(mappingFail("upnp-http-status", `HTTP status ${status}`).error);
  const description = readIgdDescription(body, found.location);
  if (description.kind === "not-a-description") return none(mappingFail("upnp-not-xml").error);
  if (description.kind === "foreign-address") return none(mappingFail("upnp-foreign-address").error);
  const problems: HiggsError[] = [];
  const candidates: Candidate[] = [];
  if (description.services.length === 0) problems.push(mappingFail("upnp-no-service").error);
  await Promise.all(
    description.services.map(async (service) => {
      const device = new IgdDevice(io, service, network.address);
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
