/** One service of an Internet Gateway Device that maps ports: its actions as typed questions (UPnP IGD:1 and IGD:2, WANIPConnection). */
import { parseAddress } from "../../src-shared/net/address.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import type { IgdService } from "./igd-description.ts";
import type { MappingRequest, Transport } from "./mapping.ts";
import { mappingFail } from "./mapping-errors.ts";
import type { MappingIo } from "./mapping-io.ts";
import { decodeAnswer, encodeAction, type SoapAnswer, UPNP_ERROR } from "./soap.ts";

/** What the router answered to an action that it did not refuse for a reason of its own. */
export type ActionAnswer = Exclude<SoapAnswer, { kind: "not-soap" }>;

export interface MappingEntry {
  internalAddress: string;
  internalPort: number;
}

export class IgdDevice {
  readonly service: IgdService;
  readonly #io: MappingIo;
  readonly #localAddress: string;
  readonly #clientAddress: string;

  /** @param clientAddress what the router forwards to, where a router in between makes that another address */
  constructor(io: MappingIo, service: IgdService, localAddress: string, clientAddress = localAddress) {
    this.#io = io;
    this.service = service;
    this.#localAddress = localAddress;
    this.#clientAddress = clientAddress;
  }

  /** Whether the service says that it chooses a free port where the wanted one is taken. */
  get choosesPorts(): boolean {
    return this.service.serviceType.endsWith("WANIPConnection:2");
  }

  async isConnected(signal: AbortSignal): Promise<Result<boolean>> {
    const answer = await this.#values("GetStatusInfo", [], signal);
    return answer.ok ? ok(answer.value.get("NewConnectionStatus") === "Connected") : answer;
  }

  /** Undefined where the router has none, and says so with an empty answer or 0.0.0.0. */
  async externalAddress(signal: AbortSignal): Promise<Result<string | undefined>> {
    const answer = await this.#values("GetExternalIPAddress", [], signal);
    if (!answer.ok) return answer;
    const text = answer.value.get("NewExternalIPAddress") ?? "";
    return ok(text === "0.0.0.0" || parseAddress(text) === undefined ? undefined : text);
  }

  /** AddPortMapping; renews a mapping that is there. */
  add(request: MappingRequest, signal: AbortSignal): Promise<Result<ActionAnswer>> {
    return this.act("AddPortMapping", this.#addArguments(request), signal);
  }

  /** AddAnyPortMapping: the port that was reserved, or the refusal. */
  addAny(request: MappingRequest, signal: AbortSignal): Promise<Result<ActionAnswer>> {
    return this.act("AddAnyPortMapping", this.#addArguments(request), signal);
  }

  remove(transport: Transport, externalPort: number, signal: AbortSignal): Promise<Result<ActionAnswer>> {
    return this.act("DeletePortMapping", entryArguments(transport, externalPort), signal);
  }

  /** Who has an external port; null where nobody has. */
  async entry(transport: Transport, externalPort: number, signal: AbortSignal): Promise<Result<MappingEntry | null>> {
    const answer = await this.act("GetSpecificPortMappingEntry", entryArguments(transport, externalPort), signal);
    if (!answer.ok) return answer;
    if (answer.value.kind === "error") {
      const { code } = answer.value;
      // miniupnpd and others use 713, "index invalid", for the same.
      return code === UPNP_ERROR.noSuchEntry || code === 713 ? ok(null) : upnpRefusal(answer.value);
    }
    const { values } = answer.value;
    return ok({
      internalAddress: values.get("NewInternalClient") ?? "",
      internalPort: Number(values.get("NewInternalPort") ?? 0),
    });
  }

  /** One action. A UPnP error is an answer; what is no SOAP at all is a failure. */
  async act(
    action: string,
    args: readonly (readonly [string, string])[],
    signal: AbortSignal,
  ): Promise<Result<ActionAnswer>> {
    const { body, headers } = encodeAction(this.service.serviceType, action, args);
    const question = { url: this.service.controlUrl, localAddress: this.#localAddress, body, headers, signal };
    const answer = await this.#io.http(question);
    if (!answer.ok) return answer;
    const decoded = decodeAnswer(action, answer.value.body);
    if (decoded.kind !== "not-soap") return ok(decoded);
    if (answer.value.status === 501) return mappingFail("router-unsupported", "HTTP status 501");
    const refused = answer.value.status < 200 || answer.value.status > 299;
    return refused
      ? mappingFail("upnp-http-status", `HTTP status ${answer.value.status}`)
      : mappingFail("upnp-not-xml");
  }

  async #values(action: string, args: readonly (readonly [string, string])[], signal: AbortSignal) {
    const answer = await this.act(action, args, signal);
    if (!answer.ok) return answer;
    return answer.value.kind === "result" ? ok(answer.value.values) : upnpRefusal(answer.value);
  }

  #addArguments(request: MappingRequest): [string, string][] {
    return [
      ...entryArguments(request.transport, request.externalPort),
      ["NewInternalPort", String(request.internalPort)],
      ["NewInternalClient", this.#clientAddress],
      ["NewEnabled", "1"],
      ["NewPortMappingDescription", request.description],
      ["NewLeaseDuration", String(request.lifetimeSeconds)],
    ];
  }
}

function entryArguments(transport: Transport, externalPort: number): [string, string][] {
  return [
    ["NewRemoteHost", ""],
    ["NewExternalPort", String(externalPort)],
    ["NewProtocol", transport.toUpperCase()],
  ];
}

/** A UPnP error that no other attempt can help. */
export function upnpRefusal({ code, description }: Extract<ActionAnswer, { kind: "error" }>): Result<never> {
  const detail = `UPnP error ${code}${description === "" ? "" : `, ${description}`}`;
  switch (code) {
    case UPNP_ERROR.notAuthorised:
      return mappingFail("not-authorised");
    case UPNP_ERROR.noPortMapsAvailable:
      return mappingFail("router-full");
    case UPNP_ERROR.conflict:
    case UPNP_ERROR.conflictWithOtherMechanisms:
      return mappingFail("port-conflict");
    case UPNP_ERROR.invalidAction:
    case UPNP_ERROR.optionalActionNotImplemented:
    case UPNP_ERROR.samePortValuesRequired:
      return mappingFail("router-unsupported", detail);
    default:
      return mappingFail("router-error", detail);
  }
}
