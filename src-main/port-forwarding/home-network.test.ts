import { describe, expect, it } from "vitest";
import { readUplinks } from "../routing/network-route-manager.ts";
import { HOME, link, observation } from "../routing/testing/observation.ts";
import { surroundingsOf } from "./home-network.ts";

function seen(addresses: string[], ...routes: string[]) {
  const machine = observation([link("lo", ["127.0.0.1/8"]), link("eth0", addresses)], routes);
  return surroundingsOf(readUplinks(machine, "higgs0").ipv4, machine);
}

describe("surroundingsOf", () => {
  it("finds the router of an ordinary home", () => {
    expect(surroundingsOf(readUplinks(HOME, "higgs0").ipv4, HOME)).toEqual({
      kind: "router",
      network: { gateway: "192.168.1.1", address: "192.168.1.20", lanPrefix: "192.168.1.0/24" },
    });
  });

  it("takes the address that is in the router's network, where the machine has several", () => {
    expect(seen(["10.0.0.5/24", "192.168.1.20/24"], "default via 192.168.1.1 dev eth0")).toMatchObject({
      network: { address: "192.168.1.20", lanPrefix: "192.168.1.0/24" },
    });
  });

  it("speaks with nobody but the gateway where the network is not known", () => {
    expect(seen(["192.168.1.20/32"], "default via 192.168.1.1 dev eth0")).toEqual({
      kind: "router",
      network: { gateway: "192.168.1.1", address: "192.168.1.20", lanPrefix: null },
    });
  });

  it("leaves a provider's gateway alone", () => {
    expect(seen(["203.0.113.20/24"], "default via 203.0.113.1 dev eth0")).toEqual({ kind: "public" });
    expect(seen(["192.168.1.20/24"], "default via 203.0.113.1 dev eth0")).toEqual({ kind: "no-router" });
  });

  it("finds none on a line without a gateway, or without IPv4", () => {
    expect(seen(["10.64.0.9/32"], "default dev eth0")).toEqual({ kind: "no-router" });
    expect(surroundingsOf(null, HOME)).toEqual({ kind: "no-router" });
  });
});
