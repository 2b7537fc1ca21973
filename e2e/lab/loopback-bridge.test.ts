import { describe, expect, it } from "vitest";
import { Lab } from "./lab.ts";
import { LoopbackBridge } from "./loopback-bridge.ts";
import { nodeProgram, requireLab } from "./support.ts";

/** A page on the loopback of whatever machine this runs on, which shows the Host header it was asked with. */
const PAGE = (port: number) =>
  `require("node:http").createServer((q, a) => a.end(q.headers.host)).listen(${port}, "127.0.0.1", () => console.log("up"))`;

describe.skipIf(!requireLab())("a bridge to a host's loopback", () => {
  it("shows what listens there under the same port number here, until it is closed", async () => {
    await using lab = await Lab.create({ router: { mapping: "none" } });
    const bridge = await LoopbackBridge.to(lab.host("node"));
    const url = `http://127.0.0.1:${bridge.port}/`;
    await expect(fetch(url)).rejects.toThrow();
    const page = lab.host("node").spawn([nodeProgram(), "-e", PAGE(bridge.port)]);
    await page.line((line) => line === "up", 10_000);
    expect(await (await fetch(url)).text()).toBe(`127.0.0.1:${bridge.port}`);
    await bridge.close();
    await bridge.close();
    await expect(fetch(url)).rejects.toThrow();
  });
});
