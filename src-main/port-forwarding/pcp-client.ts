/** Speaks PCP (RFC 6887) with one router. */
import { Buffer } from "node:buffer";
import { parseAddress } from "../../src-shared/net/address.ts";
import { isPublicAddress } from "../../src-shared/net/public-address.ts";
import { ok, type Result } from "../../src-shared/result.ts";
import { EpochTracker } from "./epoch.ts";
import { exchange } from "./exchange.ts";
import { clientAddressOf, type HomeNetwork, type Mapping, type MappingClient, type MappingRequest } from "./mapping.ts";
import { mappingFail } from "./mapping-errors.ts";
import type { MappingIo } from "./mapping-io.ts";
import { MAPPING_SERVER_PORT } from "./nat-pmp-message.ts";
import {
  decodePcpAnswer,
  encodePcpAnnounce,
  encodePcpMap,
  PCP_NONCE_BYTES,
  PCP_RESULT,
  type PcpAnswer,
} from "./pcp-message.ts";

export interface DatagramClientOptions {
  io: MappingIo;
  network: HomeNetwork;
  /** The router's epoch did not go on: it has lost every mapping. */
  onStateLost?: () => void;
  /** The address the router knows this machine by, where that is not its own: behind a router in between. */
  clientAddress?: string;
  port?: number;
}

type MapAnswer = Extract<PcpAnswer, { opcode: "map" }>;

export class PcpClient implements MappingClient {
  readonly protocol = "pcp";
  readonly #options: DatagramClientOptions;
  readonly #epoch: EpochTracker;

  constructor(options: DatagramClientOptions) {
    this.#options = options;
    this.#epoch = new EpochTracker(options.io.clock);
  }

