/** What is wrong with the way to the node that a configuration names. Pure. */
import { isInAny, parseAddress, prefix } from "../../src-shared/net/address.ts";
import { parseEndpoint } from "../../src-shared/net/endpoint.ts";
import type { HiggsError } from "../../src-shared/result.ts";
import { shellWord } from "./shell-word.ts";

const KINDS = [
  /** RFC 1918, and RFC 4193 for IPv6. */
  {
    code: "endpoint-private",
    kind: "a private address",
    prefixes: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].map(prefix),
  },
  /** RFC 6598. */
  {
    code: "endpoint-shared",
    kind: "an address that your provider shares among customers (carrier-grade NAT)",
    prefixes: [prefix("100.64.0.0/10")],
  },
  /** RFC 3927 and RFC 4291, section 2.5.6. */
  {
    code: "endpoint-link-local",
    kind: "a link-local address",
    prefixes: [prefix("169.254.0.0/16"), prefix("fe80::/10")],
  },
] as const;

/**
 * A warning for each endpoint that nobody outside the home network can reach. Names are not looked up, and a loopback
 * address is the guest's own end of the relay's bridge.
 * @param config text in the format of wg-quick(8)
 * @param name the client's, for the command that helps
 */
export function endpointWarnings(config: string, name: string): HiggsError[] {
  const endpoints = [...config.matchAll(/^Endpoint\s*=\s*(\S+)\s*$/gm)].map(([, text = ""]) => text);
  return endpoints.flatMap((text) => {
    const address = parseAddress(parseEndpoint(text)?.host ?? "");
    const found = address && KINDS.find(({ prefixes }) => isInAny(address, prefixes));
    if (found === undefined) return [];
    return {
      code: found.code,
      message: `This configuration works only inside your home network: ${text} is ${found.kind}.`,
      hint:
        "Look at: higgsnode status. Where the router forwards the port, name your public address: higgsnode settings set " +
        `publicEndpoint=ADDRESS:PORT; or go through the relay: higgsnode client config ${shellWord(name)} --relay`,
    };
  });
}
