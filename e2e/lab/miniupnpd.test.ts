import { describe, expect, it } from "vitest";
import { LAN, WAN } from "./addresses.ts";
import { Lab } from "./lab.ts";
import { nodeProgram, requireLab } from "./support.ts";

/**
 * A NAT-PMP request (RFC 6886, section 3.3) from the node: UDP port 40000 for an hour. Prints the answer in
 * hexadecimal, or why there is none.
 */
const REQUEST = `
const socket = require("node:dgram").createSocket("udp4");
const request = Buffer.alloc(12);
request[1] = 1;
request.writeUInt16BE(40000, 4);
request.writeUInt16BE(40000, 6);
request.writeUInt32BE(3600, 8);
setTimeout(() => { console.log("silence"); process.exit(); }, 3000);
socket.on("message", (answer) => { console.log(answer.toString("hex")); process.exit(); });
socket.on("error", (error) => { console.log(error.code); process.exit(); });
socket.connect(5351, "${LAN.router.ipv4}", () => socket.send(request));
`;

describe.skipIf(!requireLab())("the router's miniupnpd", () => {
  it("maps a port on request, forgets it on reboot, refuses while stopped", async () => {
    await using lab = await Lab.create();
    const ask = async () => (await lab.host("node").mustExec([nodeProgram(), "-e", REQUEST])).trim();
    // Version 0, opcode 129, result 0 (success).
    expect(await ask()).toMatch(/^00810000/);
    expect(await lab.router.mapping?.rules()).toMatch(/th dport 40000 dnat ip to 192\.168\.77\.10:40000/);
    await lab.router.reboot();
    expect(await lab.router.mapping?.rules()).not.toContain("40000");
    expect(await ask()).toMatch(/^00810000/);
    await lab.router.mapping?.stop();
    expect(await ask()).toBe("ECONNREFUSED");
  });

  it("has the public address in the single topology only", async () => {
    await using lab = await Lab.create({ topology: "cgnat" });
    const wan = await lab.router.host.mustExec(["ip", "-4", "-o", "address", "show", "dev", "wan"]);
    expect(wan).not.toContain(WAN.customer.ipv4);
    expect(lab.isp?.mapping).toBeUndefined();
  });
});
