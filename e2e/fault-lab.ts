/**
 * A node that shares, with everything around it that can break: a router that maps its port, a second way out, a relay, one
 * guest who comes straight and one who comes through the relay. Both ping the internet all the time.
 */
import { join } from "node:path";
import type { NodeState } from "../src-shared/model/node-state.ts";
import { Control } from "./control.ts";
import {
  type Guest,
  INTERNET,
  LAN,
  type LabHost,
  NetworkSnapshot,
  type PingSeries,
  type Program,
  poll,
  pollUntil,
  type Router,
} from "./lab/index.ts";
import { RELAYS, RelayLab } from "./relay-lab.ts";

const [RELAY] = RELAYS;
/** In place of well-known addresses, which this internet does not have. */
const REACHED_FROM_EXIT = [`${INTERNET.web.ipv4}:80`, `[${INTERNET.web.ipv6}]:80`];
/** Asking a node over its socket takes a millisecond or two. */
const LOOK_EVERY_MS = 20;
/** What is measured has limits of its own; this is only for what never comes. */
const GIVE_UP_AFTER_MS = 30_000;

export class FaultLab {
  readonly relays: RelayLab;
  readonly secondRouter: Router;
  readonly control: Control;
  readonly pings: { direct: PingSeries; relayed: PingSeries };
  /** The router's address at home, which changes when its owner gives it another one. */
  gateway: string = LAN.router.ipv4;
  /** The node's machine before it shared for the first time. */
  readonly before: NetworkSnapshot;
  #relay: Program;

  private constructor(
    parts: Pick<FaultLab, "relays" | "secondRouter" | "control" | "pings" | "before">,
    relay: Program,
  ) {
    this.relays = parts.relays;
    this.secondRouter = parts.secondRouter;
    this.control = parts.control;
    this.pings = parts.pings;
    this.before = parts.before;
    this.#relay = relay;
  }

  static async create(): Promise<FaultLab> {
    const relays = await RelayLab.create([RELAY], { router: { mapping: "miniupnpd", portForward51820: false } });
    try {
      const { sharing } = relays;
      const secondRouter = await sharing.lab.addSecondUplink();
      const before = await NetworkSnapshot.take(sharing.node.host);
      await sharing.node.mustRun(["settings", "set", `egressTargets=${JSON.stringify(REACHED_FROM_EXIT)}`]);
      const relay = await relays.startRelay(RELAY);
      await relays.share();
      const control = new Control(join(sharing.node.dataFolder, "control.sock"));
      await pollUntil(
        "the router to map the port",
        async () => (await stateOf(control)).portMapping.state === "mapped",
        {
          timeoutMs: GIVE_UP_AFTER_MS,
        },
      );
      const direct = await sharing.connectGuest("Anna's laptop");
      const relayed = await relays.connectGuest("Boris's phone");
      const pings = { direct: pinging(direct), relayed: pinging(relayed) };
      const made = new FaultLab({ relays, secondRouter, control, pings, before }, relay);
      await made.served("direct", Date.now());
      await made.served("relayed", Date.now());
      return made;
    } catch (error) {
      await relays.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    this.control.close();
    await this.relays.dispose();
  }

  /** The machine the node runs on. */
  get host(): LabHost {
    return this.relays.sharing.node.host;
  }

  get router(): Router {
    return this.relays.sharing.lab.router;
  }

  state(): Promise<NodeState> {
    return stateOf(this.control);
  }

  /** Resolves when `look` holds. Looks again at once: what is measured is somebody else's time. */
  async until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
    try {
      await pollUntil(what, look, { timeoutMs: GIVE_UP_AFTER_MS, intervalMs: LOOK_EVERY_MS });
    } catch (error) {
      throw new Error(
        `${error instanceof Error ? error.message : error}; the node is ${JSON.stringify(await this.state())}`,
      );
    }
  }

  untilRunning(): Promise<void> {
    return this.until("the node to be running", async () => (await this.state()).node.phase === "running");
  }

  /** When a guest's ping of `sinceMs` or later was answered. */
  async served(guest: keyof FaultLab["pings"], sinceMs: number): Promise<number> {
    return poll(`an answer to the ${guest} guest`, () => this.pings[guest].answeredSince(sinceMs), {
      timeoutMs: GIVE_UP_AFTER_MS,
      intervalMs: LOOK_EVERY_MS,
    });
  }

  /** Process ids of those whose command line has the word. */
  processes(word: string): number[] {
    return this.host
      .processes()
      .filter(({ argv }) => argv.some((each) => each.endsWith(word)))
      .map(({ pid }) => pid);
  }

  /** Every rule of both families, counters left out, sorted: chains that were made anew are listed in another order. */
  async rules(): Promise<string> {
    const saved = await this.host.mustExec(["sh", "-c", "iptables-save; ip6tables-save"]);
    const lines = saved.replaceAll(/\[[0-9]+:[0-9]+\]/g, "").split("\n");
    return lines
      .filter((line) => !line.startsWith("#"))
      .sort()
      .join("\n");
  }

  /** How often the helper was asked to apply something, since it was first started. */
  async applies(): Promise<number> {
    const log = await this.host.readFile("/var/lib/higgsnode/helper.log");
    return log.split("\n").filter((line) => line.includes('"event":"apply"')).length;
  }

  async killRelay(): Promise<void> {
    this.#relay.kill("SIGKILL");
    await this.#relay.ended;
  }

  async restartRelay(): Promise<void> {
    this.#relay = await this.relays.startRelay(RELAY);
  }
}

async function stateOf(control: Control): Promise<NodeState> {
  return ((await control.call("node.state", {})) as { value: NodeState }).value;
}

function pinging(guest: Guest): PingSeries {
  return guest.startPing(INTERNET.web.ipv4);
}
