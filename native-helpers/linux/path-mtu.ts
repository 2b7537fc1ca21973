/**
 * The largest packet that reaches an address whole: echo requests of several sizes at once that must not be fragmented
 * (`-M do`, ping(8); RFC 1191 and 8201).
 */
import type { PathMtu } from "../../src-shared/helper/diagnostics.ts";
import { parseAddress } from "../../src-shared/net/address.ts";
import type { Ran, Run } from "./run.ts";

/** What lines really have: Ethernet, PPPoE, tunnels of several kinds, the least that IPv6 allows, and the least of all. */
const SIZES_BYTES = [1500, 1492, 1480, 1472, 1460, 1440, 1420, 1400, 1380, 1360, 1320, 1280, 576] as const;

/** IP header and that of ICMP (RFC 791, 792, 8200, 4443). */
const HEADERS_BYTES = { 4: 28, 6: 48 } as const;

/** What answers on the internet answers within this. */
const ANSWER_WITHIN_SECONDS = "1";
const PING_TIMEOUT_MS = 3_000;

/** @param most the largest size worth trying, such as the MTU of the interface; bytes */
export async function findPathMtu(run: Run, to: string, most: number = SIZES_BYTES[0]): Promise<PathMtu> {
  const family = parseAddress(to)?.family === 6 ? 6 : 4;
  const sizes = [...new Set([most, ...SIZES_BYTES.filter((size) => size < most)])];
  const ran = await Promise.all(
    sizes.map((size) => {
      const args = [`-${family}`, "-n", "-c", "1", "-W", ANSWER_WITHIN_SECONDS, "-M", "do"];
      return run("ping", [...args, "-s", String(size - HEADERS_BYTES[family]), to], { timeoutMs: PING_TIMEOUT_MS });
    }),
  );
  const answered = sizes.filter((_, index) => /^[0-9]+ bytes from /m.test(ran[index]?.stdout ?? ""));
  const told = ran.flatMap((one) => toldMtu(one) ?? []);
  return {
    mtu: answered.length === 0 ? null : Math.max(...answered),
    told: told.length === 0 ? null : Math.min(...told),
    tried: Math.max(...sizes),
  };
}

/**
 * `From 192.0.2.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)`, `Packet too big: mtu=1400`, or of this machine's own
 * link `local error: message too long, mtu=1400`.
 */
function toldMtu({ stdout, stderr }: Ran): number | undefined {
  const mtu = /mtu ?= ?([0-9]{2,5})/i.exec(`${stdout}\n${stderr}`)?.[1];
  return mtu === undefined ? undefined : Number(mtu);
}
