import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { extractFile, listPackage } from "@electron/asar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Lab, type LabHost, NetworkSnapshot, nodeProgram, type Program, pollUntil, requireLab } from "./lab/index.ts";
import { makeStubRuntime, readFuses } from "./packaging/stub-runtime.ts";

const ROOT = resolve(import.meta.dirname, "..");
const BUILD_TIMEOUT_MS = 110_000;
const APP = "/opt/HiggsNode";
/** Removing waits for a node to drain. */
const DPKG_TIMEOUT_MS = 90_000;

let folder: string;
let unpacked: string;
let deb: string;

/** Electron's runtime cannot be had everywhere; what goes around it can be built without. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "higgsnode-packages-"));
  makeStubRuntime(join(folder, "electron"));
  const built = spawnSync(
    nodeProgram(),
    [
      join(ROOT, "scripts/package.mjs"),
      "deb",
      `-c.electronDist=${join(folder, "electron")}`,
      `-c.directories.output=${join(folder, "packages")}`,
    ],
    {
      encoding: "utf8",
      timeout: BUILD_TIMEOUT_MS,
      // A umask under which everything would come out writable for the group.
      env: { ...process.env, CUSTOM_FPM_PATH: join(ROOT, "e2e/packaging/fpm.mjs") },
    },
  );
  if (built.status !== 0) throw new Error(`packaging failed\n${built.stdout}${built.stderr}`);
  unpacked = join(folder, "packages/linux-unpacked");
  deb = join(folder, "packages", readdirSync(join(folder, "packages")).find((name) => name.endsWith(".deb")) ?? "");
}, BUILD_TIMEOUT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function outputOf(program: string, argv: readonly string[]): string {
  const ran = spawnSync(program, argv, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0) throw new Error(`${program} ${argv.join(" ")}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

describe.skipIf(process.platform !== "linux")("the packaged app", () => {
  const asar = () => join(unpacked, "resources/app.asar");

  it("has the bundles and the page in its archive: no source maps, no modules, no sources", () => {
    const files = listPackage(asar(), { isPack: false });
    expect(files).toEqual(
      expect.arrayContaining([
        "/package.json",
        "/dist/electron/main.mjs",
        "/dist/electron/preload.cjs",
        "/dist/electron/icons/tray-relayed@2x.png",
        "/dist/renderer/index.html",
      ]),
    );
    expect(
      files.filter((file) => /\.map$|\.tsx?$|node_modules|\.test\.|^\/(src-|e2e|native-helpers|bench)/.test(file)),
    ).toEqual([]);
    for (const file of files.filter((name) => /\.(mjs|cjs|js)$/.test(name))) {
      expect(extractFile(asar(), file.slice(1)).toString("latin1").slice(-300)).not.toContain("sourceMappingURL");
    }
  });

  it("says nothing in its package.json of how it is developed", () => {
    const manifest = JSON.parse(extractFile(asar(), "package.json").toString("utf8")) as Record<string, unknown>;
    expect(manifest).toMatchObject({ name: "higgsnode", productName: "HiggsNode", main: "dist/electron/main.mjs" });
    expect(manifest).not.toHaveProperty("devDependencies");
    expect(manifest).not.toHaveProperty("scripts");
  });

  it("brings nothing but Electron's own modules from outside: everything else is in the bundles", () => {
    const main = extractFile(asar(), "dist/electron/main.mjs").toString("utf8");
    const imported = [...main.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name]) => name ?? "");
    expect(imported.length).toBeGreaterThan(5);
    expect(imported.filter((name) => name !== "electron" && !name.startsWith("node:") && !isBuiltin(name))).toEqual([]);
  });

  it("has helper and command line beside the archive, executable, and writable to their owner alone", () => {
    const resources = join(unpacked, "resources");
    for (const file of ["helper.mjs", "cli.mjs", "higgsnode-helper", "higgsnode"]) {
      expect([file, (statSync(join(resources, file)).mode & 0o777).toString(8)]).toEqual([file, "755"]);
    }
    for (const entry of readdirSync(unpacked, { recursive: true, encoding: "utf8" })) {
      expect([entry, statSync(join(unpacked, entry)).mode & 0o022]).toEqual([entry, 0]);
    }
  });

  it("has its fuses set: Node only where we start it, nothing that changes what it runs", () => {
    expect(readFuses(readFileSync(join(unpacked, "higgsnode-desktop")))).toEqual({
      runAsNode: true,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
    });
  });
});

describe.skipIf(process.platform !== "linux")("the deb", () => {
  it("names what a node needs of the system", () => {
    const depends = outputOf("dpkg-deb", ["--field", deb, "Depends"]);
    for (const name of [
      "wireguard-tools",
      "iproute2",
      "iptables",
      "conntrack",
      "policykit-1 | polkitd",
      "libgtk-3-0",
    ]) {
      expect(depends).toContain(name);
    }
  });

  it("owns everything as root, and lets nobody else write", () => {
    const lines = outputOf("dpkg-deb", ["--contents", deb]).trim().split("\n");
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => !/^[-dl]rw[-x]r-[-x]r-[-x] root\/root /.test(line))).toEqual([]);
  });

  it("brings menu entry, icons, permission, service and description", () => {
    const contents = outputOf("dpkg-deb", ["--contents", deb]);
    for (const path of [
      "/usr/share/applications/net.higgsnode.app.desktop",
      "/usr/share/icons/hicolor/256x256/apps/higgsnode-desktop.png",
      "/usr/share/polkit-1/actions/net.higgsnode.helper.policy",
      "/usr/lib/systemd/system/higgsnode-helper@.service",
      "/usr/share/metainfo/net.higgsnode.app.metainfo.xml",
    ]) {
      expect(contents).toContain(path);
    }
  });
});

describe.skipIf(!requireLab())("installed on a host", () => {
  let lab: Lab;
  let host: LabHost;
  let before: NetworkSnapshot;

  beforeAll(async () => {
    lab = await Lab.create({ router: { mapping: "none", portForward51820: true } });
    host = lab.host("node");
    // /etc and /var/lib are the host's own already, so that dpkg writes into neither the machine's database nor its folders.
    const places = join(host.folder, "overlay");
    await host.mustExec([
      "sh",
      "-ec",
      'mkdir -p "$1"; mount -t tmpfs tmpfs "$1"; mkdir "$1/usr" "$1/work"; mount -t overlay overlay -o "lowerdir=/usr,upperdir=$1/usr,workdir=$1/work" /usr; mount -t tmpfs tmpfs /opt',
      "sh",
      places,
    ]);
    before = await NetworkSnapshot.take(host);
  });
  afterAll(() => lab?.dispose());

  async function dpkg(...argv: string[]): Promise<string> {
    // Electron's libraries are not on a machine without a desktop.
    return host.mustExec(["dpkg", "--force-depends", ...argv], { timeoutMs: DPKG_TIMEOUT_MS });
  }

  async function install(): Promise<void> {
    await dpkg("--install", deb);
    // A program's own file, not a script's interpreter, is what tells whose process it is.
    await host.mustExec([
      "sh",
      "-ec",
      'cp "$1" "$2.new"; mv "$2.new" "$2"',
      "sh",
      nodeProgram(),
      `${APP}/higgsnode-desktop`,
    ]);
  }

  async function share(): Promise<Program> {
    const data = join(host.folder, "data");
    const node = host.spawn(["higgsnode", "start", "--no-panel", "--share", "--data-dir", data]);
    await node.line((line) => line.includes('"ready":true'), 30_000);
    await pollUntil("sharing", async () => (await phase()) === "running", { timeoutMs: 30_000, intervalMs: 100 });
    return node;
  }

  async function phase(): Promise<string | undefined> {
    const status = await host.exec(["higgsnode", "status", "--json", "--data-dir", join(host.folder, "data")]);
    return status.code === 0 ? (JSON.parse(status.stdout) as { node: { phase: string } }).node.phase : undefined;
  }

  async function networkChanges(): Promise<string[]> {
    return NetworkSnapshot.diff(before, await NetworkSnapshot.take(host));
  }

  /** Ours, wherever a package, its scripts or the helper could have put them. */
  async function leftovers(): Promise<string[]> {
    const found = await host.exec([
      "sh",
      "-c",
      "ls -d /opt/* /run/higgsnode* /var/lib/higgsnode* /etc/apparmor.d/higgsnode* 2>/dev/null; find /usr /etc/systemd /lib/systemd -xdev \\( -iname '*higgsnode*' \\) 2>/dev/null",
    ]);
    return found.stdout.split("\n").filter((line) => line !== "");
  }

  /** One that was told to end may take a moment. */
  async function expectNoProcess(): Promise<void> {
    const left = () => host.processes().map(({ argv }) => argv.join(" "));
    await pollUntil("everything to end", () => left().length === 0, { timeoutMs: 10_000 }).catch(() => {});
    expect(left()).toEqual([]);
  }

  it("is there: command, service, and a helper that only root can change", async () => {
    await install();
    expect(await host.mustExec(["higgsnode", "--help"])).toContain("start");
    const verified = await host.exec([
      "systemd-analyze",
      "verify",
      "/usr/lib/systemd/system/higgsnode-helper@.service",
    ]);
    expect(verified.stderr).not.toMatch(/higgsnode.*(not executable|Unknown|Failed)/);
    expect(await host.mustExec(["stat", "-c", "%U:%G %a", `${APP}/resources/helper.mjs`])).toBe("root:root 755\n");
  });

  it("runs the helper through the program that the permission names, for whoever asked", async () => {
    const program = `${APP}/resources/higgsnode-helper`;
    expect(await host.readFile("/usr/share/polkit-1/actions/net.higgsnode.helper.policy")).toContain(`>${program}<`);
    const helper = host.spawn([program], { env: { PKEXEC_UID: "1234", NODE_OPTIONS: "--import=/nowhere.mjs" } });
    await pollUntil(
      "the socket",
      async () => (await host.exec(["test", "-S", "/run/higgsnode/1234/helper.sock"])).code === 0,
      {
        timeoutMs: 20_000,
      },
    );
    expect(await host.mustExec(["stat", "-c", "%u %a", "/run/higgsnode/1234/helper.sock"])).toBe("1234 600\n");
    await helper.stop();
  });

  it("leaves a node that shares alone while it is updated", async () => {
    const node = await share();
    const changed = await networkChanges();
    expect(changed).not.toEqual([]);
    await dpkg("--install", deb);
    expect(node.running).toBe(true);
    expect(await networkChanges()).toEqual(changed);
    await install();
    await node.stop(30_000);
  });

  it("is removed while a node shares: the node is drained, the network as it was, its key kept", async () => {
    const node = await share();
    await dpkg("--remove", "higgsnode");
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(await networkChanges()).toEqual([]);
    expect(await leftovers()).toEqual(["/var/lib/higgsnode"]);
    await expectNoProcess();
  });

  it("is purged after everything of it was killed: the network as it was, and nothing left", async () => {
    await install();
    const node = await share();
    for (const { pid, argv } of host.processes()) {
      if (argv.some((word) => word.startsWith(APP))) host.kill(pid, "SIGKILL");
    }
    await node.ended;
    expect(await networkChanges()).not.toEqual([]);
    await dpkg("--purge", "higgsnode");
    expect(await networkChanges()).toEqual([]);
    expect(await leftovers()).toEqual([]);
    await expectNoProcess();
  });
});

function isBuiltin(name: string): boolean {
  return process.getBuiltinModule(name) !== undefined;
}
