import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeStateSchema } from "../../src-shared/model/node-state.ts";
import { DEFAULT_SETTINGS } from "../../src-shared/model/settings.ts";
import { HiggsFailure } from "../../src-shared/result.ts";
import { FAKE_EXIT, FAKE_NOW, fakeClient } from "../ipc/testing/fake-node.ts";
import { runCli } from "./main.ts";
import { CliHarness } from "./testing/cli-harness.ts";

let cli: CliHarness;
beforeEach(async () => {
  cli = await CliHarness.create();
});
afterEach(() => cli.dispose());

describe("the command line", () => {
  it.each([
    ["an unknown command", ["dance"], "unknown command 'dance'", "higgsnode --help"],
    ["an unknown command of a group", ["client", "dance"], "unknown command 'dance'", "higgsnode client --help"],
    ["an unknown option", ["status", "--loud"], "unknown option '--loud'", "higgsnode status --help"],
    ["a missing argument", ["client", "add"], "missing required argument 'name'", "higgsnode client add --help"],
    ["an argument too many", ["status", "now"], "too many arguments", "higgsnode status --help"],
    ["an option without its value", ["status", "--data-dir"], "argument missing", "higgsnode status --help"],
    ["a port that is none", ["start", "--panel-port", "70000"], "port number", "higgsnode start --help"],
  ])("refuses %s with one line that names the fitting help, and exit code 2", async (_what, argv, words, help) => {
    const { code, out, err } = await cli.run(...argv);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/^higgsnode: [^\n]+\n$/);
    expect(err).toContain(words);
    expect(err).toContain(help);
  });

  it("tells wrong usage as JSON where JSON was asked for", async () => {
    const { code, out, err } = await cli.run("dance", "--json");
    expect([code, err]).toEqual([2, ""]);
    expect(JSON.parse(out).error.code).toBe("bad-usage");
    const group = await cli.run("client", "--json");
    expect([group.code, JSON.parse(group.out).error.code]).toEqual([2, "bad-usage"]);
  });

  it("shows the help on stdout where it is asked for, else on stderr", async () => {
    const asked = await cli.run("--help");
    expect([asked.code, asked.err]).toEqual([0, ""]);
    expect(asked.out).toContain("restore-network");
    const bare = await cli.run();
    expect([bare.code, bare.out]).toEqual([2, ""]);
    expect(bare.err).toBe(asked.out);
    expect((await cli.run("client")).code).toBe(2);
    expect(await cli.run("help")).toEqual(asked);
  });

  it("says its version", async () => {
    expect(await cli.run("--version")).toMatchObject({ code: 0, out: "1.2.3\n" });
  });

  it.each([["status"], ["on"], ["off"], ["client", "list"], ["client", "config", "x"], ["settings", "show"]])(
    "exits with 3 where no node runs: %s",
    async (...argv) => {
      const words = await cli.run(...argv);
      expect(words).toEqual({
        code: 3,
        out: "",
        err: "higgsnode: no node is running with this data directory. Start one with: higgsnode start\n",
      });
      const json = await cli.run(...argv, "--json");
      expect([json.code, json.err]).toEqual([3, ""]);
      expect(JSON.parse(json.out)).toEqual({
        error: {
          code: "not-running",
          message: "no node is running with this data directory",
          hint: "Start one with: higgsnode start",
        },
      });
    },
  );

  it("reminds somebody who is not root of sudo, unless they said where the node is", async () => {
    cli.isRoot = false;
    const anywhere = await runCli(["status"], cli.host());
    expect([anywhere, cli.text.err]).toEqual([
      3,
      "higgsnode: no node is running with this data directory. " +
        "If it was started with sudo, use sudo here too. Start one with: higgsnode start\n",
    ]);
    expect((await cli.run("status")).err).not.toContain("sudo");
  });

  it("names the common options in the help of every command", async () => {
    const { out } = await cli.run("client", "add", "--help");
    expect(out).toContain("--data-dir");
    expect(out).toContain("--json");
  });

  it("takes the common options anywhere on the line", async () => {
    await cli.serve();
    cli.node.clients = [fakeClient()];
    const lines = [
      ["--data-dir", cli.dataDir, "--json", "client", "list"],
      ["client", "--json", "list", "--data-dir", cli.dataDir],
      ["client", "list", `--data-dir=${cli.dataDir}`, "--json"],
    ];
    for (const argv of lines) {
      cli.text.out = "";
      expect(await runCli(argv, cli.host())).toBe(0);
      expect(JSON.parse(cli.text.out)).toHaveLength(1);
    }
  });

  it("looks where the platform keeps settings unless it is told otherwise", async () => {
    expect(await runCli(["status"], { ...cli.host(), env: { XDG_CONFIG_HOME: "/nowhere" } })).toBe(3);
  });

  it("exits with 4 where permission was refused", async () => {
    await cli.serve();
    cli.node.failNext = new HiggsFailure({ code: "permission-refused", message: "permission was refused" });
    expect(await cli.run("on")).toMatchObject({ code: 4, err: "higgsnode: permission was refused.\n" });
    cli.node.failNext = new HiggsFailure({ code: "not-permitted", message: "not yours" });
    expect((await cli.run("off", "--json")).code).toBe(4);
  });

  it("exits with 1 where what was asked for failed", async () => {
    await cli.serve();
    expect(await cli.run("client", "remove", "nobody")).toEqual({
      code: 1,
      out: "",
      err: "higgsnode: there is no client named nobody. See the names with: higgsnode client list\n",
    });
  });
});

