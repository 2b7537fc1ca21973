import { describe, expect, it } from "vitest";
import {
  type HelperVerb,
  helperMessageSchema,
  helperRequestSchema,
  helperVerbs,
  MAX_HELPER_MESSAGE_BYTES,
} from "./helper/protocol.ts";
import { MAX_PEERS } from "./network-spec.ts";
import { samplePeer, sampleSpec } from "./testing/sample-spec.ts";

describe("the helper's protocol", () => {
  it("has a closed list of verbs, none of which takes a string to run", () => {
    expect(Object.keys(helperVerbs).sort()).toEqual([
      "apply",
      "ask-test-guest",
      "capabilities",
      "close-test-guest",
      "greet",
      "hello",
      "inspect-firewall",
      "look-up-route",
      "observe",
      "observe-limit",
      "observe-peers",
      "open-test-guest",
      "path-mtu",
      "read-firewall",
      "restore",
      "subscribe",
      "trace",
    ]);
  });

  it.each(Object.keys(helperVerbs) as HelperVerb[])("takes nothing more than it knows with %s", (verb) => {
    const { params } = helperVerbs[verb];
    const valid = {
      hello: { protocol: 1, token: "t" },
      apply: { spec: sampleSpec() },
      subscribe: { topics: [] },
      "observe-limit": { classId: 2 },
      trace: { to: "192.0.2.1", maxHops: 3 },
      "look-up-route": { to: "192.0.2.1" },
      "path-mtu": { to: "192.0.2.1" },
      "open-test-guest": { addresses: ["10.66.255.254"] },
      "ask-test-guest": { question: { kind: "ping", to: "192.0.2.1" } },
    }[verb as "hello"];
    expect(params.safeParse(valid ?? {}).success).toBe(true);
    expect(params.safeParse({ ...(valid ?? {}), command: "reboot" }).success).toBe(false);
  });

  it("has room for a spec with every peer it allows", () => {
    const spec = sampleSpec();
    const peers = Array.from({ length: MAX_PEERS }, (_, index) => ({
      ...samplePeer(index),
      presharedKey: samplePeer(index).publicKey,
      endpoint: { host: "2001:db8:1234:5678:9abc:def0:1234:5678", port: 65535 },
      persistentKeepaliveSeconds: 65535,
    }));
    const full = { id: 1, verb: "apply", params: { spec: { ...spec, wireguard: { ...spec.wireguard, peers } } } };
    expect(helperVerbs.apply.params.safeParse(full.params).success).toBe(true);
    expect(JSON.stringify(full).length).toBeLessThan(MAX_HELPER_MESSAGE_BYTES);
  });

  it("has requests with an id that counts up and answers that are told apart", () => {
    expect(helperRequestSchema.safeParse({ id: 1, verb: "observe", params: {} }).success).toBe(true);
    expect(helperRequestSchema.safeParse({ id: 1, verb: "x".repeat(65), params: {} }).success).toBe(false);
    expect(helperMessageSchema.safeParse({ id: null, ok: false, error: { code: "x", message: "" } }).success).toBe(
      true,
    );
    expect(helperMessageSchema.safeParse({ id: 1, ok: false }).success).toBe(false);
  });
});
