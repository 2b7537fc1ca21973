/** A panel that others in the home may open: with a password, encrypted, and never for guests. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Higgsnode, LAN, Lab, type LabHost, nodeProgram, requireLab, WAN, WIREGUARD_PORT } from "./lab/index.ts";

const PORT = 8443;
const PASSWORD = "correct horse battery";

/** A machine that is dropped, not refused, answers nothing at all. */
const GUEST_WAITS_MS = 3_000;

interface Question {
  url: string;
  headers: Record<string, string>;
  body?: string;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[]>;
  body: string;
}

/** Runs on a host of the lab: one request, its answer as JSON. */
const ASK = `
const { url, headers, body } = JSON.parse(process.argv[1]);
const print = (answer) => process.stdout.write(JSON.stringify(answer), () => process.exit());
const nobody = () => print({ status: 0, headers: {}, body: "" });
setTimeout(nobody, ${GUEST_WAITS_MS});
const method = body === undefined ? "GET" : "POST";
const request = require("node:https").request(url, { method, headers, rejectUnauthorized: false }, (response) => {
  let text = "";
  response.on("data", (chunk) => { text += chunk; });
  response.on("end", () => print({ status: response.statusCode, headers: response.headers, body: text }));
});
request.on("error", nobody);
request.end(body);
`;

describe.skipIf(!requireLab())("a panel that listens on the home network", () => {
  let lab: Lab;
  let node: Higgsnode;

  beforeAll(async () => {
    lab = await Lab.create({ router: { mapping: "none", portForward51820: true } });
    const host = lab.host("node");
    node = new Higgsnode(host);
    const [cert, key] = [join(host.folder, "panel.pem"), join(host.folder, "panel.key")];
    execFileSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", "/CN=panel", "-addext", "subjectAltName=DNS:panel.home.arpa", "-keyout", key, "-out", cert],
    ]);
    const words = node.command(["panel", "password"]).map((word) => `'${word}'`);
    const set = await host.exec(["sh", "-c", `echo '${PASSWORD}' | ${words.join(" ")}`]);
    expect(set.code, set.stderr).toBe(0);
    const more = ["--panel-listen", `0.0.0.0:${PORT}`, "--panel-cert", cert, "--panel-key", key];
    const ready = await node.start({ share: true, more });
    expect(ready.panel).toBe(`https://0.0.0.0:${PORT}/`);
    await node.mustRun(["settings", "set", `publicEndpoint=${WAN.customer.ipv4}:${WIREGUARD_PORT}`]);
  });
  afterAll(() => lab?.dispose());

  /** What a browser on a host gets; status 0 where nobody answers. */
  async function ask(host: LabHost, address: string, path: string, more: Partial<Question> = {}): Promise<Answer> {
    const question = { url: `https://${address}:${PORT}${path}`, headers: {}, ...more };
    const { stdout, stderr } = await host.exec([nodeProgram(), "-e", ASK, JSON.stringify(question)]);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout) as Answer;
  }

  function form(password: string): Partial<Question> {
    const headers = {
      Origin: `https://${LAN.node.ipv4}:${PORT}`,
      "Content-Type": "application/x-www-form-urlencoded",
    };
    return { headers, body: new URLSearchParams({ password }).toString() };
  }

  it("asks the neighbour for the password, and opens for nothing else", async () => {
    const neighbour = lab.host("neighbour");
    const door = await ask(neighbour, LAN.node.ipv4, "/");
    expect(door.status).toBe(303);
    expect(door.headers.location).toBe("/login");
    expect((await ask(neighbour, LAN.node.ipv4, "/login", form("guess"))).status).toBe(401);
    const opened = await ask(neighbour, LAN.node.ipv4, "/login", form(PASSWORD));
    expect(opened.status).toBe(303);
    const Cookie = String(opened.headers["set-cookie"]).split(";")[0] ?? "";
    expect(Cookie).toMatch(/^__Host-higgsnode-/);
    const page = await ask(neighbour, LAN.node.ipv4, "/", { headers: { Cookie } });
    expect(page.status).toBe(200);
    expect(page.body).toContain("<!doctype html>");
    const rebound = { headers: { Cookie, Host: "evil.example" } };
    expect((await ask(neighbour, LAN.node.ipv4, "/", rebound)).status).toBe(421);
  });

  it("is out of a guest's reach, at the tunnel's address and at the home's", async () => {
    const guest = await lab.addGuest();
    await guest.up(await node.addClient("Anna"));
    await guest.waitForHandshake();
    for (const address of ["10.66.0.1", LAN.node.ipv4]) {
      expect((await ask(guest.host, address, "/login")).status).toBe(0);
    }
  });
});
