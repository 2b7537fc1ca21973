/**
 * The privileged helper. `higgsnode-helper [--uid N] [--grace-ms N] [--stay]` serves the one user who
 * started it, through pkexec or sudo, as root's own child, or as a system service with `--uid`.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../src-shared/clock.ts";
import { HELPER_SOCKET_NAME, HELPER_TOKEN_NAME } from "../src-shared/helper/protocol.ts";
import { errorOf, fail, type HiggsError, ok, type Result } from "../src-shared/result.ts";
import { becomeNobody, GUEST_PROBE, runGuestProbe } from "./guest-probe.ts";
import { Journal } from "./journal.ts";
import { LinuxBackend } from "./linux/linux-backend.ts";
import { run } from "./linux/run.ts";
import { SysctlTree } from "./linux/sysctl.ts";
import { openLog } from "./log.ts";
import { ownProgram } from "./own-program.ts";
import { giveTo, helperPaths, prepareDirectories, takeLock } from "./paths.ts";
import { HelperServer } from "./server.ts";

/** Long enough for an app to be updated or to come back from a crash, short enough not to be forgotten. */
const DEFAULT_GRACE_MS = 30_000;

/** A day. A timer of Node fires at once where its delay does not fit 31 bits. */
const MAX_GRACE_MS = 86_400_000;

/** The last uid; the number after it means "nobody in particular" to chown(2). */
const MAX_UID = 0xffff_fffe;

declare const HIGGS_VERSION: string | undefined;
const VERSION = typeof HIGGS_VERSION === "string" ? HIGGS_VERSION : "development";

interface Options {
  uid: number;
  graceMs: number;
  stay: boolean;
}

/**
 * Who may talk to this helper: the flag, else whoever pkexec(1) or sudo(8) says called, else root. A permission that was given to
 * one user's programs opens it to no other user.
 */
function readOptions(argv: string[], env: NodeJS.ProcessEnv): Result<Options> {
  let values: { uid?: string; "grace-ms"?: string; stay?: boolean };
  try {
    ({ values } = parseArgs({
      args: argv,
      options: { uid: { type: "string" }, "grace-ms": { type: "string" }, stay: { type: "boolean" } },
    }));
  } catch (error) {
    return fail("bad-arguments", error instanceof Error ? error.message : String(error));
  }
  if (values.uid !== undefined && env.PKEXEC_UID !== undefined) {
    return fail("bad-arguments", "Whoever was given permission has it for himself: --uid is not taken from pkexec.");
  }
  const uid = wholeNumber(values.uid ?? env.PKEXEC_UID ?? env.SUDO_UID ?? "0", MAX_UID);
  const graceMs = wholeNumber(values["grace-ms"] ?? String(DEFAULT_GRACE_MS), MAX_GRACE_MS);
  if (uid === undefined || graceMs === undefined)
    return fail("bad-arguments", `--uid and --grace-ms take a whole number, the latter up to ${MAX_GRACE_MS}.`);
  return ok({ uid, graceMs, stay: values.stay ?? false });
}

function wholeNumber(text: string, most: number): number | undefined {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return value <= most ? value : undefined;
}

async function main(): Promise<Result<void>> {
  if (process.platform !== "linux") {
    return fail("platform-unsupported", `Sharing is not supported on ${process.platform} yet.`);
  }
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options.ok) return options;
  if (process.getuid?.() !== 0) {
    return fail("not-permitted", "The helper needs root.", "It is started by HiggsNode, which asks for permission.");
  }
  process.umask(0o077);
  const program = ownProgram();
  const { uid, graceMs, stay } = options.value;
  const paths = helperPaths(uid, process.env);
  const prepared = prepareDirectories(paths);
  if (!prepared.ok) return prepared;
  const lock = takeLock(paths.stateDir);
  if (!lock.ok) return lock;

  const log = openLog(join(paths.stateDir, "helper.log"), systemClock);
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const backend = new LinuxBackend({
    run,
    clock: systemClock,
    sysctls: new SysctlTree(),
    journal: new Journal(paths.stateDir, bootId),
    stateDir: paths.stateDir,
    program,
  });
  const socketPath = join(paths.runtimeDir, HELPER_SOCKET_NAME);
  const tokenPath = join(paths.runtimeDir, HELPER_TOKEN_NAME);
  const token = randomBytes(32).toString("hex");

  const end = async (restore: boolean) => {
    if (restore) await server.restoreForGood();
    rmSync(socketPath, { force: true });
    rmSync(tokenPath, { force: true });
    await server.close();
    lock.value.release();
    log.write("exit");
    process.exit(0);
  };
  const server = new HelperServer({
    backend,
    clock: systemClock,
    log,
    token,
    version: VERSION,
    graceMs,
    stayWhenIdle: stay,
    onDone: () => void end(false),
  });
  // A terminal's Ctrl+C is meant for the node, which says goodbye in its own time.
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  process.on("SIGTERM", () => void end(true));

  rmSync(socketPath, { force: true });
  rmSync(tokenPath, { force: true });
  await server.listen(socketPath);
  giveTo(uid, socketPath);
  // The token comes last: whoever finds it finds a socket that is ready.
  writeFileSync(tokenPath, token, { mode: 0o600, flag: "wx" });
  giveTo(uid, tokenPath);
  log.write("ready", { version: VERSION, leftOver: backend.ownsNetwork() });
  return ok(undefined);
}

function complain(error: HiggsError): never {
  process.stderr.write(`${JSON.stringify({ error })}\n`);
  process.exit(1);
}

// Inside the namespace of a temporary guest this program answers one question, and serves nobody.
if (process.argv[2] === GUEST_PROBE) {
  becomeNobody();
  await runGuestProbe(process.stdin, (text) => process.stdout.write(text));
  process.exit(0);
}

const started = await main().catch((thrown: unknown) => ({ ok: false as const, error: errorOf(thrown) }));
if (!started.ok) complain(started.error);
