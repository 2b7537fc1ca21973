/** A lab with a node in it that is set up the way its owner would: through the command line. */
import type { ExitState } from "../src-shared/model/node-state.ts";
import { type Guest, Higgsnode, InternetUser, Lab, type LabOptions, poll, WAN, WIREGUARD_PORT } from "./lab/index.ts";

/** Coming up takes a second or two, recovering at most five; a machine busy with other tests gets more. */
const PHASE_TIMEOUT_MS = 20_000;

export interface SharingState {
  phase: string;
  since: string;
  exit?: ExitState;
}

export class Sharing {
  readonly lab: Lab;
  readonly node: Higgsnode;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.node = new Higgsnode(lab.host("node"));
  }

  /** Lab and node, sharing off; the router forwards the WireGuard port to the node. */
  static async create(options: LabOptions = {}): Promise<Sharing> {
    const lab = await Lab.create({ router: { mapping: "none", portForward51820: true }, ...options });
    const sharing = new Sharing(lab);
    try {
      await sharing.node.start({ panelPort: false });
      await sharing.node.mustRun(["settings", "set", `publicEndpoint=${WAN.customer.ipv4}:${WIREGUARD_PORT}`]);
      return sharing;
    } catch (error) {
      await lab.dispose();
      throw error;
    }
  }

  /** The same, with sharing on. */
  static async on(options: LabOptions = {}): Promise<Sharing> {
    const sharing = await Sharing.create(options);
    try {
      await sharing.node.mustRun(["on"]);
      await sharing.waitForPhase("running");
      return sharing;
    } catch (error) {
      await sharing.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.lab.dispose();
  }

  /** What a person on the named host of the lab does. */
  user(name: string): InternetUser {
    return new InternetUser(this.lab.host(name));
  }

  async state(): Promise<SharingState> {
    const printed = await this.node.mustRun(["status", "--json"]);
    return (JSON.parse(printed) as { node: SharingState }).node;
  }

  async waitForPhase(phase: string, timeoutMs = PHASE_TIMEOUT_MS): Promise<SharingState> {
    let last: SharingState | undefined;
    try {
      return await poll(
        `the node to be ${phase}`,
        async () => {
          last = await this.state();
          return last.phase === phase ? last : undefined;
        },
        { timeoutMs, intervalMs: 50 },
      );
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}; it is ${JSON.stringify(last)}`);
    }
  }

  /** A new client, and a stranger's machine that has nothing but its configuration. */
  async connectGuest(name: string): Promise<Guest> {
    const configuration = await this.node.addClient(name);
    const guest = await this.lab.addGuest();
    await guest.up(configuration);
    await guest.waitForHandshake();
    return guest;
  }

  /** Process id of the running helper, inside the node's host. */
  helperPid(): number {
    const helper = this.node.host.processes().find(({ argv }) => argv.some((word) => word.endsWith("helper.mjs")));
    if (helper === undefined) throw new Error("no helper is running");
    return helper.pid;
  }

  /** Process id of the running node, inside its host. */
  nodePid(): number {
    const node = this.node.host
      .processes()
      .find(({ argv }) => argv.some((word) => word.endsWith("cli.mjs")) && argv.includes("start"));
    if (node === undefined) throw new Error("no node is running");
    return node.pid;
  }
}
