/**
 * This program as it is running, kept to be started once more: whoever may have replaced the files since root was given to it has
 * no say in what root starts.
 */
import { readFileSync, readlinkSync } from "node:fs";

export interface OwnProgram {
  /** What runs the script. */
  runtime: string;
  /** The script itself, one file without imports of others. */
  script: string;
}

/** To be called at the start, before anything is listened to. Throws where the script cannot be read. */
export function ownProgram(): OwnProgram {
  return { runtime: ownRuntime(), script: readFileSync(process.argv[1] ?? "", "utf8") };
}

/** The executable itself, whatever has its name by now: proc_pid_exe(5). */
function ownRuntime(): string {
  const link = `/proc/${process.pid}/exe`;
  try {
    // In a process namespace with the /proc of another, this number is somebody else's.
    if (readlinkSync(link) === readlinkSync("/proc/self/exe") && readlinkSync("/proc/self") === String(process.pid)) {
      return link;
    }
  } catch {
    // No /proc: the name has to do.
  }
  return process.execPath;
}
