import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadConfig, variableName } from "./config.ts";

function load(file: unknown, env: Record<string, string> = {}, flags: [string, string][] = []) {
  const text = typeof file === "string" ? file : JSON.stringify(file);
  return loadConfig({ file: { path: "relay.json", text }, env, flags: new Map(flags) });
}

function problems(...given: Parameters<typeof load>): string[] {
  const result = load(...given);
  return result.ok ? [] : result.error.message.split("\n");
}

describe("the server's configuration", () => {
  it("needs nothing for a server on loopback", () => {
    const result = loadConfig({ env: {}, flags: new Map() });
    expect(result.ok && result.value.listen).toEqual({ host: "127.0.0.1", port: 8443 });
    expect(result.ok && result.value.registration).toEqual({ mode: "open" });
  });

  it("lets variables win over the file and flags over both", () => {
    const result = load(
      { udp: { portMin: 1000, portMax: 2000 }, serverName: "file.example", limits: { nodes: 5 } },
      { HIGGS_RELAY_SERVER_NAME: "env.example", HIGGS_RELAY_UDP_PORT_MAX: "3000" },
      [["serverName", "flag.example"]],
    );
    expect(result.ok && result.value).toMatchObject({
      serverName: "flag.example",
      udp: { portMin: 1000, portMax: 3000 },
      limits: { nodes: 5 },
    });
  });

  it("takes lists and objects as JSON", () => {
    const id = "A".repeat(43);
    const result = load({}, { HIGGS_RELAY_TRUSTED_PROXIES: '["10.0.0.0/8"]' }, [
      ["registration", JSON.stringify({ mode: "allow-list", nodes: [id] })],
      ["admin", "null"],
    ]);
    expect(result.ok && result.value).toMatchObject({
      trustedProxies: ["10.0.0.0/8"],
      registration: { mode: "allow-list", nodes: [id] },
      admin: null,
    });
  });

  it("names every problem, not the first alone", () => {
    expect(
      problems(
        { listen: { host: "nowhere", port: 70_000 }, udp: { portMin: 0 }, colour: "red", limits: { nodes: 0 } },
        { HIGGS_RELAY_SPEED: "9" },
        [["limits.guest", "5"]],
      ).map((line) => line.split(":")[0]),
    ).toEqual([
      "HIGGS_RELAY_SPEED",
      "limits.guest",
      "listen.host",
      "listen.port",
      "udp.portMin",
      "limits.nodes",
      "Unrecognized key",
    ]);
    expect(problems("{")[0]).toMatch(/^relay\.json: is not JSON/);
    expect(problems("[]")).toEqual(["relay.json: is not a JSON object"]);
    expect(problems({ udp: { portMin: 5000, portMax: 4000 } })).toEqual(["udp.portMin: is above udp.portMax"]);
  });

  it("does not serve strangers without TLS unless told to", () => {
    const listen = { host: "0.0.0.0", port: 80 };
    expect(problems({ listen })[0]).toMatch(/^listen\.host: /);
    expect(problems({ listen, insecure: true })).toEqual([]);
    expect(problems({ listen, trustedProxies: ["10.0.0.1/32"] })).toEqual([]);
    expect(problems({ listen, tls: { certFile: "a", keyFile: "b" } })).toEqual([]);
  });

  it("takes the example that is packaged", () => {
    expect(problems(readFileSync(new URL("./packaging/config.example.json", import.meta.url), "utf8"))).toEqual([]);
  });

  it("has a variable for every field, spelled from its path", () => {
    expect(variableName("limits.queueBytes")).toBe("HIGGS_RELAY_LIMITS_QUEUE_BYTES");
    expect(variableName("tls.certFile")).toBe("HIGGS_RELAY_TLS_CERT_FILE");
  });
});
