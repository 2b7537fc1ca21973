/**
 * `npm run bench -- limits [--rounds N] [--clients N]`
 *
 * A box that forwards between a guest and a server, each in a network namespace of its own, with limits on the guests'
 * side. Ours beside the way of one process per tc call with all filters in one list. Needs root on Linux.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";

/** The namespaces are this process's own: its end is theirs, whatever happens. */
const INTO_OWN_WORLD = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
const SCRIPT = 'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec "$@"';

export async function main(options: readonly string[]): Promise<void> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    process.stderr.write("This benchmark makes network namespaces and needs root on Linux.\n");
    process.exitCode = 2;
    return;
  }
  const inside = new URL("inside.ts", import.meta.url).pathname;
  const argv = [...INTO_OWN_WORLD, "sh", "-c", SCRIPT, "sh", process.execPath, inside, ...options];
  const ended = spawnSync("unshare", argv, { stdio: "inherit" });
  process.exitCode = ended.status ?? 1;
}
