/** Where the control socket is. */
import { createHash } from "node:crypto";
import path from "node:path";
import { fail, ok, type Result } from "../../src-shared/result.ts";

/** `sun_path` has 104 bytes on macOS and 108 on Linux, the terminating zero included (unix(7), unix(4)). */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * `DATA_DIR/control.sock`; on Windows, where Node has no Unix sockets, a named pipe of this data directory.
 * Fails with `data-dir-path-too-long` where the system could not bind it.
 */
export function controlSocketPath(dataDir: string, platform: string): Result<string> {
  if (platform === "win32") {
    const name = createHash("sha256").update(path.win32.resolve(dataDir).toLowerCase()).digest("hex").slice(0, 32);
    return ok(`\\\\.\\pipe\\higgsnode-${name}`);
  }
  const socketPath = path.join(path.resolve(dataDir), "control.sock");
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) {
    return fail(
      "data-dir-path-too-long",
      `the path of the control socket, ${socketPath}, is longer than ${MAX_SOCKET_PATH_BYTES} bytes`,
      "Choose a data directory with a shorter path.",
    );
  }
  return ok(socketPath);
}