describe("higgsnode status", () => {
  it("says that nothing is shared", async () => {
    await cli.serve();
    const { code, out } = await cli.run("status");
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "Not sharing.
      Nothing is sent and nothing on this computer is changed.

        Since  2 hours ago
      "
    `);
  });

  it("says how a sharing node is reached and used", async () => {
    await cli.serve();
    cli.node.setPhase({ phase: "running", since: FAKE_NOW, exit: FAKE_EXIT });
    expect((await cli.run("status")).out).toMatchInlineSnapshot(`
      "Sharing. 1 person connected.

        Since          2 hours ago
        Endpoint       203.0.113.7:51820 (as you set it)
        Clients        1 of 2 connected
        Traffic        1.2 MiB from clients, 32.4 MiB to clients
        Internet       IPv4 through eth0, no IPv6
        IPv6           off. This computer has no IPv6 connection.
        Guest network  10.66.0.0/16, fd12:3456:789a::/64
        WireGuard      higgs0, port 51820/udp, in the kernel
        Public key     xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
      "
    `);
  });

  it("keeps to the width of the terminal", async () => {
    await cli.serve();
    cli.columns = 50;
    cli.node.setPhase({ phase: "running", since: FAKE_NOW, exit: FAKE_EXIT });
    const lines = (await cli.run("status")).out.trimEnd().split("\n");
    expect(lines).toContain("  Internet       IPv4 through eth0, no IPv6");
    expect(lines).toContain("  Traffic        1.2 MiB from clients, 32.4 MiB to");
    expect(lines).toContain("                 clients");
  });

  it("says what is wrong and what to do", async () => {
    await cli.serve();
    const problem = {
      code: "nat-missing",
      message: "the NAT rules are gone",
      hint: "Wait a moment, they are being repaired.",
    };
    cli.node.setPhase({ phase: "degraded", since: FAKE_NOW, exit: FAKE_EXIT, problems: [problem] });
    expect((await cli.run("status")).out).toMatch(
      /^Sharing, with a problem\.\nThe NAT rules are gone\. Wait a moment, they are being repaired\.\n/,
    );
    cli.node.setPhase({ phase: "recovering", since: FAKE_NOW, exit: FAKE_EXIT, cause: problem, attempt: 2 });
    expect((await cli.run("status")).out).toMatch(
      /^Repairing the connection\.\nThe NAT rules are gone\. Wait a moment, they are being repaired\. Attempt 2\.\n/,
    );
    cli.node.setPhase({ phase: "failed", since: FAKE_NOW, error: problem });
    expect((await cli.run("status")).out).toMatch(/^Sharing did not work\.\n/);
  });

  it.each(["helper", "inspect", "apply", "dns", "verify"] as const)(
    "says what it waits for at the step %s",
    async (step) => {
      await cli.serve();
      cli.node.setPhase({ phase: "starting", since: FAKE_NOW, step });
      expect((await cli.run("status")).out).toMatch(/^Starting to share\.\n[A-Z].*…\n/);
    },
  );

  it("is one NodeState as JSON", async () => {
    await cli.serve();
    const { out } = await cli.run("status", "--json");
    expect(nodeStateSchema.parse(JSON.parse(out)).node.phase).toBe("stopped");
  });
});

describe("higgsnode on and off", () => {
  it("switch sharing, and say how it went", async () => {
    await cli.serve();
    expect(await cli.run("on")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Sharing\. 1 person connected\.\n/),
    });
    expect(JSON.parse((await cli.run("off", "--json")).out).node.phase).toBe("stopped");
    expect(cli.node.calls).toEqual(["node.on", "node.off"]);
  });
});

describe("higgsnode client", () => {
  it("adds a client and says how to go on", async () => {
    await cli.serve();
    expect((await cli.run("client", "add", "Anna's phone")).out).toMatchInlineSnapshot(`
      "Added Anna's phone, 10.66.0.2, fd12:3456:789a::2.
      Show the QR code for its WireGuard app:  higgsnode client config "Anna's phone" --qr
      Or write its configuration to a file:    higgsnode client config "Anna's phone" > wg0.conf
      "
    `);
    expect(JSON.parse((await cli.run("client", "add", "laptop", "--json")).out)).toMatchObject({
      name: "laptop",
      usage: { rxBytes: 0, txBytes: 0 },
    });
  });

  it("lists clients in aligned columns", async () => {
    await cli.serve();
    cli.node.clients = [
      fakeClient({
        connected: true,
        lastHandshakeAt: "2026-01-01T14:04:12.000Z",
        usage: { rxBytes: 1_300_000, txBytes: 36_507_222_016 },
      }),
      fakeClient({ id: "c2", name: "Öl", paused: true, addresses: ["10.66.0.3"] }),
      fakeClient({ id: "c3", name: "TV", lastHandshakeAt: "2025-12-30T12:00:00.000Z", addresses: ["10.66.0.4"] }),
    ];
    expect((await cli.run("client", "list")).out).toMatchInlineSnapshot(`
      "NAME          STATE          LAST SEEN       FROM CLIENT  TO CLIENT  ADDRESSES
      Anna's phone  connected      48 seconds ago  1.2 MiB      34.0 GiB   10.66.0.2, fd12:3456:789a::2
      Öl            paused         never           0 B          0 B        10.66.0.3
      TV            not connected  2 days ago      0 B          0 B        10.66.0.4
      "
    `);
  });

  it("says what to do where there is no client", async () => {
    await cli.serve();
    expect((await cli.run("client", "list")).out).toBe(
      "Nobody has access yet. Add a client with: higgsnode client add NAME\n",
    );
  });

  it("pauses, resumes and removes by name", async () => {
    await cli.serve();
    cli.node.clients = [fakeClient()];
    expect((await cli.run("client", "pause", "anna's PHONE")).out).toBe("Paused Anna's phone.\n");
    expect(JSON.parse((await cli.run("client", "resume", "c1", "--json")).out).paused).toBe(false);
    expect((await cli.run("client", "remove", "c1")).code).toBe(0);
    expect(cli.node.clients).toEqual([]);
  });

  it("prints only the configuration on stdout, what else there is to say on stderr", async () => {
    await cli.serve();
    cli.node.clients = [fakeClient({ name: "TV" })];
    const { code, out, err } = await cli.run("client", "config", "TV");
    expect(code).toBe(0);
    expect(out).toMatch(/^\[Interface\]\nPrivateKey = secret\n[\s\S]*Endpoint = 203\.0\.113\.7:51820\n$/);
    expect(err).toMatch(/^The private key in it is forgotten in [^\n]+--new-key\n$/);
    expect(JSON.parse((await cli.run("client", "config", "TV", "--json", "--new-key")).out)).toMatchObject({
      client: { name: "TV" },
      config: out,
    });
  });

  it("draws a QR code that fits a terminal", async () => {
    await cli.serve();
    cli.node.clients = [fakeClient({ name: "TV" })];
    const { out } = await cli.run("client", "config", "TV", "--qr");
    expect(out).toMatch(/^[ ▀▄█\n]+$/);
    expect(out).not.toContain("secret");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe("higgsnode settings", () => {
  it("shows every setting", async () => {
    await cli.serve();
    const lines = (await cli.run("settings", "show")).out.trimEnd().split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual(Object.keys(DEFAULT_SETTINGS));
    expect(lines.slice(0, 3)).toEqual([
      "listenPort           51820",
      "mtu                  1420",
      "guestIpv4            auto",
    ]);
    expect(lines).toContain("allowedDestinations  []");
  });

  it("sets what is given, numbers and lists as such", async () => {
    await cli.serve();
    const { code, out } = await cli.run(
      "settings",
      "set",
      "listenPort=51821",
      "publicEndpoint=home.example.org:51820",
      "keepClientKeys=true",
      'allowedDestinations=[{"destination":"192.168.1.5/32","port":631}]',
    );
    expect(code).toBe(0);
    expect(out).toContain("publicEndpoint       home.example.org:51820\n");
    expect(out.trimEnd().split("\n")).toHaveLength(4);
    expect(cli.node.settings).toMatchObject({
      listenPort: 51821,
      publicEndpoint: { host: "home.example.org", port: 51820 },
      keepClientKeys: true,
      allowedDestinations: [{ destination: "192.168.1.5/32", port: 631 }],
    });
    expect(JSON.parse((await cli.run("settings", "show", "--json")).out).listenPort).toBe(51821);
  });

  it("takes a list whose quotes the shell has eaten", async () => {
    await cli.serve();
    const { code } = await cli.run("settings", "set", "relayServers=[wss://a.example.org, wss://b.example.org]");
    expect(code).toBe(0);
    expect(cli.node.settings.relayServers).toEqual(["wss://a.example.org", "wss://b.example.org"]);
  });

  it.each([["listenPort"], ["=1"], ["a b=1"], ["listenPort=1", "listenPort=2"], ["__proto__=1"]])(
    "refuses %s as wrong usage",
    async (...pairs) => {
      expect((await cli.run("settings", "set", ...pairs)).code).toBe(2);
    },
  );

  it("passes the node's refusal on", async () => {
    await cli.serve();
    const { code, err } = await cli.run("settings", "set", "listenPort=0");
    expect(code).toBe(1);
    expect(err).toContain("listenPort");
  });
});

describe("higgsnode start", () => {
  it("runs a node until a signal, and prints where it is", async () => {
    const running = cli.run("start", "--no-panel", "--share");
    await expect.poll(() => cli.text.out).toContain("\n");
    expect(JSON.parse(cli.text.out)).toEqual({
      ready: true,
      panel: null,
      socket: path.join(cli.dataDir, "control.sock"),
    });
    await expect.poll(() => cli.node.calls).toEqual(["node.on"]);
    for (const listener of cli.listeners) listener("SIGTERM");
    expect((await running).code).toBe(0);
    expect(cli.node.closed).toBe(1);
  });

  it("fails where the panel was not built, and closes the node again", async () => {
    const { code, err } = await cli.run("start");
    expect(code).toBe(1);
    expect(err).toContain("npm run build");
    expect(cli.node.closed).toBe(1);
  });
});
