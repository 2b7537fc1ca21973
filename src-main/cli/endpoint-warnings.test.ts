import { describe, expect, it, vi } from "vitest";
import { FAKE_NOW, fakeClient } from "../ipc/testing/fake-node.ts";
import { endpointWarnings } from "./endpoint-warnings.ts";
import { CliHarness } from "./testing/cli-harness.ts";

function config(endpoint: string): string {
  return `# Where you have IPv6, this works too: Endpoint = [2a0a:77::10]:51820\n[Peer]\nEndpoint = ${endpoint}\nAllowedIPs = 0.0.0.0/0\n`;
}

describe("the endpoint of a configuration", () => {
  it.each([
    ["192.168.77.10:51820", "endpoint-private"],
    ["10.1.2.3:1", "endpoint-private"],
    ["172.31.0.1:51820", "endpoint-private"],
    ["[fd00::1]:51820", "endpoint-private"],
    ["100.64.0.2:51820", "endpoint-shared"],
    ["169.254.3.4:51820", "endpoint-link-local"],
    ["[fe80::1]:51820", "endpoint-link-local"],
  ])("at %s is warned about", (endpoint, code) => {
    const [warning, ...more] = endpointWarnings(config(endpoint), "Ann's phone");
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ code, message: expect.stringContaining(endpoint) });
    expect(warning?.hint).toContain(`client config "Ann's phone" --relay`);
  });

  it.each(["11.22.33.2:51820", "[2a0a:77::10]:51820", "home.example.org:51820", "127.0.0.1:51820", "172.32.0.1:51820"])(
    "at %s is not",
    (endpoint) => {
      expect(endpointWarnings(config(endpoint), "Ann")).toEqual([]);
    },
  );

  it("that is none is passed over", () => {
    expect(endpointWarnings("[Peer]\nEndpoint = \nEndpoint = nonsense\n", "Ann")).toEqual([]);
  });
});

describe("higgsnode client config", () => {
  it("warns on stderr of what works only at home, exits with 0, and keeps to one document with --json", async () => {
    const cli = await CliHarness.create();
    try {
      await cli.serve();
      const client = fakeClient({ name: "TV" });
      cli.node.clients = [client];
      const text = "[Peer]\nEndpoint = 192.168.77.10:51820\n";
      const answer = { client, config: text, shownUntil: FAKE_NOW };
      vi.spyOn(cli.node.handlers, "clients.config").mockResolvedValue(answer);
      const told = await cli.run("client", "config", "TV");
      expect(told).toMatchObject({ code: 0, out: text });
      expect(told.err).toMatch(/^Warning: This configuration works only inside your home network/);
      const { code, out } = await cli.run("client", "config", "TV", "--json");
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ config: text, warnings: [{ code: "endpoint-private" }] });
    } finally {
      await cli.dispose();
    }
  });
});
