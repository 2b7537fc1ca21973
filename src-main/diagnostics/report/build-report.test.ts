import { describe, expect, it } from "vitest";
import type { FirewallText } from "../../../src-shared/helper/diagnostics.ts";
import { type Diagnosis, reportSchema } from "../../../src-shared/model/diagnosis.ts";
import { DEFAULT_SETTINGS } from "../../../src-shared/model/settings.ts";
import { fail, ok } from "../../../src-shared/result.ts";
import { NOT_LOOKED } from "../../../src-shared/testing/not-looked.ts";
import { sampleKey } from "../../../src-shared/testing/sample-spec.ts";
import { CAPABILITIES, INSPECTION } from "../../node/testing/fake-machine.ts";
import { PLAN, SHARING_MACHINE } from "../testing/check-context.ts";
import { buildReport, type PrivateNames } from "./build-report.ts";
import type { ReportParts } from "./report-parts.ts";

const FIREWALL: FirewallText = {
  ipv4: [
    "*filter",
    ":FORWARD DROP [0:0]",
    ":HIGGS-GUEST - [0:0]",
    ":ufw-user-forward - [0:0]",
    "-A HIGGS-GUEST -d 192.168.77.0/24 -j REJECT",
    "-A ufw-user-forward -s 203.0.113.9/32 -j ACCEPT",
    "COMMIT",
  ].join("\n"),
  ipv6: null,
  nft: [{ family: "inet", table: "firewalld", chain: "f", hook: "forward", policy: "drop", rules: 2, mayRefuse: true }],
};

const NAMES: PrivateNames = {
  clients: ["Ann", "Anna's phone", "ü-Gerät"],
  host: "annas-laptop",
  user: "annamaria",
  home: "/data/people/anna",
  dataDir: "/data/people/anna/.config/higgsnode",
};

const DIAGNOSIS: Diagnosis = {
  version: "1",
  finishedAt: "2026-07-01T00:00:00.000Z",
  nodePhase: "running",
  outcome: "pass",
  checks: [
    {
      id: "storage.permissions",
      group: "storage",
      title: "Only you can read the data folder",
      outcome: "pass",
      detail: `${NAMES.dataDir} is yours alone, on annas-laptop.`,
      durationMs: 1,
    },
  ],
};

function parts(more: Partial<ReportParts> = {}): ReportParts {
  return {
    createdAt: "2026-07-01T00:00:00.000Z",
    versions: { higgsnode: "1.2.3" },
    state: null,
    settings: {
      ...DEFAULT_SETTINGS,
      publicEndpoint: { host: "home.anna.example", port: 51820 },
      relayServers: ["wss://relay.anna.example"],
    },
    spec: PLAN.spec,
    machine: ok({
      capabilities: CAPABILITIES,
      observation: SHARING_MACHINE,
      inspection: INSPECTION,
      firewall: FIREWALL,
    }),
    diagnosis: DIAGNOSIS,
    history: null,
    clients: [{ paused: false, connected: true, limited: false }],
    log: ['{"level":"warn","message":"Anna\'s phone at 203.0.113.77 asked, said ü-gerät; Annabel did not"}'],
    ...more,
  };
}

