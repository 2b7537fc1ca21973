/**
 * One machine of the lab: a network, mount, PID and UTS namespace whose first process ends, and takes everything
 * in the namespace with it, when the pipe to the process that holds the lab is closed. The kernel closes that pipe
 * even after `kill -9`, so nothing has to be cleaned up and nothing has a name that could collide.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pollUntil, within } from "./poll.ts";
import { type HostProcess, processesOf } from "./processes.ts";
import { type ExecResult, Program, run, sendSignal } from "./program.ts";
import { PROGRAM_PATH } from "./support.ts";

/** Making the namespaces and their mounts takes some 30 ms; a loaded machine gets a hundred times that and more. */
const START_TIMEOUT_MS = 10_000;
/** Ending a namespace means killing its processes; this is only reached when the kernel is stuck. */
const STOP_TIMEOUT_MS = 10_000;
/** For commands such as `ip` that take milliseconds. */
const DEFAULT_EXEC_TIMEOUT_MS = 15_000;

/**
 * The first process of a host. $1 is the host's name, $2 an empty folder for its private file system.
 *
 * The process id is read before the new /proc is mounted, so it is the one this process can use for nsenter.
 * /etc and /var/lib are overlays whose upper half is in memory: the host can write there, the machine sees nothing.
 * The shell stays the first process, and does not become `cat`, because it reaps orphans and `cat` does not.
 */
const FIRST_PROCESS = `
set -e
umask 022
read -r pid rest < /proc/self/stat
mount -t tmpfs -o mode=0755 tmpfs "$2"
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/wireguard /run/netns /run/lock
for folder in etc var/lib; do
  mkdir -p "$2/$folder/upper" "$2/$folder/work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$2/$folder/upper,workdir=$2/$folder/work" "/$folder"
done
rm -rf /etc/resolv.conf /etc/hosts /etc/hostname /etc/wireguard /var/lib/higgsnode
mkdir -m 0700 /etc/wireguard
printf '127.0.0.1 localhost %s\\n::1 localhost ip6-localhost %s\\n' "$1" "$1" > /etc/hosts
printf '%s\\n' "$1" > /etc/hostname
: > /etc/resolv.conf
printf '%s\\n' "$1" > /proc/sys/kernel/hostname
echo "ready $pid"
cat > /dev/null
exit 0
`;

export interface ExecOptions {
  timeoutMs?: number;
  input?: string | Uint8Array;
  env?: Record<string, string>;
  cwd?: string;
}

export class LabHost {
  readonly name: string;
  /** Process id of the host's first process: `nsenter -t PID --net --mount --uts --pid` enters the host. */
  readonly pid: number;
  /** A folder of this host alone, seen under the same path from everywhere, gone with the lab. */
  readonly folder: string;
  #holder: ChildProcess;
  #closed: Promise<void> | undefined;

  private constructor(name: string, pid: number, folder: string, holder: ChildProcess) {
    this.name = name;
    this.pid = pid;
    this.folder = folder;
    this.#holder = holder;
  }

