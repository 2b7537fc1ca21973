/** Speaks UPnP IGD, versions 1 and 2, with the routers of one network. */
import { parseAddress } from "../../src-shared/net/address.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { IgdDevice, upnpRefusal } from "./igd-device.ts";
import { clientAddressOf, type HomeNetwork, type Mapping, type MappingClient, type MappingRequest } from "./mapping.ts";
import { mappingFail } from "./mapping-errors.ts";
import { type MappingIo, randomInteger } from "./mapping-io.ts";
import { UPNP_ERROR } from "./soap.ts";
import { type ChosenDevice, discoverIgd } from "./upnp-discovery.ts";
import { hostOf, isAtHome } from "./upnp-search.ts";

/** External ports tried before the router is believed to refuse all. Each costs two requests. */
const MAX_PORTS_TRIED = 8;
/** Ports that nobody has registered (RFC 6335, section 6). */
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;

/** The control address may have moved, as after a restart of the router: it is looked for again. */
const MOVED: ReadonlySet<string> = new Set(["upnp-unreachable", "upnp-http-status", "upnp-not-xml"]);

export interface UpnpClientOptions {
  io: MappingIo;
  network: HomeNetwork;
  /** The gateway is known not to listen; devices elsewhere on the network may still be found. */
  onRefused?: () => void;
  /** The address the router knows this machine by, where that is not its own: behind a router in between. */
  clientAddress?: string;
  ports?: { ssdp: number };
}

interface Attempt {
  request: MappingRequest;
  signal: AbortSignal;
  onIntent: ((intent: Mapping) => void) | undefined;
}

export class UpnpClient implements MappingClient {
  readonly protocol = "upnp";
  readonly #options: UpnpClientOptions;
  #chosen: ChosenDevice | undefined;

  constructor(options: UpnpClientOptions) {
    this.#options = options;
  }

  /** The device that was found, whose announcements tell of restarts. */
  get device(): { address: string; bootId: string | undefined } | undefined {
    return this.#chosen?.found;
  }

