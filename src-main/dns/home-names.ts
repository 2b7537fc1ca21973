/**
 * Names that mean something only inside the owner's home: guests are told that they do not exist, and the home's
 * resolver, which would answer with the names of the owner's machines, is not asked.
 */

const HOME_ZONES: ReadonlySet<string> = new Set([
  // Special-use names: RFC 6761, RFC 6762, RFC 8375.
  "localhost",
  "local",
  "home.arpa",
  // Reverse zones of private addresses: RFC 6303, RFC 7793.
  "0.in-addr.arpa",
  "10.in-addr.arpa",
  "127.in-addr.arpa",
  "168.192.in-addr.arpa",
  "254.169.in-addr.arpa",
  ...range(16, 31).map((n) => `${n}.172.in-addr.arpa`),
  ...range(64, 127).map((n) => `${n}.100.in-addr.arpa`),
  "c.f.ip6.arpa",
  "d.f.ip6.arpa",
  ...["8", "9", "a", "b"].map((nibble) => `${nibble}.e.f.ip6.arpa`),
]);

/** @param name lower case, without the final dot */
export function isHomeName(name: string): boolean {
  for (let at = 0; ; ) {
    if (HOME_ZONES.has(name.slice(at))) return true;
    const dot = name.indexOf(".", at);
    if (dot === -1) return false;
    at = dot + 1;
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