  /** Brings up an empty host: loopback only, forwarding off, what a home machine has by default. */
  static async start(name: string, labFolder: string): Promise<LabHost> {
    const folder = join(labFolder, name);
    const root = join(labFolder, "private", name);
    mkdirSync(join(folder, "home"), { recursive: true });
    mkdirSync(root, { recursive: true });
    const holder = spawn(
      "unshare",
      [
        "--net",
        "--mount",
        "--uts",
        "--pid",
        "--fork",
        "--kill-child",
        "--propagation",
        "private",
        "sh",
        "-c",
        FIRST_PROCESS,
        "sh",
        name,
        root,
      ],
      { env: { PATH: PROGRAM_PATH, LC_ALL: "C" }, stdio: ["pipe", "pipe", "pipe"], detached: true },
    );
    const pid = await firstPid(name, holder);
    const host = new LabHost(name, pid, folder, holder);
    try {
      await host.mustExec(["sysctl", "-q", "-w", ...DEFAULT_SYSCTLS]);
      await host.mustExec(["ip", "link", "set", "lo", "up"]);
      return host;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** argv that runs `argv` in this host when it is started from outside; fit for a terminal. */
  enter(argv: readonly string[], cwd?: string): [string, ...string[]] {
    return ["nsenter", ...this.#namespaceArguments, "--", ...inFolder(argv, cwd)];
  }

  /**
   * The same for programs that are sent signals: nsenter stops when its child is stopped, and would then neither see
   * nor report the end of it. A shell without job control only waits.
   */
  #enterPlainly(argv: readonly string[], cwd?: string): [string, ...string[]] {
    const wait = ["sh", "-c", '"$@"; exit "$?"', "sh", ...inFolder(argv, cwd)];
    return ["nsenter", ...this.#namespaceArguments, "--no-fork", "--", ...wait];
  }

  get #namespaceArguments(): string[] {
    return ["-t", String(this.pid), "--net", "--mount", "--uts", "--pid"];
  }

  /** The environment of everything that runs in the host; none of the caller's own. */
  environment(extra: Record<string, string> = {}): Record<string, string> {
    return { PATH: PROGRAM_PATH, HOME: join(this.folder, "home"), LC_ALL: "C.UTF-8", ...extra };
  }

  /** Runs a program in the host to its end; a status other than 0 is a result, a timeout is an Error. */
  exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return run(this.#enterPlainly(argv, options.cwd), {
      env: this.environment(options.env),
      title: `${this.name}: ${argv.join(" ")}`,
      waitsForChild: true,
      timeoutMs: options.timeoutMs ?? DEFAULT_EXEC_TIMEOUT_MS,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  }

  /** Standard output of a program that must succeed; an Error with everything it printed otherwise. */
  async mustExec(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    const result = await this.exec(argv, options);
    if (result.code === 0) return result.stdout;
    throw new Error(
      `${this.name}: ${argv.join(" ")} ended with ${result.signal ?? result.code}\n${result.stdout}${result.stderr}`,
    );
  }

  /** Starts a program in the host and leaves it running. */
  spawn(argv: readonly string[], options: Omit<ExecOptions, "timeoutMs"> = {}): Program {
    return new Program(this.#enterPlainly(argv, options.cwd), {
      env: this.environment(options.env),
      title: `${this.name}: ${argv.join(" ")}`,
      waitsForChild: true,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  }

  /** Runs lines of ip(8) in the host, all or an Error. */
  async ip(lines: readonly string[]): Promise<void> {
    await this.mustExec(["ip", "-batch", "-"], { input: `${lines.join("\n")}\n` });
  }

  /** Writes a file as the host sees it; /etc, /run and /var/lib are the host's own. */
  async writeFile(path: string, content: string, mode = 0o644): Promise<void> {
    const script = 'umask 077; mkdir -p -- "$(dirname -- "$1")"; cat > "$1"; chmod "$2" "$1"';
    await this.mustExec(["sh", "-c", script, "sh", path, mode.toString(8)], { input: content });
  }

  readFile(path: string): Promise<string> {
    return this.mustExec(["cat", "--", path]);
  }

  /** Writes a file into the host's folder and returns its path; readable for root only. */
  writePrivateFile(name: string, content: string, mode = 0o600): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    return path;
  }

  /** What the host asks for names from now on. */
  useResolvers(addresses: readonly string[]): Promise<void> {
    return this.writeFile("/etc/resolv.conf", addresses.map((address) => `nameserver ${address}\n`).join(""));
  }

  /** Everything that runs in the host, its first process left out. */
  processes(): HostProcess[] {
    const namespace = readlinkSync(`/proc/${this.pid}/ns/pid`);
    return processesOf(namespace).filter((process) => process.pid !== 1 && process.outerPid !== this.#catPid());
  }

  /** Sends a signal to a process by the id it has inside the host. False when there is none. */
  kill(pid: number, signal: NodeJS.Signals): boolean {
    const found = this.processes().find((process) => process.pid === pid);
    return found !== undefined && sendSignal(found.outerPid, signal);
  }

  /** Whether a UDP socket in this host listens on the port, in either family (proc_net_udp). */
  listensOnUdp(port: number): boolean {
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    return ["udp", "udp6"].some((file) =>
      readFileSync(`/proc/${this.pid}/net/${file}`, "utf8")
        .split("\n")
        .some((line) => line.trim().split(/\s+/)[1]?.endsWith(wanted)),
    );
  }

  /** Ends the host with everything in it. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const holder = this.#holder;
    if (holder.exitCode !== null || holder.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => holder.once("exit", () => resolve()));
    holder.stdin?.end();
    try {
      await within(`host ${this.name} to end`, gone, STOP_TIMEOUT_MS);
    } catch {
      holder.kill("SIGKILL");
      await gone;
    }
  }

  /** The `cat` that waits for the end of the lab is no process of the host's own. */
  #catPid(): number {
    return Number(readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8").split(" ")[0]);
  }
}

/** A host must not depend on how the machine under the lab is set up; IPv4 values would be inherited from it. */
const DEFAULT_SYSCTLS = [
  "net.ipv4.ip_forward=0",
  "net.ipv4.conf.all.rp_filter=2",
  "net.ipv4.conf.default.rp_filter=2",
  "net.ipv4.conf.all.accept_redirects=1",
  "net.ipv4.conf.default.accept_redirects=1",
  // No address conflicts here, and duplicate address detection holds every new address back for a second.
  "net.ipv6.conf.all.accept_dad=0",
  "net.ipv6.conf.default.accept_dad=0",
];

function inFolder(argv: readonly string[], cwd: string | undefined): readonly string[] {
  return cwd === undefined ? argv : ["env", "-C", cwd, ...argv];
}

async function firstPid(name: string, holder: ChildProcess): Promise<number> {
  let printed = "";
  let complaints = "";
  let over = false;
  holder.stdout?.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  holder.stderr?.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  holder.stdin?.on("error", () => {
    // The host is gone already; its exit says so.
  });
  holder.once("exit", () => {
    over = true;
  });
  holder.once("error", (error) => {
    over = true;
    complaints += error.message;
  });
  try {
    await pollUntil(`host ${name}`, () => over || printed.includes("\n"), {
      timeoutMs: START_TIMEOUT_MS,
      intervalMs: 5,
    });
  } catch (error) {
    holder.kill("SIGKILL");
    throw error;
  }
  const ready = /^ready ([0-9]+)\n$/.exec(printed);
  if (ready === null) {
    holder.kill("SIGKILL");
    throw new Error(`host ${name} did not come up: ${complaints.trim()}`);
  }
  return Number(ready[1]);
}
