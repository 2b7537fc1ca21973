/**
 * Starts the helper through the system's own permission prompt (polkit, the macOS prompt, UAC), once
 * per session.
 *
 * The command is executed by a root shell, so it holds constant strings only: no value of a user, no
 * environment. The helper learns from the prompting program itself who called it.
 */
import sudoPrompt from "sudo-prompt";
import { fail, type HiggsError, ok, type Result } from "../../src-shared/result.ts";

/**
 * Install locations have no other characters; anything else would need quoting rules we do not want. They
 * are absolute, so that none is taken for an option. Only Windows has backslashes: to a shell they would
 * escape the closing quote.
 */
const PLAIN_PATH = process.platform === "win32" ? /^[A-Za-z]:[\\/][A-Za-z0-9/\\._ -]*$/ : /^\/[A-Za-z0-9/._ -]*$/;

export type Prompt = (command: string, options: { name: string }, done: (error?: Error) => void) => void;

/**
 * The whole helper run is one prompt: `onExit` is called when it ends, with the reason where the prompt
 * was refused.
 */
export function launchElevated(
  helperPath: string,
  onExit: (complaint: HiggsError | undefined) => void,
  prompt: Prompt = (command, options, done) => sudoPrompt.exec(command, options, done),
  execPath: string = process.execPath,
): Result<void> {
  if (!PLAIN_PATH.test(helperPath) || !PLAIN_PATH.test(execPath)) {
    return fail(
      "helper-path-unsafe",
      "HiggsNode is installed in a folder whose name cannot be used with administrator rights.",
      "Install it in a folder named with plain letters and digits.",
    );
  }
  const asNode = process.versions.electron === undefined ? "" : "/usr/bin/env ELECTRON_RUN_AS_NODE=1 ";
  prompt(`${asNode}"${execPath}" "${helperPath}"`, { name: "HiggsNode" }, (error) => {
    onExit(error === undefined || error === null ? undefined : refusalOf(error));
  });
  return ok(undefined);
}

function refusalOf(error: Error): HiggsError {
  if (/did not grant permission/i.test(error.message)) {
    return {
      code: "permission-refused",
      message: "Permission to change the network was not given.",
      hint: "Switch sharing on again and confirm the prompt.",
    };
  }
  if (/no polkit authentication agent/i.test(error.message)) {
    return {
      code: "permission-refused",
      message: "This desktop has no program that asks for permission.",
      hint: "Run it as root: sudo higgsnode start --share",
    };
  }
  return { code: "helper-not-started", message: `The helper could not be started: ${error.message.split("\n")[0]}` };
}
