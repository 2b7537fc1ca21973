import { describe, expect, it } from "vitest";
import { formatPrefix, isInAny, parseAddress, prefix } from "./address.ts";
import { BLOCKED_IPV4, BLOCKED_IPV6, PRIVATE_IPV4, UNIQUE_LOCAL_IPV6 } from "./special-prefixes.ts";

const blocked = [...BLOCKED_IPV4, ...BLOCKED_IPV6].map(prefix);

function isBlocked(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && isInAny(address, blocked);
}

describe("blocked destinations", () => {
  it("are canonical prefixes, so that they read back from the kernel as written", () => {
    for (const text of [...BLOCKED_IPV4, ...BLOCKED_IPV6]) expect(formatPrefix(prefix(text))).toBe(text);
  });

  it("hold every place guests could come from", () => {
    for (const each of [...PRIVATE_IPV4, UNIQUE_LOCAL_IPV6]) expect(isInAny(each, blocked)).toBe(true);
  });

  it.each([
    "10.1.2.3",
    "172.31.255.255",
    "192.168.1.1",
    "100.127.0.1",
    "169.254.169.254",
    "127.0.0.1",
    "224.0.0.251",
    "239.255.255.250",
    "255.255.255.255",
    "::1",
    "fe80::1",
    "fd12::1",
    "ff02::fb",
    "::ffff:192.168.1.1",
    "64:ff9b::192.168.1.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::172.16.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "2002:c0a8:101::1",
    "2002:a00:1::1",
    "2002:ac10:1::1",
  ])("hold %s", (text) => {
    expect(isBlocked(text)).toBe(true);
  });

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "100.128.0.1",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700::1111",
    "64:ff9b::8.8.8.8",
    "2a0a:77::1",
  ])("leave %s reachable", (text) => {
    expect(isBlocked(text)).toBe(false);
  });
});
