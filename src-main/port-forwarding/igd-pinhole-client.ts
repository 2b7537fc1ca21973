/**
 * Speaks UPnP's WANIPv6FirewallControl:1 with one router: openings in its IPv6 firewall for this machine's own address.
 * miniupnpd and others answer it only over IPv6, and only to the machine that the opening is for.
 */
import { ok, type Result } from "../../src-shared/result.ts";
import { type ActionAnswer, IgdDevice, upnpRefusal } from "./igd-device.ts";
import type { HomeNetwork, Mapping, MappingClient, MappingRequest } from "./mapping.ts";
import { mappingFail } from "./mapping-errors.ts";
import type { MappingIo } from "./mapping-io.ts";
import { UPNP_ERROR } from "./soap.ts";
import { discoverFirewall } from "./upnp-discovery.ts";
import { hostOf, isAtHome } from "./upnp-search.ts";

/** IANA's protocol numbers. */
const PROTOCOL_NUMBERS = { udp: "17", tcp: "6" } as const;
/** Section 2.3: the longest lease there is. */
const MAX_LEASE_SECONDS = 86_400;
/** What an opening is asked for again with, only to be told its name and close it. */
const PASSING_LEASE_SECONDS = 60;
const MAX_ID = 65_535;

/** The control address may have moved, as after a restart of the router: it is looked for again. */
const MOVED: ReadonlySet<string> = new Set(["upnp-unreachable", "upnp-http-status", "upnp-not-xml"]);

export interface IgdPinholeOptions {
  readonly io: MappingIo;
  /** With IPv6 addresses: the router's, and the one guests are to be let in to. */
  readonly network: HomeNetwork;
  readonly ports?: { ssdp: number };
}

export class IgdPinholeClient implements MappingClient {
  readonly protocol = "upnp";
  readonly #options: IgdPinholeOptions;
  #device: IgdDevice | undefined;
  /** Names the router has told this client. One from before a restart of the router may be another program's by now. */
  readonly #told = new Set<number>();

  constructor(options: IgdPinholeOptions) {
    this.#options = options;
  }

