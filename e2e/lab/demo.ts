/** The whole story on one machine: a home network, a node that shares in it, two people who use it, and the panel. */
import { INTERNET, LAN, WAN, WEB_NAME, WIREGUARD_PORT } from "./addresses.ts";
import type { Guest } from "./guest.ts";
import { Higgsnode } from "./higgsnode.ts";
import type { FetchResult } from "./internet-user.ts";
import { Lab } from "./lab.ts";
import { LoopbackBridge } from "./loopback-bridge.ts";

const PEOPLE = ["anna", "boris"] as const;
const PAGE = `http://${WEB_NAME}/whoami`;
/** Often enough for the panel's numbers to move, seldom enough to read along. */
const BROWSE_EVERY_MS = 1_000;

export interface DemoOptions {
  /** Ends with success after everybody's first pages. */
  once: boolean;
  /** Ends the browsing. */
  signal: AbortSignal;
  say: (line: string) => void;
}

/** Tells the story; throws when any part of it does not happen. Nothing of it is left afterwards. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { say } = options;
  say("Building a home network, a router, an internet provider and a small internet, all inside this machine.");
  await using lab = await Lab.create({ router: { portForward51820: true } });
  say(`  the home: router ${LAN.router.ipv4}, this node ${LAN.node.ipv4}; its public address: ${WAN.customer.ipv4}`);
  const bridge = await LoopbackBridge.to(lab.host("node"));
  const node = new Higgsnode(lab.host("node"));
  try {
    const ready = await node.start({ panelPort: bridge.port });
    // This internet has none of the places that a node usually tries.
    const targets = JSON.stringify([`${INTERNET.web.ipv4}:80`, `[${INTERNET.web.ipv6}]:80`]);
    const endpoint = `${WAN.customer.ipv4}:${WIREGUARD_PORT}`;
    await node.mustRun(["settings", "set", `publicEndpoint=${endpoint}`, `egressTargets=${targets}`]);
    await node.mustRun(["on"]);
    say("HiggsNode runs on the node and shares its connection.");
    const guests = await inviteEverybody(lab, node, say);
    for (const guest of guests) await firstPages(guest, say);
    if (typeof ready.panel !== "string") throw new Error("the node has no panel");
    await lookAtPanel(ready.panel);
    say(`The panel answers on this machine: ${ready.panel}`);
    if (!options.once) {
      say("They go on browsing until you press Ctrl+C.");
      await browse(guests, options);
    }
    say("Stopping: the node restores its network, then the whole lab is gone.");
    const end = await node.stop();
    if (end?.code !== 0) throw new Error(`the node ended with ${end?.signal ?? end?.code}`);
  } catch (cause) {
    throw new Error(`${cause instanceof Error ? cause.message : cause}\n${node.output}`, { cause });
  } finally {
    await node.stop();
    await bridge.close();
  }
}

async function inviteEverybody(lab: Lab, node: Higgsnode, say: (line: string) => void): Promise<Guest[]> {
  const guests: Guest[] = [];
  for (const name of PEOPLE) {
    const guest = await lab.addGuest(name);
    await guest.up(await node.addClient(name));
    say(`${capital(name)}, at ${guest.addresses.ipv4} far away, got a configuration and switched WireGuard on.`);
    guests.push(guest);
  }
  return guests;
}

/** Throws unless the guest reaches the web through the node over both families. */
async function firstPages(guest: Guest, say: (line: string) => void): Promise<void> {
  for (const [family, expected] of [
    [4, WAN.customer.ipv4],
    [6, LAN.node.ipv6],
  ] as const) {
    const source = sourceSeen(await guest.fetch(PAGE, { family }));
    if (source !== expected) throw new Error(`${guest.host.name} came out at ${source} instead of ${expected}`);
    say(
      `${capital(guest.host.name)} opened ${WEB_NAME} over IPv${family}; the web server saw ${source}, the home's address.`,
    );
  }
}

async function browse(guests: readonly Guest[], { signal, say }: DemoOptions): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const guest = guests[turn % guests.length];
    if (guest === undefined) return;
    const family = turn % 4 < 2 ? 4 : 6;
    const startMs = performance.now();
    const outcome = await guest.fetch(`http://${WEB_NAME}/bytes?n=200000&seed=${turn}`, { family }).then(
      (result) =>
        result.ok ? `got ${result.bytes} bytes in ${Math.round(performance.now() - startMs)} ms` : "got nothing",
      // Whoever is paused or limited in the panel gets nothing for a while; the story goes on.
      () => "got nothing",
    );
    if (!signal.aborted) say(`  ${capital(guest.host.name)}, over IPv${family}, ${outcome}`);
    await pause(BROWSE_EVERY_MS, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

/** As a browser does: the address with its secret answers with a cookie, and sends the browser on. */
async function lookAtPanel(url: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  let response = await fetch(url, { signal, redirect: "manual" });
  await response.arrayBuffer();
  const next = response.headers.get("location");
  if (next !== null) {
    const cookie = response.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");
    response = await fetch(new URL(next, url), { signal, headers: { cookie } });
    await response.arrayBuffer();
  }
  if (!response.ok) throw new Error(`the panel answered ${response.status}`);
}

function sourceSeen(result: FetchResult): string {
  if (!result.ok) throw new Error(`no page from ${INTERNET.web.ipv4}: ${result.message}`);
  return (JSON.parse(result.body ?? "") as { address: string }).address;
}

function capital(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
