/** How many events the kernel has dropped because a program did not read its netlink sockets quickly enough. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Columns of /proc/net/netlink (net/netlink/af_netlink.c, netlink_native_seq_show). */
const DROPS_COLUMN = 8;
const INODE_COLUMN = 9;

/**
 * Drops of all netlink sockets of the process since each was opened; undefined when the process is gone, or the system
 * does not tell.
 * @param proc the machine's /proc, or a copy of it in a test
 */
export function readNetlinkDrops(pid: number, proc = "/proc"): number | undefined {
  try {
    const folder = join(proc, String(pid));
    const inodes = new Set(readdirSync(join(folder, "fd")).flatMap((fd) => socketInode(join(folder, "fd", fd)) ?? []));
    return sumDrops(readFileSync(join(folder, "net/netlink"), "utf8"), inodes);
  } catch {
    return undefined;
  }
}

/** @param table the text of /proc/net/netlink */
export function sumDrops(table: string, inodes: ReadonlySet<string>): number | undefined {
  let sum: number | undefined;
  for (const line of table.split("\n")) {
    const columns = line.trim().split(/\s+/);
    const drops = columns[DROPS_COLUMN] ?? "";
    if (!inodes.has(columns[INODE_COLUMN] ?? "") || !/^\d{1,15}$/.test(drops)) continue;
    sum = (sum ?? 0) + Number(drops);
  }
  return sum;
}

function socketInode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
  } catch {
    // Closed since the folder was listed.
    return undefined;
  }
}