describe("the report", () => {
  it("holds no address, key, name of a person, of this computer or of a folder", () => {
    const report = reportSchema.parse(buildReport(parts(), NAMES));
    const secrets = [
      "192.168.77",
      "203.0.113",
      "192.168.1.20",
      "10.66.0",
      "fd00:",
      "2001:db8",
      sampleKey(0),
      sampleKey(1),
    ];
    const names = [
      "anna's phone",
      "ü-gerät",
      "annas-laptop",
      "/data/people",
      "home.anna.example",
      "relay.anna.example",
    ];
    for (const text of [report.json, report.text]) {
      expect([...secrets, ...names].filter((secret) => text.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
    }
  });

  it("keeps quiet about what hides in names, rules of others, errors and escapes", () => {
    const nodeId = "Zm9yLXRlc3RzLW9ubHktMzItYnl0ZXMtb2YtYS1r_-8";
    const detail = (text: string) => ({
      ...DIAGNOSIS,
      checks: DIAGNOSIS.checks.map((check) => ({ ...check, detail: text })),
    });
    const foreign =
      'filter FORWARD: -s 203.0.113.9/32 -m comment --comment "dentist -j Wednesdays" -m string --string ulcer -j DROP';
    const machine = {
      capabilities: CAPABILITIES,
      observation: {
        ...SHARING_MACHINE,
        forwarding: { ipv4: { enx3c18a0d2e4f6: true }, ipv6: true },
        links: [{ name: "wlx3c18a0d2e4f6", up: true, mtu: 1500, kind: null, addresses: [] }],
      },
      inspection: { ...INSPECTION, obstacles: [{ family: 4 as const, rule: foreign, effect: "is asked first" }] },
      firewall: FIREWALL,
    };
    const report = buildReport(
      parts({
        machine: ok(machine),
        settings: {
          ...parts().settings,
          egressTargets: ["probe.anna.example:443"],
          relayCaFile: "/media/annamaria/stick/ca.pem",
        },
        state: {
          version: "1.2.3",
          node: { phase: "stopped", since: "2026-07-01T00:00:00.000Z" },
          portMapping: { state: "off" },
          ...NOT_LOOKED,
          relay: {
            state: "connected",
            since: "2026-07-01T00:00:00.000Z",
            url: "wss://former.anna.example/path",
            rttMs: null,
            publicEndpoint: { host: "guests.anna.example", port: 4500 },
            nodeId,
            ...{ sessions: 0, rxBytes: 0, txBytes: 0, dropped: 0 },
          },
        },
        diagnosis: detail(
          `${foreign} (is asked first); open '/media/annamaria/stick/ca.pem'; probe.anna.example:443 is silent; ` +
            "enx3C18A0D2E4F6 through 192.0.2.1; annas-laptop.fritz.box; /mnt/annamaria",
        ),
        log: [
          JSON.stringify({
            message: `one\nü-Gerät came\tAnna's phone too, by former.anna.example, guests.anna.example as ${nodeId}`,
          }),
        ],
      }),
      { ...NAMES, host: "annas-laptop.fritz.box" },
    );
    const secrets = [
      ...[
        "3c18a0",
        nodeId,
        "probe.anna",
        "former.anna",
        "guests.anna",
        "/media/",
        "annamaria",
        "annas-laptop",
        "fritz.box",
      ],
      ...["dentist", "wednesdays", "ulcer", "gerät", "anna's"],
    ];
    for (const text of [report.json, report.text]) {
      expect(secrets.filter((secret) => text.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
      // The same adapter is known again, and where a rule stands and leads to is told.
      expect(text).toContain("enxMAC1");
      expect(text).toContain("wlxMAC1");
      expect(text).toContain("filter FORWARD: … -j DROP (is asked first)");
    }
  });

  it("keeps what is needed to understand a fault", () => {
    const content = JSON.parse(buildReport(parts(), NAMES).json);
    expect(content).toMatchObject({
      versions: { higgsnode: "1.2.3" },
      clients: [{ name: "client-1", connected: true }],
      settings: { publicEndpoint: true, relayServers: 1, mtu: 1420 },
      spec: { wireguard: { listenPort: 51820 } },
      ownRules: [expect.stringMatching(/^IPv4 filter HIGGS-GUEST -d ip-\d+\/24 -j REJECT$/)],
      diagnosis: { checks: [{ id: "storage.permissions", detail: "DATA_DIR is yours alone, on THIS_COMPUTER." }] },
    });
    expect(content.foreignChains).toEqual([
      "IPv4 filter FORWARD: 0 rules, policy DROP, built in",
      "IPv4 filter ufw-user-forward: 1 rules, policy -, ufw",
      "nftables inet firewalld f: hook forward, policy drop, 2 rules, firewalld",
    ]);
    expect(content.log[0]).toContain("client-2 at ip-");
    // Only whole names are taken out.
    expect(content.log[0]).toContain("Annabel did not");
  });

  it("gives the same address the same placeholder in its parts", () => {
    const { json } = buildReport(parts({ log: ["192.168.1.20 and 192.168.1.20"] }), NAMES);
    const [line = ""] = JSON.parse(json).log;
    expect(line).toMatch(/^(ip-\d+) and \1$/);
    expect(json.split(line.split(" ")[0] ?? "").length).toBeGreaterThan(3);
  });

  it("says what could not be read, and has the rest all the same", () => {
    const { json, text } = buildReport(parts({ machine: fail("not-permitted", "This needs root.") }), NAMES);
    expect(JSON.parse(json)).toMatchObject({
      observation: "not read: not-permitted",
      ownRules: [],
      state: "no node is running",
    });
    expect(text).toContain("== Own rules\nnone");
    expect(text).toContain("== Diagnosis\nversion: 1");
  });
});
