/** Published packages against the lab's routers, beside what ours does: whether the right port is forwarded, and taken back. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LAN, Lab, type LabOptions, nodeProgram, within } from "../../e2e/lab/index.ts";

const PACKAGES = {
  HiggsNode: { version: "", speaks: ["upnp", "nat-pmp"] },
  "nat-upnp": { version: "1.1.1", speaks: ["upnp"] },
  "nat-pmp": { version: "1.0.0", speaks: ["nat-pmp"] },
  "@achingbrain/nat-port-mapper": { version: "4.0.5", speaks: ["upnp", "nat-pmp"] },
  "@silentbot1/nat-api": { version: "0.4.9", speaks: ["upnp", "nat-pmp"] },
  "@runonflux/nat-upnp": { version: "1.0.2", speaks: ["upnp"] },
} as const satisfies Record<string, { version: string; speaks: readonly ("upnp" | "nat-pmp")[] }>;

/** After this a call is said to hang. */
const PATIENCE_MS = 12_000;
const INSTALL_TIMEOUT_MS = 300_000;

const ROUTERS: readonly { title: string; protocol: "upnp" | "nat-pmp"; router: LabOptions["router"] & object }[] = [
  { title: "UPnP IGD 1", protocol: "upnp", router: { protocols: ["upnp"], igd: 1 } },
  { title: "UPnP IGD 2", protocol: "upnp", router: { protocols: ["upnp"], igd: 2 } },
  { title: "NAT-PMP", protocol: "nat-pmp", router: { protocols: ["nat-pmp"] } },
  { title: "nobody answers", protocol: "upnp", router: { mapping: "none" } },
];

/** Header and rows. Installs the packages into a folder of their own, which is removed again. */
export async function compare(): Promise<{ header: string[]; rows: string[][] }> {
  const folder = mkdtempSync(join(tmpdir(), "port-mapping-packages-"));
  try {
    install(folder);
    const rows: string[][] = Object.entries(PACKAGES).map(([name, { version }]) => [`${name} ${version}`.trim()]);
    for (const { title, protocol, router } of ROUTERS) {
      await using lab = await Lab.create({ ipv6: false, router });
      if (title === "nobody answers") await dropRequests(lab);
      for (const [index, [name, { speaks }]] of Object.entries(PACKAGES).entries()) {
        const spoken = title === "nobody answers" ? speaks[0] : protocol;
        const isSpoken = (speaks as readonly string[]).includes(spoken);
        rows[index]?.push(isSpoken ? await trial(lab, folder, name, spoken) : "-");
      }
    }
    return { header: ["", ...ROUTERS.map(({ title }) => title)], rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(folder: string): void {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  writeFileSync(join(folder, "load.mjs"), "export const load = (name) => import(name);\n");
  const published = Object.entries(PACKAGES).filter(([, { version }]) => version !== "");
  const wanted = published.map(([name, { version }]) => `${name}@${version}`);
  const argv = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", ...wanted];
  execFileSync("npm", argv, { cwd: folder, stdio: ["ignore", "ignore", "inherit"], timeout: INSTALL_TIMEOUT_MS });
}

async function dropRequests(lab: Lab): Promise<void> {
  const table = `table inet hole {
    chain input {
      type filter hook input priority -10;
      udp dport { 1900, 5351 } drop
    }
  }\n`;
  await lab.router.host.mustExec(["nft", "-f", "-"], { input: table });
}

async function trial(lab: Lab, folder: string, name: string, protocol: string): Promise<string> {
  const node = lab.host("node");
  const goFile = join(node.folder, `go-${name.replaceAll("/", "-")}-${protocol}`);
  const worker = join(import.meta.dirname, "package-worker.ts");
  const { ipv4: gateway } = LAN.router;
  const program = node.spawn([nodeProgram(), worker, folder, name, protocol, gateway, LAN.node.ipv4, goFile]);
  try {
    const line = await program.line((text) => text.startsWith("{"), PATIENCE_MS);
    const first = JSON.parse(line) as { mappedMs?: number; failed?: string; afterMs?: number; crashed?: string };
    if (first.crashed !== undefined) return `ends the process: ${brief(first.crashed)}`;
    if (first.mappedMs === undefined) {
      return `fails after ${Math.round(first.afterMs ?? 0)} ms: ${brief(first.failed ?? "")}`;
    }
    const rule = await forwarded(lab);
    writeFileSync(goFile, "");
    await within("the deletion", program.ended, PATIENCE_MS).catch(() => undefined);
    const left = await forwarded(lab);
    const took = `${Math.round(first.mappedMs)} ms`;
    if (rule === undefined) return `says mapped after ${took}, is not`;
    return left === undefined ? `${rule} in ${took}` : `${rule} in ${took}, not deleted`;
  } catch {
    return `hangs (${PATIENCE_MS / 1000} s)`;
  } finally {
    program.killGroup();
    await program.ended;
    if ((await forwarded(lab)) !== undefined) await lab.router.reboot();
  }
}

/** `UDP 51820`, as the router's own rules have it. */
async function forwarded(lab: Lab): Promise<string | undefined> {
  const rules = (await lab.router.mapping?.rules()) ?? "";
  const port = /dport (\d+) dnat/.exec(rules)?.[1];
  if (port === undefined) return undefined;
  // miniupnpd writes the protocol as the ninth octet of the IPv4 header.
  return `${/@nh,72,8 0x6\b/.test(rules) ? "TCP" : "UDP"} ${port}`;
}

function brief(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
