import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Higgsnode, NetworkSnapshot, requireLab } from "./lab/index.ts";
import { Sharing } from "./sharing.ts";

describe.skipIf(!requireLab())("bad input", () => {
  let sharing: Sharing;

  beforeAll(async () => {
    sharing = await Sharing.on();
  });
  afterAll(async () => {
    await sharing?.dispose();
  });

  async function refused(argv: readonly string[]): Promise<{ code: number | null; error: string }> {
    const before = await NetworkSnapshot.take(sharing.node.host);
    const ran = await sharing.node.run([...argv, "--json"]);
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(sharing.node.host))).toEqual([]);
    const { error } = JSON.parse(ran.stdout) as { error: { code: string; message: string } };
    expect(error.message).not.toBe("");
    return { code: ran.code, error: error.code };
  }

  it.each([
    ["shell metacharacters", "x; rm -rf /"],
    ["a command substitution", "$(reboot)"],
    ["a newline", "a\nPostUp = reboot"],
    ["a path", "../../etc/passwd"],
    ["10 kB", "a".repeat(10_240)],
    ["nothing", ""],
  ])("a client's name with %s is refused", async (_, name) => {
    expect(await refused(["client", "add", name])).toEqual({ code: 1, error: "bad-input" });
    const clients = JSON.parse(await sharing.node.mustRun(["client", "list", "--json"])) as unknown[];
    expect(clients).toEqual([]);
  });

  it.each(["remove", "pause", "resume", "config"])("client %s of an unknown client is refused", async (verb) => {
    expect(await refused(["client", verb, "nobody"])).toEqual({ code: 1, error: "client-unknown" });
  });

  it.each([
    ["a guest network that is the home network", "guestIpv4=192.168.0.0/16", "prefix-conflict"],
    ["a public guest network", "guestIpv4=11.22.0.0/16", "settings-invalid"],
    ["a guest network with host bits", "guestIpv4=10.66.0.1/16", "settings-invalid"],
    ["a port beyond 65535", "listenPort=70000", "settings-invalid"],
    ["an unknown setting", "listenport=51820", "unknown-setting"],
  ])("%s is refused", async (_, assignment, code) => {
    expect(await refused(["settings", "set", assignment])).toEqual({ code: 1, error: code });
    await sharing.waitForPhase("running");
  });

  it("a port that another program holds is refused, and sharing goes on with the old one", async () => {
    const holder = await sharing.user("node").listen(51_999);
    expect(await refused(["settings", "set", "listenPort=51999"])).toEqual({ code: 1, error: "port-in-use" });
    await holder.stop();
    const state = await sharing.waitForPhase("running");
    expect(state.exit).toMatchObject({ listenPort: 51_820 });
    const settings = JSON.parse(await sharing.node.mustRun(["settings", "show", "--json"])) as { listenPort: number };
    expect(settings.listenPort).toBe(51_820);
  });

  it("a second node on the same data folder is refused", async () => {
    const ran = await sharing.node.run(["start", "--no-panel", "--json"]);
    expect(ran.code).toBe(1);
    expect(ran.stdout + ran.stderr).toContain("already-running");
  });

  it("a data folder that cannot be written is refused", async () => {
    const file = join(sharing.lab.folder, "a-file");
    writeFileSync(file, "");
    const node = new Higgsnode(sharing.node.host, join(file, "data"));
    const ran = await node.run(["start", "--no-panel", "--json"]);
    expect(ran.code).toBe(1);
    expect(ran.stdout + ran.stderr).toContain("data-dir-not-writable");
  });

  it("a settings file with one broken field stops the start with that field's name, and is left alone", async () => {
    const folder = join(sharing.lab.folder, "broken-settings");
    await sharing.node.host.mustExec(["mkdir", "-p", folder]);
    const text = '{ "listenPort": "many", "mtu": 1400 }\n';
    writeFileSync(join(folder, "settings.json"), text);
    const node = new Higgsnode(sharing.node.host, folder);
    const ran = await node.run(["start", "--no-panel"]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("listenPort");
    expect(readFileSync(join(folder, "settings.json"), "utf8")).toBe(text);
  });

  it("a settings port in use is found at start and said", async () => {
    const folder = join(sharing.lab.folder, "port-in-use");
    await sharing.node.mustRun(["off"]);
    const holder = await sharing.user("node").listen(51_820);
    const node = new Higgsnode(sharing.node.host, folder);
    await node.start({ panelPort: false });
    const before = await NetworkSnapshot.take(sharing.node.host);
    const ran = await node.run(["on", "--json"]);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: "port-in-use" } });
    expect(NetworkSnapshot.diff(before, await NetworkSnapshot.take(sharing.node.host))).toEqual([]);
    await node.stop();
    await holder.stop();
    await sharing.node.mustRun(["on"]);
    await sharing.waitForPhase("running");
  });
});