  /** Errors beside those of the search: `firewall-off`, `pinhole-forbidden`. */
  async probe(signal: AbortSignal): Promise<Result<void>> {
    const found = await discoverFirewall({ ...this.#options, signal });
    if (!found.ok) return found;
    this.#device = found.value;
    const answer = await found.value.act("GetFirewallStatus", [], signal);
    if (!answer.ok) return answer;
    // A router that cannot say is asked for what is wanted all the same.
    if (answer.value.kind === "error") return ok(undefined);
    const { values } = answer.value;
    if (isNo(values.get("FirewallEnabled"))) return mappingFail("firewall-off");
    return isNo(values.get("InboundPinholeAllowed")) ? mappingFail("pinhole-forbidden") : ok(undefined);
  }

  /** Opens, or renews what `former` names. The port outside is the one inside: nothing is translated. */
  async map(
    request: MappingRequest,
    { signal, former, onIntent }: Parameters<MappingClient["map"]>[1],
  ): Promise<Result<Mapping>> {
    const known = this.#device;
    if (known === undefined) {
      const probed = await this.probe(signal);
      if (!probed.ok) return probed;
    } else if (former?.pinhole !== undefined && former.pinhole.id !== null) {
      const renewed = await this.#renew(known, former, request, signal);
      if (renewed !== undefined) return renewed;
    }
    const opened = await this.#open(request, signal, onIntent);
    if (opened.ok || known === undefined || !MOVED.has(opened.error.code)) return opened;
    const probed = await this.probe(signal);
    return probed.ok ? this.#open(request, signal, onIntent) : probed;
  }

  async unmap(mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
    const { io, network } = this.#options;
    const { control } = mapping;
    if (control !== undefined && isAtHome(hostOf(new URL(control.url)), network)) {
      const service = { controlUrl: control.url, serviceType: control.serviceType };
      const closed = await this.#close(new IgdDevice(io, service, network.address), mapping, signal);
      if (closed.ok || !MOVED.has(closed.error.code)) return closed;
    }
    const found = await discoverFirewall({ ...this.#options, signal });
    if (!found.ok) return found;
    return this.#close(found.value, mapping, signal);
  }

  /** Whether the router still knows the opening by its name. */
  async verify({ pinhole }: Mapping, signal: AbortSignal): Promise<Result<void>> {
    if (this.#device === undefined || pinhole === undefined || pinhole.id === null) return mappingFail("mapping-lost");
    const answer = await this.#device.act("GetPinholePackets", idArguments(pinhole.id), signal);
    if (!answer.ok) return MOVED.has(answer.error.code) ? mappingFail("mapping-lost") : answer;
    if (answer.value.kind === "result") return ok(undefined);
    return isUnknown(answer.value) ? mappingFail("mapping-lost") : ok(undefined);
  }

  async externalAddress(): Promise<Result<string>> {
    return ok(this.#options.network.address);
  }

  /** Undefined where the router does not know it any more, or does not renew. */
  async #renew(
    device: IgdDevice,
    former: Mapping,
    request: MappingRequest,
    signal: AbortSignal,
  ): Promise<Result<Mapping> | undefined> {
    const lifetimeSeconds = Math.min(request.lifetimeSeconds, MAX_LEASE_SECONDS);
    const args = [...idArguments(former.pinhole?.id ?? 0), ["NewLeaseTime", String(lifetimeSeconds)] as const];
    const answer = await device.act("UpdatePinhole", args, signal);
    if (!answer.ok) return answer.error.code === "aborted" ? answer : undefined;
    return answer.value.kind === "result" ? ok({ ...former, lifetimeSeconds }) : undefined;
  }

  async #open(
    request: MappingRequest,
    signal: AbortSignal,
    onIntent: ((intent: Mapping) => void) | undefined,
  ): Promise<Result<Mapping>> {
    const device = this.#device;
    if (device === undefined) return mappingFail("router-silent");
    const { address, gateway } = this.#options.network;
    const intent: Mapping = {
      protocol: "upnp",
      gateway,
      address,
      transport: request.transport,
      internalPort: request.internalPort,
      externalAddress: address,
      externalPort: request.internalPort,
      lifetimeSeconds: Math.min(request.lifetimeSeconds, MAX_LEASE_SECONDS),
      control: { url: device.service.controlUrl, serviceType: device.service.serviceType },
      pinhole: { id: null },
    };
    onIntent?.(intent);
    const id = await this.#add(device, intent, intent.lifetimeSeconds, signal);
    return id.ok ? ok({ ...intent, pinhole: { id: id.value } }) : id;
  }

  /** AddPinhole: the name the router gives it, which is the former one where the same was open already (section 2.5.3). */
  async #add(device: IgdDevice, mapping: Mapping, leaseSeconds: number, signal: AbortSignal): Promise<Result<number>> {
    const answer = await device.act(
      "AddPinhole",
      [
        ["RemoteHost", ""],
        ["RemotePort", "0"],
        ["InternalClient", mapping.address],
        ["InternalPort", String(mapping.internalPort)],
        ["Protocol", PROTOCOL_NUMBERS[mapping.transport]],
        ["LeaseTime", String(leaseSeconds)],
      ],
      signal,
    );
    if (!answer.ok) return answer;
    if (answer.value.kind === "error") return refusalOf(answer.value);
    const text = answer.value.values.get("UniqueID") ?? "";
    const id = Number(text);
    if (!/^\d+$/.test(text) || id > MAX_ID) return mappingFail("answer-malformed");
    this.#told.add(id);
    return ok(id);
  }

  async #close(device: IgdDevice, mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
    let id = mapping.pinhole?.id ?? null;
    if (id === null || !this.#told.has(id)) {
      // Asked for again it is named, whatever became of it; and if it stays it does not stay for long.
      const named = await this.#add(device, mapping, PASSING_LEASE_SECONDS, signal);
      if (!named.ok) return named;
      id = named.value;
    }
    const answer = await device.act("DeletePinhole", idArguments(id), signal);
    if (!answer.ok) return answer;
    return answer.value.kind === "result" || isUnknown(answer.value) ? ok(undefined) : refusalOf(answer.value);
  }
}

function idArguments(id: number): readonly (readonly [string, string])[] {
  return [["UniqueID", String(id)]];
}

/** miniupnpd says 402 of a name that it does not know. */
function isUnknown({ code }: { code: number }): boolean {
  return code === UPNP_ERROR.noSuchPinhole || code === UPNP_ERROR.invalidArgs;
}

/** A boolean of UPnP (Device Architecture 1.1, table 2-3); what is none of them says nothing. */
function isNo(text: string | undefined): boolean {
  return ["0", "false", "no"].includes(text?.toLowerCase() ?? "");
}

function refusalOf(error: Extract<ActionAnswer, { kind: "error" }>): Result<never> {
  switch (error.code) {
    case UPNP_ERROR.pinholeSpaceExhausted:
      return mappingFail("router-full");
    case UPNP_ERROR.firewallDisabled:
      return mappingFail("firewall-off");
    case UPNP_ERROR.inboundPinholeNotAllowed:
      return mappingFail("pinhole-forbidden");
    default:
      return upnpRefusal(error);
  }
}
