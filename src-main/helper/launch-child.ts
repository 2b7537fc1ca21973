/** Starts the helper as a child, where the caller is root already. */
import { spawn } from "node:child_process";
import { z } from "zod";
import { fail, type HiggsError, higgsErrorSchema, ok, type Result } from "../../src-shared/result.ts";

/** What a helper that refuses to start may say. */
const MAX_COMPLAINT_CHARACTERS = 4_096;

const complaintSchema = z.object({ error: higgsErrorSchema });

/**
 * The helper runs in a session of its own, so that it outlives us and can restore the network when we
 * are killed. Resolves when the process exists; `onExit` is called with its complaint when it ends.
 */
export function launchChild(
  helperPath: string,
  uid: number,
  onExit: (complaint: HiggsError | undefined) => void,
): Promise<Result<void>> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [helperPath, "--uid", String(uid)], {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      // An Electron executable behaves as Node with the former; Node itself ignores it. Whom pkexec gave root to is us, and the
      // helper is told by its argument whom to serve.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", PKEXEC_UID: undefined },
      cwd: "/",
    });
    let complaint = "";
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (chunk: string) => {
      complaint = (complaint + chunk).slice(-MAX_COMPLAINT_CHARACTERS);
    });
    child.once("error", (error) => {
      resolve(fail("helper-not-started", `The helper could not be started: ${error.message}`));
    });
    child.once("spawn", () => resolve(ok(undefined)));
    // "close" comes after the last of its words, "exit" may come before.
    child.once("close", () => onExit(readComplaint(complaint)));
    child.unref();
    // The pipe must not keep our event loop alive either; its type hides that it is a socket.
    if ("unref" in child.stderr && typeof child.stderr.unref === "function") child.stderr.unref();
  });
}

function readComplaint(text: string): HiggsError | undefined {
  const line = text.trim().split("\n").at(-1) ?? "";
  if (line === "") return undefined;
  const parsed = complaintSchema.safeParse(parseJson(line));
  return parsed.success ? parsed.data.error : { code: "helper-not-started", message: `The helper ended: ${line}` };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
