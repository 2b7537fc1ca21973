import { describe, expect, it } from "vitest";
import { hrefOf, ROUTES, routeOf } from "./route.ts";

describe("an address", () => {
  it.each(ROUTES)("leads to %s and back", (route) => {
    expect(routeOf(hrefOf(route))).toBe(route);
  });

  it.each(["", "#", "#/", "#/nowhere", "#/<script>", "#//clients"])("of %j is the overview", (hash) => {
    expect(routeOf(hash)).toBe("overview");
  });

  it("may have more behind the screen's name", () => {
    expect(routeOf("#/clients/c1")).toBe("clients");
    expect(routeOf("#/health?check=dns")).toBe("health");
  });
});