  get #clientAddress(): string {
    return this.#options.clientAddress ?? this.#options.network.address;
  }

  async probe(signal: AbortSignal): Promise<Result<void>> {
    const answer = await this.#ask(encodePcpAnnounce(this.#clientAddress), signal, (candidate) =>
      candidate.opcode === "announce" ? candidate : undefined,
    );
    if (!answer.ok) return answer;
    // A router that speaks PCP without this opcode is still one that speaks PCP.
    const { resultCode } = answer.value;
    if (resultCode === PCP_RESULT.notAuthorised) return mappingFail("not-authorised");
    return ok(undefined);
  }

  async map(request: MappingRequest, { signal, former, onIntent }: Parameters<MappingClient["map"]>[1]) {
    const { io, network, clientAddress } = this.#options;
    const nonce = former?.nonce ?? Buffer.from(io.randomBytes(PCP_NONCE_BYTES)).toString("hex");
    const intent: Mapping = {
      protocol: "pcp",
      gateway: network.gateway,
      address: network.address,
      ...(clientAddress === undefined ? {} : { clientAddress }),
      transport: request.transport,
      internalPort: request.internalPort,
      externalAddress: null,
      externalPort: request.externalPort,
      lifetimeSeconds: request.lifetimeSeconds,
      nonce,
    };
    onIntent?.(intent);
    const answer = await this.#askToMap(intent, request.lifetimeSeconds, signal);
    if (!answer.ok) return answer;
    const { externalAddress, externalPort, lifetimeSeconds } = answer.value;
    if (externalPort === 0 || lifetimeSeconds === 0) return mappingFail("answer-malformed");
    return ok({ ...intent, externalAddress, externalPort, lifetimeSeconds });
  }

  async unmap(mapping: Mapping, signal: AbortSignal): Promise<Result<void>> {
    const answer = await this.#askToMap(mapping, 0, signal);
    return answer.ok ? ok(undefined) : answer;
  }

  async verify(_: Mapping, signal: AbortSignal): Promise<Result<void>> {
    let lost = false;
    const answer = await this.#ask(encodePcpAnnounce(this.#clientAddress), signal, (candidate) => {
      if (candidate.opcode !== "announce") return undefined;
      lost = !this.#epoch.accept(candidate.epochSeconds);
      return candidate;
    });
    if (!answer.ok) return answer;
    return lost ? mappingFail("mapping-lost") : ok(undefined);
  }

  /** PCP tells the external address with a mapping only. */
  async externalAddress(_: AbortSignal): Promise<Result<string>> {
    return mappingFail("router-unsupported", "PCP tells its address with a mapping only");
  }

  async #askToMap(mapping: Mapping, lifetimeSeconds: number, signal: AbortSignal): Promise<Result<MapAnswer>> {
    const nonce = Buffer.from(mapping.nonce ?? "", "hex");
    if (nonce.length !== PCP_NONCE_BYTES) return mappingFail("router-error", "the mapping's nonce is not known");
    const deleting = lifetimeSeconds === 0;
    const message = encodePcpMap({
      clientAddress: clientAddressOf(mapping),
      nonce,
      transport: mapping.transport,
      internalPort: mapping.internalPort,
      // RFC 6887, section 15: a deletion suggests nothing.
      suggestedExternalPort: deleting ? 0 : mapping.externalPort,
      lifetimeSeconds,
      ...(deleting || mapping.externalAddress === null ? {} : { suggestedExternalAddress: mapping.externalAddress }),
    });
    const answer = await this.#ask(message, signal, (candidate) =>
      candidate.opcode === "map" &&
      candidate.nonce.equals(nonce) &&
      candidate.internalPort === mapping.internalPort &&
      candidate.transport === mapping.transport
        ? candidate
        : undefined,
    );
    if (!answer.ok) return answer;
    this.#noteEpoch(answer.value.epochSeconds);
    return answer.value.resultCode === PCP_RESULT.success ? answer : refusalOf(answer.value);
  }

  async #ask<T extends { resultCode: number }>(
    message: Uint8Array,
    signal: AbortSignal,
    accept: (answer: Exclude<PcpAnswer, { opcode: "unsupported-version" }>) => T | undefined,
  ): Promise<Result<T>> {
    const { io, network, port = MAPPING_SERVER_PORT } = this.#options;
    const answer = await exchange<T | "unsupported-version">({
      ...io,
      to: { address: network.gateway, port },
      localAddress: network.address,
      message,
      signal,
      accept: (datagram) => {
        const decoded = decodePcpAnswer(datagram);
        if (decoded === undefined) return undefined;
        return decoded.opcode === "unsupported-version" ? decoded.opcode : accept(decoded);
      },
    });
    if (!answer.ok) return answer;
    return answer.value === "unsupported-version" ? mappingFail("router-refused", "PCP") : ok(answer.value);
  }

  #noteEpoch(epochSeconds: number): void {
    if (!this.#epoch.accept(epochSeconds)) this.#options.onStateLost?.();
  }
}

function refusalOf({ resultCode, externalAddress }: MapAnswer): Result<never> {
  switch (resultCode) {
    case PCP_RESULT.notAuthorised:
      return mappingFail("not-authorised");
    case PCP_RESULT.networkFailure:
      return mappingFail("router-network-down");
    case PCP_RESULT.noResources: {
      // miniupnpd answers so when its own address is private, and puts that into the answer.
      const address = parseAddress(externalAddress);
      const isPrivate = address !== undefined && address.value !== 0n && !isPublicAddress(address);
      return mappingFail(isPrivate ? "no-public-address" : "router-full");
    }
    case PCP_RESULT.userExceededQuota:
    case PCP_RESULT.excessiveRemotePeers:
      return mappingFail("router-full");
    case PCP_RESULT.cannotProvideExternal:
      return mappingFail("port-conflict");
    case PCP_RESULT.unsupportedOpcode:
    case PCP_RESULT.unsupportedProtocol:
      return mappingFail("router-unsupported", `PCP result ${resultCode}`);
    default:
      return mappingFail("router-error", `PCP result ${resultCode}`);
  }
}
