/** Which user of this computer a loopback connection comes from, as the kernel tells in its table of sockets (proc_pid_net(5)). */
import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import { type Address, parseAddress } from "../../src-shared/net/address.ts";
import type { Endpoint } from "../../src-shared/net/endpoint.ts";

/** The table is printed in pieces, and while it changes an entry can be missed. */
const LOOKS = 3;

const WORD_BYTES = 4;

/** The two ends of a connection as its socket here knows them. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** The user id of the program at the other end; undefined where nobody can tell, or where it has closed its end already. */
export function userOfPeer({ remoteAddress, remotePort, localAddress, localPort }: Ends): number | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  const from = { host: remoteAddress, port: remotePort };
  const to = { host: localAddress, port: localPort };
  for (let look = 0; look < LOOKS; look++) {
    let table: string;
    try {
      table = readFileSync(`/proc/self/net/tcp${remoteAddress.includes(":") ? "6" : ""}`, "latin1");
    } catch {
      return undefined;
    }
    const found = findUser(table, from, to);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param order of the bytes in the kernel's words */
export function findUser(table: string, from: Endpoint, to: Endpoint, order = endianness()): number | undefined {
  const wanted = `: ${encoded(from, order)} ${encoded(to, order)} `;
  const line = table.split("\n").find((one) => one.includes(wanted));
  // … st tx:rx tr:tm->when retrnsmt uid timeout inode
  const [, , , , , , , uid, , inode] = line?.trim().split(/\s+/) ?? [];
  // A socket that no program has any more is shown as root's.
  return uid === undefined || inode === undefined || inode === "0" ? undefined : Number(uid);
}

function encoded({ host, port }: Endpoint, order: "BE" | "LE"): string {
  const address = parseAddress(host);
  const bytes = address === undefined ? [] : bytesOf(address);
  const words = Array.from({ length: bytes.length / WORD_BYTES }, (_, index) => {
    const word = bytes.slice(index * WORD_BYTES, (index + 1) * WORD_BYTES);
    return Buffer.from(order === "LE" ? word.reverse() : word).toString("hex");
  });
  return `${words.join("")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
}

function bytesOf({ family, value }: Address): number[] {
  const length = family === 4 ? 4 : 16;
  return Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 0xffn));
}
