import { describe, expect, it } from "vitest";
import { healthOfPortMapping, mappedEndpoint, type PortMappingState, portMappingStateSchema } from "./port-mapping.ts";

const MAPPED: Extract<PortMappingState, { state: "mapped" }> = {
  state: "mapped",
  since: "2026-01-01T12:00:00.000Z",
  protocol: "pcp",
  gateway: "192.168.1.1",
  external: { host: "11.22.33.2", port: 51820 },
  internalPort: 51820,
  leaseEndsAt: null,
  renewAt: "2026-01-01T13:00:00.000Z",
  fallbacks: ["nat-pmp", "upnp"],
};

describe("mappedEndpoint", () => {
  it("is where the router forwards from, if that is on the internet", () => {
    expect(mappedEndpoint(portMappingStateSchema.parse(MAPPED))).toEqual({ host: "11.22.33.2", port: 51820 });
  });

  it.each(["192.168.88.2", "10.0.0.2", "100.64.0.2", "169.254.1.1", "0.0.0.0", "fd00::1"])(
    "is none behind another router, whose address here is %s",
    (host) => {
      expect(mappedEndpoint({ ...MAPPED, external: { host, port: 51820 } })).toBeUndefined();
    },
  );

  it("is none in every other state", () => {
    const since = MAPPED.since;
    expect(mappedEndpoint({ state: "off" })).toBeUndefined();
    expect(mappedEndpoint({ state: "probing", since, gateway: "192.168.1.1" })).toBeUndefined();
    const reason = { code: "router-silent", message: "Silence." };
    expect(mappedEndpoint({ state: "unavailable", since, reason, nextProbeAt: null })).toBeUndefined();
  });
});

describe("healthOfPortMapping", () => {
  const since = MAPPED.since;

  it("is off while nobody wants a port, and unknown before the router has answered", () => {
    expect(healthOfPortMapping({ state: "off" })).toEqual({ state: "off" });
    expect(healthOfPortMapping({ state: "probing", since, gateway: "192.168.1.1" })).toEqual({ state: "unknown" });
  });

  it.each(["11.22.33.2", "0.0.0.0"])("is good with a granted port at %s", (host) => {
    expect(healthOfPortMapping({ ...MAPPED, external: { host, port: 51820 } })).toEqual({ state: "good" });
  });

  it.each(["192.168.88.2", "100.64.0.2"])("is bad with a port granted at the private address %s", (host) => {
    const verdict = healthOfPortMapping({ ...MAPPED, external: { host, port: 51820 } });
    expect(verdict).toMatchObject({ state: "bad", error: { code: "no-public-address", hint: expect.any(String) } });
  });

  it("is bad where no router forwards, with the router's reason and always a hint", () => {
    const reason = { code: "mapping-lost", message: "Your router has forgotten the forwarding." };
    const verdict = healthOfPortMapping({ state: "unavailable", since, reason, nextProbeAt: null });
    expect(verdict).toMatchObject({ state: "bad", error: { ...reason, hint: expect.any(String) } });
    const told = { ...reason, hint: "Restart it." };
    expect(healthOfPortMapping({ state: "unavailable", since, reason: told, nextProbeAt: null }).error).toEqual(told);
  });
});
