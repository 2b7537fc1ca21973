/**
 * The temporary guest: a network namespace with a WireGuard interface of its own, joined to this machine by a pair of
 * virtual cables, so that what it sends goes through the real tunnel and the real rules.
 *
 *   namespace higgs-guest                         this machine
 *   higgswg ──encrypted──▶ higgsg1 ═══════ higgsg0 ──▶ UDP listen port of higgs0 ──▶ rules ──▶ uplink
 *
 * Everything is known by name, and taken away by name.
 */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAddress } from "../../src-shared/net/address.ts";
import { fail, ok, type Result } from "../../src-shared/result.ts";
import { describeRun, type Run } from "./run.ts";

export const TEST_GUEST = {
  namespace: "higgs-guest",
  outside: "higgsg0",
  inside: "higgsg1",
  tunnel: "higgswg",
} as const;

/** IPv4 link-local (RFC 3927): no network of anybody's, and refused to guests anyway. */
const OUTSIDE_ADDRESS = "169.254.211.1";
const INSIDE_ADDRESS = "169.254.211.2";

/** Switching a keepalive on sends a packet at once, which begins a handshake (wg(8), `persistent-keepalive`). */
const KEEPALIVE_SECONDS = "1";

const NAMESPACES = "/run/netns";
const USERSPACE_SOCKETS = "/var/run/wireguard";

export interface TestGuestPlan {
  /** The guest's addresses in the guest network, without length. */
  addresses: readonly string[];
  mtu: number;
  stateDir: string;
}

export interface MadeTestGuest {
  publicKey: string;
  implementation: "kernel" | "userspace";
}

/** Error: `test-guest-refused`; what was made until then is the caller's to remove. */
export async function makeTestGuest(run: Run, plan: TestGuestPlan): Promise<Result<MadeTestGuest>> {
  const { namespace, outside, inside, tunnel } = TEST_GUEST;
  const pair = generateKeyPairSync("x25519");
  const publicKey = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  const privateKey = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64");
  const cable = await inOrder(run, [
    ["netns", "add", namespace],
    ["link", "add", "dev", outside, "type", "veth", "peer", "name", inside, "netns", namespace],
    ["address", "add", `${OUTSIDE_ADDRESS}/30`, "dev", outside],
    ["link", "set", "dev", outside, "up"],
    ["-n", namespace, "address", "add", `${INSIDE_ADDRESS}/30`, "dev", inside],
    ["-n", namespace, "link", "set", "dev", "lo", "up"],
    ["-n", namespace, "link", "set", "dev", inside, "up"],
  ]);
  if (!cable.ok) return cable;
  const implementation = await makeTunnel(run);
  if (!implementation.ok) return implementation;
  const path = join(plan.stateDir, "test-guest.key");
  try {
    writeFileSync(path, `${privateKey}\n`, { mode: 0o600 });
    const ran = await within(run, "wg", ["set", tunnel, "private-key", path]);
    if (ran.code !== 0) return refused(describeRun("wg", ["set", tunnel], ran));
  } finally {
    rmSync(path, { force: true });
  }
  const addresses = plan.addresses.map((address) => {
    const isIpv6 = parseAddress(address)?.family === 6;
    const nodad = isIpv6 ? ["nodad"] : [];
    return ["-n", namespace, "address", "add", `${address}/${isIpv6 ? 128 : 32}`, "dev", tunnel, ...nodad];
  });
  const families = plan.addresses.map((address) => (parseAddress(address)?.family === 6 ? "-6" : "-4"));
  const configured = await inOrder(run, [
    ...addresses,
    ["-n", namespace, "link", "set", "dev", tunnel, "mtu", String(plan.mtu), "up"],
    ...families.map((family) => ["-n", namespace, family, "route", "add", "default", "dev", tunnel]),
  ]);
  return configured.ok ? ok({ publicKey, implementation: implementation.value }) : configured;
}

/** The kernel's WireGuard where it has it, wireguard-go otherwise, as for the node's own interface. */
async function makeTunnel(run: Run): Promise<Result<"kernel" | "userspace">> {
  const { namespace, tunnel } = TEST_GUEST;
  const args = ["-n", namespace, "link", "add", "dev", tunnel, "type", "wireguard"];
  if ((await run("ip", args)).code === 0) return ok("kernel");
  const ran = await within(run, "wireguard-go", [tunnel]);
  return ran.code === 0 ? ok("userspace") : refused(describeRun("wireguard-go", [tunnel], ran));
}

/** Takes away whatever there is of a test guest; the names of what stayed. Idempotent. */
export async function removeTestGuest(run: Run, namespaces = NAMESPACES): Promise<string[]> {
  const { namespace, outside, tunnel } = TEST_GUEST;
  const left: string[] = [];
  // The userspace program ends with its interface.
  await run("ip", ["-n", namespace, "link", "del", "dev", tunnel]);
  await run("ip", ["link", "del", "dev", outside]);
  const deleted = await run("ip", ["netns", "del", namespace]);
  if (deleted.code !== 0 && existsSync(join(namespaces, namespace))) left.push(`network namespace ${namespace}`);
  if ((await run("ip", ["link", "show", "dev", outside])).code === 0) left.push(`interface ${outside}`);
  rmSync(join(USERSPACE_SOCKETS, `${tunnel}.sock`), { force: true });
  return left;
}

/**
 * Tells the guest of the node, upon which it speaks first. Not before it is let in: nobody would answer, and WireGuard
 * waits five seconds before it asks again (REKEY_TIMEOUT).
 */
export async function greetFromTestGuest(run: Run, server: { publicKey: string; listenPort: number }): Promise<void> {
  const peer = ["peer", server.publicKey, "endpoint", `${OUTSIDE_ADDRESS}:${server.listenPort}`];
  const more = ["allowed-ips", "0.0.0.0/0,::/0", "persistent-keepalive", KEEPALIVE_SECONDS];
  await within(run, "wg", ["set", TEST_GUEST.tunnel, ...peer, ...more]);
}

/** Seconds since the epoch of the guest's handshake; 0 before the first. */
export async function testGuestHandshake(run: Run): Promise<number> {
  const ran = await within(run, "wg", ["show", TEST_GUEST.tunnel, "latest-handshakes"]);
  return Number(ran.stdout.trim().split(/\s+/)[1] ?? 0);
}

/** `run`, but as the guest: inside its namespace (ip-netns(8)). */
export function asTestGuest(run: Run): Run {
  return (program, args, options) =>
    run("ip", ["netns", "exec", TEST_GUEST.namespace, program, ...args], options ?? {});
}

function within(run: Run, program: string, args: readonly string[]) {
  return asTestGuest(run)(program, args);
}

async function inOrder(run: Run, commands: readonly (readonly string[])[]): Promise<Result<void>> {
  for (const args of commands) {
    const ran = await run("ip", args);
    if (ran.code !== 0) return refused(describeRun("ip", args, ran));
  }
  return ok(undefined);
}

function refused(reason: string): Result<never> {
  return fail(
    "test-guest-refused",
    `The temporary guest could not be made: ${reason}.`,
    "Check that this machine allows network namespaces: sudo ip netns add try && sudo ip netns del try",
  );
}