  async probe(signal: AbortSignal): Promise<Result<void>> {
    const found = await discoverIgd({ ...this.#options, signal });
    if (!found.ok) return found;
    this.#chosen = found.value;
    return ok(undefined);
  }

  async map(
    request: MappingRequest,
    { signal, onIntent }: Parameters<MappingClient["map"]>[1],
  ): Promise<Result<Mapping>> {
    const former = this.#chosen;
    if (former === undefined) {
      const found = await this.probe(signal);
      if (!found.ok) return found;
    }
    const attempt = { request, signal, onIntent };
    const mapped = await this.#map(attempt);
    if (mapped.ok || former === undefined || !MOVED.has(mapped.error.code)) return mapped;
    const found = await this.probe(signal);
    return found.ok ? this.#map(attempt) : mapped;
  }

  async unmap(mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
    const { io, network } = this.#options;
    const known = mapping.control;
    if (known !== undefined && isAtHome(hostOf(new URL(known.url)), network)) {
      const service = { controlUrl: known.url, serviceType: known.serviceType };
      const device = new IgdDevice(io, service, network.address, mapping.clientAddress);
      const removed = await remove(device, mapping, signal);
      if (removed.ok || !MOVED.has(removed.error.code)) return removed;
    }
    const found = await this.probe(signal);
    if (!found.ok || this.#chosen === undefined) return found;
    return remove(this.#chosen.device, mapping, signal);
  }

  async verify(mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
    const device = this.#chosen?.device;
    if (device === undefined) return mappingFail("mapping-lost");
    const [entry, external] = await Promise.all([
      device.entry(mapping.transport, mapping.externalPort, signal),
      device.externalAddress(signal),
    ]);
    if (!entry.ok) return MOVED.has(entry.error.code) ? mappingFail("mapping-lost") : entry;
    const isOurs =
      entry.value?.internalAddress === clientAddressOf(mapping) && entry.value.internalPort === mapping.internalPort;
    const moved = external.ok && external.value !== undefined && external.value !== mapping.externalAddress;
    return isOurs && !moved ? ok(undefined) : mappingFail("mapping-lost");
  }

  async externalAddress(signal: AbortSignal): Promise<Result<string>> {
    const answer = await this.#chosen?.device.externalAddress(signal);
    if (answer === undefined) return mappingFail("router-silent");
    if (!answer.ok) return answer;
    return answer.value === undefined ? mappingFail("no-public-address") : ok(answer.value);
  }

  async #map(attempt: Attempt): Promise<Result<Mapping>> {
    const chosen = this.#chosen;
    if (chosen === undefined) return mappingFail("router-silent");
    const external = chosen.device.externalAddress(attempt.signal);
    const mapped = chosen.device.choosesPorts
      ? await this.#mapAny(chosen, attempt)
      : await this.#mapExactly(chosen, attempt);
    const address = await external;
    if (address.ok) chosen.externalAddress = address.value;
    if (mapped.ok) return ok({ ...mapped.value, externalAddress: chosen.externalAddress ?? null });
    // A router that has no public address refuses with a code that says nothing of it, 501 most often.
    const { code } = mapped.error;
    return code === "router-error" && !hasPublicAddress(chosen) ? mappingFail("no-public-address") : mapped;
  }

  /** Version 2: the router chooses another port where the wanted one is taken. */
  async #mapAny(
    chosen: ChosenDevice,
    attempt: Attempt,
    lifetimeSeconds = attempt.request.lifetimeSeconds,
  ): Promise<Result<Mapping>> {
    const request = { ...attempt.request, lifetimeSeconds };
    const intent = this.#intent(chosen, request);
    attempt.onIntent?.(intent);
    const answer = await chosen.device.addAny(request, attempt.signal);
    if (!answer.ok) return answer;
    if (answer.value.kind === "result") {
      const reserved = Number(answer.value.values.get("NewReservedPort"));
      return ok({
        ...intent,
        externalPort:
          Number.isInteger(reserved) && reserved > 0 && reserved <= LAST_PORT ? reserved : request.externalPort,
      });
    }
    const { code } = answer.value;
    if (refusesLeases(code) && lifetimeSeconds > 0) return this.#mapAny(chosen, attempt, 0);
    const isMissing = code === UPNP_ERROR.invalidAction || code === UPNP_ERROR.optionalActionNotImplemented;
    const isTaken = code === UPNP_ERROR.conflict || code === UPNP_ERROR.conflictWithOtherMechanisms;
    return isMissing || isTaken ? this.#mapExactly(chosen, attempt) : upnpRefusal(answer.value);
  }

  /** Version 1: port after port, until one is free. */
  async #mapExactly(chosen: ChosenDevice, attempt: Attempt): Promise<Result<Mapping>> {
    const { signal, onIntent } = attempt;
    let { externalPort, lifetimeSeconds } = attempt.request;
    let last: Result<never> = mappingFail("port-conflict");
    for (let tried = 0; tried < MAX_PORTS_TRIED; ) {
      const request = { ...attempt.request, externalPort, lifetimeSeconds };
      // Some routers give a port to whoever asks last; nobody's forwarding is taken away.
      const holder = await chosen.device.entry(request.transport, externalPort, signal);
      const isTaken = holder.ok && holder.value !== null && !this.#isOurs(holder.value, request);
      if (!holder.ok && holder.error.code === "aborted") return holder;
      if (!isTaken) {
        const intent = this.#intent(chosen, request);
        onIntent?.(intent);
        const answer = await chosen.device.add(request, signal);
        if (!answer.ok) return answer;
        if (answer.value.kind === "result") return ok(intent);
        const { code } = answer.value;
        last = upnpRefusal(answer.value);
        if (refusesLeases(code) && lifetimeSeconds > 0) {
          lifetimeSeconds = 0;
          continue;
        }
        if (code === UPNP_ERROR.samePortValuesRequired && externalPort !== request.internalPort) {
          externalPort = request.internalPort;
          tried++;
          continue;
        }
        if (code !== UPNP_ERROR.conflict && code !== UPNP_ERROR.conflictWithOtherMechanisms) return last;
      }
      tried++;
      externalPort = randomInteger(this.#options.io, FIRST_DYNAMIC_PORT, LAST_PORT);
    }
    return last;
  }

  #isOurs(entry: { internalAddress: string; internalPort: number }, { internalPort }: MappingRequest): boolean {
    const { network, clientAddress = network.address } = this.#options;
    return entry.internalAddress === clientAddress && entry.internalPort === internalPort;
  }

  #intent({ device, found }: ChosenDevice, request: MappingRequest): Mapping {
    const { network, clientAddress } = this.#options;
    return {
      protocol: "upnp",
      gateway: found.address,
      address: network.address,
      ...(clientAddress === undefined ? {} : { clientAddress }),
      transport: request.transport,
      internalPort: request.internalPort,
      externalAddress: null,
      externalPort: request.externalPort,
      lifetimeSeconds: request.lifetimeSeconds,
      control: { url: device.service.controlUrl, serviceType: device.service.serviceType },
    };
  }
}

/** 725 by the book; version 2 routers that know no permanent leases of others say 402. */
function refusesLeases(code: number): boolean {
  return code === UPNP_ERROR.onlyPermanentLeases || code === UPNP_ERROR.invalidArgs;
}

function hasPublicAddress({ externalAddress }: ChosenDevice): boolean {
  const parsed = externalAddress === undefined ? undefined : parseAddress(externalAddress);
  return parsed !== undefined && isPublicAddress(parsed);
}

async function remove(device: IgdDevice, mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
  const holder = await device.entry(mapping.transport, mapping.externalPort, signal);
  if (holder.ok) {
    const isOurs =
      holder.value?.internalAddress === clientAddressOf(mapping) && holder.value.internalPort === mapping.internalPort;
    // Gone already, or somebody else's by now: not ours to delete.
    if (!isOurs) return ok(undefined);
  } else if (holder.error.code === "aborted" || MOVED.has(holder.error.code)) {
    return holder;
  }
  const answer = await device.remove(mapping.transport, mapping.externalPort, signal);
  if (!answer.ok) return answer;
  if (answer.value.kind === "error" && answer.value.code !== UPNP_ERROR.noSuchEntry) return upnpRefusal(answer.value);
  return ok(undefined);
}
