/**
 * The WireGuard interface: made by the kernel where it can, by wireguard-go where it cannot, and
 * configured through wg(8) with `syncconf`, which leaves a peer that did not change its session.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { splitPrefix } from "../../src-shared/net/address.ts";
import { formatEndpoint } from "../../src-shared/net/endpoint.ts";
import { wireguardKeySchema } from "../../src-shared/net/wireguard-key.ts";
import type { ObservedWireguard } from "../../src-shared/network-observation.ts";
import type { WireguardSpec } from "../../src-shared/network-spec.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { type IpLink, readLink } from "./ip-json.ts";
import { describeRun, type Run } from "./run.ts";

export type Implementation = "kernel" | "userspace";

/** Where wg(8) and wireguard-go meet. */
const USERSPACE_SOCKETS = "/var/run/wireguard";

/** DER header of an X25519 private key in PKCS #8 (RFC 8410, section 7), before its 32 bytes. */
const PKCS8_X25519_HEADER = Buffer.from("302e020100300506032b656e04220420", "hex");

/** The node's private key: made once, readable by root only, never sent anywhere. */
export function ensurePrivateKey(stateDir: string): { privateKey: string; publicKey: string } {
  const path = join(stateDir, "wireguard.key");
  let privateKey: string | undefined;
  try {
    privateKey = readFileSync(path, "utf8").trim();
  } catch {
    privateKey = undefined;
  }
  if (!wireguardKeySchema.safeParse(privateKey).success || privateKey === undefined) {
    const pair = generateKeyPairSync("x25519");
    privateKey = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64");
    const file = openSync(path, "w", 0o600);
    try {
      writeSync(file, `${privateKey}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
  const der = Buffer.concat([PKCS8_X25519_HEADER, Buffer.from(privateKey, "base64")]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return { privateKey, publicKey: key.export({ format: "der", type: "spki" }).subarray(-32).toString("base64") };
}

/**
 * Makes the interface where it is missing. A link of our name that is no tunnel is somebody else's and refused.
 * One whose process has died is replaced.
 */
export async function ensureInterface(
  run: Run,
  name: string,
): Promise<Result<{ implementation: Implementation; made: boolean }>> {
  const link = await readLink(run, name);
  const present = implementationOf(link);
  if (link !== undefined && present === undefined) {
    return fail(
      "interface-name-taken",
      `There is already an interface ${name} that is not ours.`,
      `Rename or remove it (ip link del ${name}).`,
    );
  }
  if (present !== undefined) {
    const alive = (await run("wg", ["show", name, "public-key"])).code === 0;
    if (alive) return ok({ implementation: present, made: false });
    await removeInterface(run, name);
  }
  const args = ["link", "add", "dev", name, "type", "wireguard"];
  const added = await run("ip", args);
  if (added.code === 0) return ok({ implementation: "kernel", made: true });
  const userspace = await run("wireguard-go", [name]);
  if (userspace.code === 0) return ok({ implementation: "userspace", made: true });
  return fail(
    "wireguard-unavailable",
    `No WireGuard interface could be made: ${describeRun("ip", args, added)}; ${userspace.missing ? "wireguard-go is not installed" : describeRun("wireguard-go", [name], userspace)}.`,
    "Install the WireGuard kernel module or the package wireguard-go.",
  );
}

/** Removes the interface; a userspace process ends with it. True when there was one. */
export async function removeInterface(run: Run, name: string): Promise<Result<boolean>> {
  const socket = join(USERSPACE_SOCKETS, `${name}.sock`);
  if (implementationOf(await readLink(run, name)) === undefined) {
    rmSync(socket, { force: true });
    return ok(false);
  }
  const args = ["link", "del", "dev", name];
  const ran = await run("ip", args);
  if (ran.code !== 0 && (await readLink(run, name)) !== undefined) {
    return fail("interface-not-removed", describeRun("ip", args, ran));
  }
  rmSync(socket, { force: true });
  return ok(true);
}

/**
 * Key, port and peers. The configuration reaches `wg` through a file in the state directory, which only
 * root can enter, so that no key is ever on a command line; a pipe from Node is a socket, and wg cannot open one.
 */
export async function syncWireguard(
  run: Run,
  spec: WireguardSpec,
  key: { privateKey: string; stateDir: string },
): Promise<Result<void>> {
  const path = join(key.stateDir, "wireguard.conf");
  const args = ["syncconf", spec.interfaceName, path];
  try {
    writeFileSync(path, renderConfig(spec, key.privateKey), { mode: 0o600 });
    const ran = await run("wg", args);
    if (ran.code === 0) return ok(undefined);
    if (/address already in use/i.test(ran.stderr)) return portInUse(spec.listenPort);
    return fail("wireguard-refused", describeRun("wg", args, ran));
  } finally {
    rmSync(path, { force: true });
  }
}

export function portInUse(port: number) {
  return fail(
    "port-in-use",
    `UDP port ${port} is used by another program.`,
    "Stop that program or choose another port: higgsnode settings set listenPort=51821.",
  );
}

/** Addresses, MTU, and the interface up. Only what differs is touched. */
export async function configureInterface(run: Run, spec: WireguardSpec): Promise<Result<boolean>> {
  const { interfaceName: name } = spec;
  const link = await readLink(run, name);
  if (link === undefined) return fail("interface-vanished", `The interface ${name} disappeared while it was set up.`);
  const commands: string[][] = [];
  if (link.mtu !== spec.mtu) commands.push(["link", "set", "dev", name, "mtu", String(spec.mtu)]);
  if (!link.up) commands.push(["link", "set", "dev", name, "up"]);
  const present = link.addresses.filter((text) => !text.startsWith("fe80:"));
  for (const text of present) if (!spec.addresses.includes(text)) commands.push(["address", "del", text, "dev", name]);
  for (const text of spec.addresses) {
    if (present.includes(text)) continue;
    const isIpv6 = splitPrefix(text)?.address.family === 6;
    // Nobody else is on a point-to-point tunnel: the address need not wait for duplicate detection.
    commands.push(["address", "add", text, "dev", name, ...(isIpv6 ? ["nodad"] : [])]);
  }
  for (const args of commands) {
    const ran = await run("ip", args);
    if (ran.code === 0) continue;
    if (/address already in use/i.test(ran.stderr)) return portInUse(spec.listenPort);
    // Machines with disable_ipv6=1 refuse this one; IPv4 works without it.
    if (args.at(-1) === "nodad") return fail("ipv6-address-refused", describeRun("ip", args, ran));
    return fail("interface-refused", describeRun("ip", args, ran));
  }
  return ok(commands.length > 0);
}

export async function observeWireguard(run: Run, name: string): Promise<ObservedWireguard> {
  const link = await readLink(run, name);
  if (link === undefined) return { state: "absent" };
  const implementation = implementationOf(link);
  if (implementation === undefined) return { state: "broken", reason: `${name} is no WireGuard interface` };
  const ran = await run("wg", ["show", name, "dump"]);
  if (ran.code !== 0) return { state: "broken", reason: describeRun("wg", ["show", name, "dump"], ran) };
  const [own, ...peers] = ran.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  return {
    state: "present",
    implementation,
    up: link.up,
    mtu: link.mtu,
    addresses: link.addresses,
    publicKey: own?.[1] ?? "",
    listenPort: Number(own?.[2] ?? 0),
    peers: peers.map(([publicKey = "", , endpoint = "", allowedIps = "", handshake = "0", rx = "0", tx = "0"]) => ({
      publicKey,
      endpoint: endpoint === "(none)" ? null : endpoint,
      allowedIps: allowedIps === "(none)" ? [] : allowedIps.split(","),
      latestHandshakeAtMs: handshake === "0" ? null : Number(handshake) * 1000,
      rxBytes: Number(rx),
      txBytes: Number(tx),
    })),
  };
}

/** A userspace interface is a tun device that a process serves through its socket. */
function implementationOf(link: IpLink | undefined): Implementation | undefined {
  if (link?.kind === "wireguard") return "kernel";
  if (link?.kind === "tun") return "userspace";
  return undefined;
}

function renderConfig(spec: WireguardSpec, privateKey: string): string {
  const lines = ["[Interface]", `PrivateKey = ${privateKey}`, `ListenPort = ${spec.listenPort}`];
  for (const peer of spec.peers) {
    lines.push("[Peer]", `PublicKey = ${peer.publicKey}`);
    if (peer.presharedKey !== undefined) lines.push(`PresharedKey = ${peer.presharedKey}`);
    if (peer.allowedIps.length > 0) lines.push(`AllowedIPs = ${peer.allowedIps.join(", ")}`);
    if (peer.endpoint !== undefined) lines.push(`Endpoint = ${formatEndpoint(peer.endpoint)}`);
    if (peer.persistentKeepaliveSeconds !== undefined) {
      lines.push(`PersistentKeepalive = ${peer.persistentKeepaliveSeconds}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
