/** Speaks NAT-PMP (RFC 6886) with one router. */
import { ok, type Result } from "../../src-shared/result.ts";
import { EpochTracker } from "./epoch.ts";
import { exchange } from "./exchange.ts";
import type { Mapping, MappingClient, MappingRequest } from "./mapping.ts";
import { mappingFail } from "./mapping-errors.ts";
import {
  decodeNatPmpAnswer,
  encodeNatPmpAddressRequest,
  encodeNatPmpMap,
  encodeNatPmpUnmap,
  MAPPING_SERVER_PORT,
  NAT_PMP_RESULT,
  type NatPmpAnswer,
} from "./nat-pmp-message.ts";
import type { DatagramClientOptions } from "./pcp-client.ts";

type Granted = Extract<NatPmpAnswer, { kind: "address" | "map" }>;

export class NatPmpClient implements MappingClient {
  readonly protocol = "nat-pmp";
  readonly #options: DatagramClientOptions;
  readonly #epoch: EpochTracker;
  #externalAddress: string | undefined;

  constructor(options: DatagramClientOptions) {
    this.#options = options;
    this.#epoch = new EpochTracker(options.io.clock);
  }

  async probe(signal: AbortSignal): Promise<Result<void>> {
    const answer = await this.externalAddress(signal);
    return answer.ok ? ok(undefined) : answer;
  }

  async map(request: MappingRequest, { signal, onIntent }: Parameters<MappingClient["map"]>[1]) {
    const { gateway, address } = this.#options.network;
    const intent: Mapping = {
      protocol: "nat-pmp",
      gateway,
      address,
      transport: request.transport,
      internalPort: request.internalPort,
      externalAddress: null,
      externalPort: request.externalPort,
      lifetimeSeconds: request.lifetimeSeconds,
    };
    onIntent?.(intent);
    const message = encodeNatPmpMap({ ...request, suggestedExternalPort: request.externalPort });
    // The router may have another address since it was probed; asked beside the mapping it costs no time.
    const [mapped, external] = await Promise.all([
      this.#askAboutPort(message, request, signal),
      this.externalAddress(signal),
    ]);
    if (!mapped.ok) return mapped;
    const { externalPort, lifetimeSeconds } = mapped.value;
    if (externalPort === 0 || lifetimeSeconds === 0) return mappingFail("answer-malformed");
    const externalAddress = external.ok ? external.value : (this.#externalAddress ?? null);
    return ok({ ...intent, externalAddress, externalPort, lifetimeSeconds });
  }

  async unmap(mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
    const answer = await this.#askAboutPort(encodeNatPmpUnmap(mapping), mapping, signal);
    return answer.ok ? ok(undefined) : answer;
  }

  async verify(mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
    let lost = false;
    const answer = await this.#ask(encodeNatPmpAddressRequest(), signal, (candidate) => {
      if (candidate.kind !== "address") return undefined;
      lost = !this.#epoch.accept(candidate.epochSeconds);
      return candidate;
    });
    if (!answer.ok) return answer;
    return lost || answer.value.externalAddress !== mapping.externalAddress
      ? mappingFail("mapping-lost")
      : ok(undefined);
  }

  async externalAddress(signal: AbortSignal): Promise<Result<string>> {
    const answer = await this.#ask(encodeNatPmpAddressRequest(), signal, (candidate) =>
      candidate.kind === "address" ? candidate : undefined,
    );
    if (!answer.ok) return answer;
    this.#noteEpoch(answer.value.epochSeconds);
    if (answer.value.externalAddress === "0.0.0.0") return mappingFail("router-network-down");
    this.#externalAddress = answer.value.externalAddress;
    return ok(answer.value.externalAddress);
  }

  async #askAboutPort(
    message: Uint8Array,
    { transport, internalPort }: Pick<Mapping, "transport" | "internalPort">,
    signal: AbortSignal,
  ) {
    const answer = await this.#ask(
      message,
      signal,
      (candidate) =>
        candidate.kind === "map" && candidate.transport === transport && candidate.internalPort === internalPort
          ? candidate
          : undefined,
      transport,
    );
    if (answer.ok) this.#noteEpoch(answer.value.epochSeconds);
    return answer;
  }

  async #ask<T extends Granted>(
    message: Uint8Array,
    signal: AbortSignal,
    accept: (answer: Granted) => T | undefined,
    about: "address" | Mapping["transport"] = "address",
  ): Promise<Result<T>> {
    const { io, network, port = MAPPING_SERVER_PORT } = this.#options;
    const answer = await exchange<T | Extract<NatPmpAnswer, { kind: "error" | "unsupported-version" }>>({
      ...io,
      to: { address: network.gateway, port },
      localAddress: network.address,
      message,
      signal,
      accept: (datagram) => {
        const decoded = decodeNatPmpAnswer(datagram);
        if (decoded === undefined || decoded.kind === "unsupported-version") return decoded;
        if (decoded.kind !== "error") return accept(decoded);
        return decoded.about === about ? decoded : undefined;
      },
    });
    if (!answer.ok) return answer;
    const { value } = answer;
    if (value.kind === "unsupported-version") return mappingFail("router-refused", "NAT-PMP");
    return value.kind === "error" ? refusalOf(value.resultCode) : ok(value);
  }

  #noteEpoch(epochSeconds: number): void {
    if (!this.#epoch.accept(epochSeconds)) this.#options.onStateLost?.();
  }
}

function refusalOf(resultCode: number): Result<never> {
  switch (resultCode) {
    case NAT_PMP_RESULT.unsupportedVersion:
      return mappingFail("router-refused", "NAT-PMP");
    case NAT_PMP_RESULT.notAuthorised:
      return mappingFail("not-authorised");
    case NAT_PMP_RESULT.networkFailure:
      // "The NAT device has not obtained an address", which a router with a private one says too.
      return mappingFail("no-public-address");
    case NAT_PMP_RESULT.outOfResources:
      return mappingFail("router-full");
    case NAT_PMP_RESULT.unsupportedOpcode:
      return mappingFail("router-unsupported", "NAT-PMP");
    default:
      return mappingFail("router-error", `NAT-PMP result ${resultCode}`);
  }
}
