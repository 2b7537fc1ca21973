/**
 * Which HTTP proxy stands between this machine and a relay, from the environment as curl(1) and others read it:
 * HTTPS_PROXY for wss, HTTP_PROXY for ws, NO_PROXY for exceptions; lower case too, and first.
 */

import { containsAddress, parseAddress, parsePrefix } from "../../src-shared/net/address.ts";
import type { RelayUrl } from "../../src-shared/net/relay-url.ts";
import { isLoopbackHost } from "../../src-shared/net/relay-url.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for a relay, undefined where none is meant. Fails with `proxy-invalid`. Loopback never goes through one. */
export function proxyFor(url: RelayUrl, env: Environment): Result<URL | undefined> {
  if (isLoopbackHost(url.host) || isExcepted(url, env.no_proxy ?? env.NO_PROXY ?? "")) return ok(undefined);
  const text = url.secure
    ? (env.https_proxy ?? env.HTTPS_PROXY ?? env.all_proxy ?? env.ALL_PROXY)
    : (env.http_proxy ?? env.HTTP_PROXY ?? env.all_proxy ?? env.ALL_PROXY);
  if (text === undefined || text.trim() === "") return ok(undefined);
  const proxy = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (proxy === null || (proxy.protocol !== "http:" && proxy.protocol !== "https:")) {
    return fail(
      "proxy-invalid",
      "The proxy that this program's environment names cannot be used.",
      "Set HTTPS_PROXY to http://HOST:PORT, or unset it.",
    );
  }
  return ok(proxy);
}

/** NO_PROXY: `*`, host names that also stand for what is below them, addresses and prefixes, each with a port or without. */
function isExcepted({ host, port }: RelayUrl, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === "") return false;
    if (entry === "*") return true;
    const [, name = entry, onlyPort] = /^(.*[^:]):([0-9]{1,5})$/.exec(entry) ?? [];
    if (onlyPort !== undefined && parseAddress(entry) === undefined && Number(onlyPort) !== port) return false;
    const meant = (parseAddress(entry) === undefined ? name : entry).toLowerCase().replace(/^\[|\]$/g, "");
    const address = parseAddress(host);
    if (address !== undefined) {
      const network = parsePrefix(meant.includes("/") ? meant : `${meant}/${address.family === 4 ? 32 : 128}`);
      return network !== undefined && containsAddress(network, address);
    }
    const suffix = meant.replace(/^\*?\./, "");
    return host === suffix || host.endsWith(`.${suffix}`);
  });
}
