import { describe, expect, it } from "vitest";
import type { GuestAnswer, RouteLookup } from "../../../src-shared/helper/diagnostics.ts";
import { type FirewallTraceQuery, firewallTraceSchema } from "../../../src-shared/model/firewall-trace.ts";
import { ok, unwrap } from "../../../src-shared/result.ts";
import { samplePeer } from "../../../src-shared/testing/sample-spec.ts";
import type { ClientRecord } from "../../clients/client-record.ts";
import { CAPABILITIES, INSPECTION } from "../../node/testing/fake-machine.ts";
import { PLAN, SHARING_MACHINE } from "../testing/check-context.ts";
import { type TraceSurroundings, traceClient } from "./trace-client.ts";

const QUERY: FirewallTraceQuery = { client: "anna", to: "192.0.2.80", port: 443, protocol: "tcp" };
const CLIENT: ClientRecord = {
  id: "c",
  name: "anna",
  publicKey: samplePeer(0).publicKey,
  presharedKey: "",
  hostNumber: 2,
  createdAtMs: 0,
  paused: false,
  rxBytes: 0,
  txBytes: 0,
  lastHandshakeAtMs: null,
};
const ROUTE: RouteLookup = { state: "found", kind: "unicast", interfaceName: "eth0", gateway: "192.168.1.1" };

/** @param forward lines of the table filter; `seen` is what the temporary guest meets, undefined where there can be none */
function around(
  forward: string,
  seen: Pick<GuestAnswer, "outcome" | "detail"> | undefined,
  more: Partial<TraceSurroundings> = {},
): TraceSurroundings {
  const firewall = {
    ipv4: `*filter\n:FORWARD ACCEPT [0:0]\n${forward}\nCOMMIT\n`,
    ipv6: "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n",
    nft: [],
  };
  return {
    client: CLIENT,
    plan: PLAN,
    machine: ok({ capabilities: CAPABILITIES, observation: SHARING_MACHINE, inspection: INSPECTION, firewall }),
    probe: { lookUpRoute: async () => ok(ROUTE), pathMtu: async () => ok({ mtu: null, told: null, tried: 0 }) },
    guest: {
      with: async (use) =>
        ok({
          value: await use({
            addresses: [],
            implementation: "kernel",
            ask: async ({ kind }) => {
              if (kind === "handshake")
                return ok({ outcome: seen === undefined ? "silence" : "answered", detail: "", ms: 1 });
              return ok({ outcome: "silence", detail: "", ms: 1, ...seen });
            },
          }),
          left: [],
        }),
    } as TraceSurroundings["guest"],
    ...more,
  };
}

async function trace(surroundings: TraceSurroundings, query: Partial<FirewallTraceQuery> = {}) {
  return firewallTraceSchema.parse(unwrap(await traceClient({ ...QUERY, ...query }, surroundings)));
}

const LIMITED = "-A FORWARD -m limit --limit 3/min -j DROP";

describe("tracing a client's packet", () => {
  it("is certain where the rules and a real packet agree", async () => {
    expect(await trace(around("", { outcome: "answered", detail: "connected" }))).toMatchObject({
      verdict: "passes",
      probe: { outcome: "answered" },
    });
    expect(await trace(around("-A FORWARD -j DROP", { outcome: "silence", detail: "" }))).toMatchObject({
      verdict: "blocked",
      probe: { outcome: "silence" },
    });
  });

  it("believes the real packet where the rules leave it open", async () => {
    expect((await trace(around(LIMITED, { outcome: "answered", detail: "" }))).verdict).toBe("passes");
    expect((await trace(around(LIMITED, { outcome: "refused", detail: "EHOSTUNREACH" }))).verdict).toBe("blocked");
    expect((await trace(around(LIMITED, { outcome: "silence", detail: "" }))).verdict).toBe("unclear");
  });

  it("takes a reset for the refusal of a rule where a rule refuses, and for an answer where none does", async () => {
    const reset = { outcome: "refused", detail: "ECONNREFUSED" } as const;
    expect((await trace(around("-A FORWARD -p tcp -j REJECT --reject-with tcp-reset", reset))).verdict).toBe("blocked");
    expect((await trace(around("", reset))).verdict).toBe("passes");
  });

  it("says that somebody further on does not answer, or refuses", async () => {
    expect((await trace(around("", { outcome: "silence", detail: "" }))).reason).toContain("Nobody answered");
    expect((await trace(around("", { outcome: "silence", detail: "" }), { protocol: "udp" })).reason).toContain(
      "many services",
    );
    expect((await trace(around("", { outcome: "refused", detail: "EHOSTUNREACH" }))).reason).toContain("further on");
  });

  it("sends nothing for a client that is not let in, and says so where there is no handshake", async () => {
    const paused = await trace(around("", undefined, { client: { ...CLIENT, publicKey: "other", paused: true } }));
    expect(paused).toMatchObject({
      verdict: "blocked",
      probe: { outcome: "not-sent" },
      fix: expect.stringContaining("resume"),
    });
    expect(await trace(around("", undefined))).toMatchObject({ verdict: "passes", probe: { outcome: "not-sent" } });
  });

  it("is refused while nothing is shared", async () => {
    expect(await traceClient(QUERY, around("", undefined, { plan: undefined }))).toMatchObject({
      error: { code: "not-sharing" },
    });
  });
});
