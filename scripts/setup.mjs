/**
 * Brings what is missing, and nothing else: npm packages, and on Debian as root the system packages.
 * Quick when everything is there. Runs on whatever Node the system has (20 or newer), because the
 * pinned one comes with the npm packages.
 *
 * `--tests` also brings what only the tests and the lab need.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installCommands, OTHER_SYSTEMS, PROGRAMS } from "./platform-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const withTests = process.argv.includes("--tests");

installNpmPackages();
installSystemPackages();

/** `npm ci` runs when the lock file is not the one that was installed last. */
function installNpmPackages() {
  const stamp = join(root, "node_modules", ".higgsnode-setup");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing npm packages (npm ci)");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  const runtime = spawnSync(join(root, "node_modules", ".bin", "node"), ["--version"], {
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (runtime.status !== 0) {
    fail("The pinned JavaScript runtime was not installed: the install script of the npm package `node` did not run.", [
      "Allow it and run this again: npm config set ignore-scripts false",
    ]);
  }
  writeFileSync(stamp, lock);
}

function installSystemPackages() {
  const missing = PROGRAMS.filter(({ program, tests }) => (withTests || !tests) && !isInstalled(program));
  if (process.platform !== "linux") {
    if (!isInstalled("wg"))
      say(`WireGuard is missing; install it with: ${OTHER_SYSTEMS[process.platform] ?? "your package manager"}`);
    return;
  }
  if (missing.length === 0) return;
  const names = missing.map(({ program }) => program).join(", ");
  const isDebian = existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get");
  if (isDebian && process.getuid() === 0) {
    const packages = [...new Set(missing.map(({ packages }) => packages.debian))];
    say(`installing system packages: ${packages.join(" ")}`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    run("apt-get", ["update", "-qq"], env);
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], env);
    return;
  }
  say(`not installed: ${names}. Install with:`);
  for (const line of installCommands(missing)) say(`  ${line}`);
  // A node says itself what it cannot do without; the tests fail where CI lacks something.
}

function isInstalled(program) {
  const places = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return places.some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(command, args, env = process.env) {
  // What installers print goes to stderr: stdout belongs to the command that was asked for.
  const ran = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (ran.status !== 0) fail(`${command} ${args.join(" ")} failed.`, []);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(message, lines) {
  for (const line of [message, ...lines]) say(line);
  process.exit(1);
}
