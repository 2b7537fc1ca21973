/**
 * Who in the guest network is no guest: the node itself, which tries whether guests get out, and the peers of self-tests.
 * What they do is nobody's, and is not kept.
 */
import { formatAddress, parseAddress } from "../../src-shared/net/address.ts";

/**
 * @param tunnelAddresses the node's own, without length; asked with each call
 * @param isTest told canonical addresses
 * @returns whether a source, however it is written, is one of them
 */
export function ownSources(
  tunnelAddresses: () => readonly string[],
  isTest: (address: string) => boolean,
): (source: string) => boolean {
  return (source) => {
    const address = parseAddress(source);
    if (address === undefined) return false;
    const text = formatAddress(address);
    return tunnelAddresses().includes(text) || isTest(text);
  };
}
