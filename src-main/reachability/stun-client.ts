/** Asks a STUN server which address the internet sees (RFC 8489). */
import { lookup } from "node:dns/promises";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";
import { fail, type Result } from "../../src-shared/result.ts";
import { decodeBindingAnswer, encodeBindingRequest, TRANSACTION_BYTES } from "../../src-shared/stun/message.ts";
import { exchange } from "../port-forwarding/exchange.ts";
import type { MappingIo } from "../port-forwarding/mapping-io.ts";

export interface StunQuestion {
  /** This machine's IPv4 address on the uplink that is asked about. */
  readonly localAddress: string;
  readonly server: Endpoint;
  readonly signal: AbortSignal;
}

/** A name's IPv4 address; undefined where it has none. */
export async function lookupIpv4(host: string): Promise<string | undefined> {
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch {
    return undefined;
  }
}

/**
 * Address and port a datagram from a fresh socket has when it arrives. Asked again after 250, 750 and 1,750 ms, given up
 * after 3 s. Errors: `stun-no-address`, `stun-silent`.
 */
export async function askStun(
  io: Pick<MappingIo, "clock" | "datagrams" | "randomBytes">,
  { localAddress, server, signal }: StunQuestion,
  resolve: (host: string) => Promise<string | undefined> = lookupIpv4,
): Promise<Result<Endpoint>> {
  const address = await resolve(server.host);
  if (address === undefined) return fail("stun-no-address", `The STUN server ${server.host} has no IPv4 address.`);
  const transaction = io.randomBytes(TRANSACTION_BYTES);
  const answer = await exchange({
    datagrams: io.datagrams,
    clock: io.clock,
    to: { address, port: server.port },
    localAddress,
    message: encodeBindingRequest(transaction),
    accept: (datagram) => decodeBindingAnswer(datagram, transaction),
    signal,
  });
  return answer.ok ? answer : fail("stun-silent", "The STUN server does not answer.");
}
