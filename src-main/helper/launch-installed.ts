/**
 * Starts the helper of an installed package through pkexec(1), by the program that the package's polkit action names: the
 * prompt then says in the owner's language what is asked for, and an administrator can decide about this action alone.
 */
import { spawn } from "node:child_process";
import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";

const PKEXEC = "/usr/bin/pkexec";

/** Where deb and rpm put it, as the polkit action has it; an AppImage has the same files in a place root cannot read. */
const INSTALLED_DIR = "/opt/HiggsNode/resources";

/** The prompt was dismissed; nobody may, or nobody could be asked (pkexec(1), "Return value"). */
const DISMISSED = 126;
const NOT_AUTHORISED = 127;

/** Anybody but the owner of the file may write. */
const OTHERS_MAY_WRITE = 0o022;

/** The program beside a package's helper; undefined where there is none, or where others than root could change it. */
export function installedHelper(helperPath: string, installedDir: string = INSTALLED_DIR): string | undefined {
  if (dirname(helperPath) !== installedDir) return undefined;
  const program = join(installedDir, "higgsnode-helper");
  for (const path of [program, helperPath, installedDir]) {
    try {
      const { uid, mode } = lstatSync(path);
      if (uid !== 0 || (mode & OTHERS_MAY_WRITE) !== 0) return undefined;
    } catch {
      return undefined;
    }
  }
  return program;
}

/** Resolves once the prompt is up; `onExit` is called when the helper ends, or was refused. */
export function launchInstalled(
  program: string,
  onExit: (complaint: HiggsError | undefined) => void,
  pkexec: string = PKEXEC,
): Promise<Result<void>> {
  return new Promise((resolve) => {
    const child = spawn(pkexec, [program], { detached: true, stdio: "ignore", cwd: "/" });
    child.once("error", (error) => {
      resolve(fail("helper-not-started", `The permission prompt could not be shown: ${error.message}`));
    });
    child.once("spawn", () => resolve(ok(undefined)));
    child.once("exit", (code) => onExit(complaintOf(code)));
    child.unref();
  });
}

function complaintOf(code: number | null): HiggsError | undefined {
  switch (code) {
    case 0:
      return undefined;
    case DISMISSED:
      return {
        code: "permission-refused",
        message: "Permission to change the network was not given.",
        hint: "Switch sharing on again and confirm the prompt.",
      };
    case NOT_AUTHORISED:
      return {
        code: "permission-refused",
        message: "You may not change the network, or this desktop has no program that asks for permission.",
        hint: "Run it as root: sudo higgsnode start --share",
      };
    default:
      return { code: "helper-not-started", message: `The helper ended: ${code ?? "killed"}` };
  }
}
