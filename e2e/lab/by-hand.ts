/** `npm run lab`: the lab for a person at a terminal. */
import { spawn } from "node:child_process";
import { Command, Option } from "commander";
import { Lab } from "./lab.ts";
import type { LabHost } from "./lab-host.ts";
import { labObstacle } from "./support.ts";
import type { Topology } from "./topology.ts";

interface Choices {
  topology: Topology;
  ipv6: boolean;
  mapping: boolean;
  forward: boolean;
  guests: string;
}

/** Runs one command line; resolves with the exit status. */
export async function runByHand(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = new Command("npm run lab --")
    .description("a home network, its router and a small internet inside this machine")
    .enablePositionalOptions()
    .addOption(
      new Option("--topology <kind>", "what is in front of the node")
        .choices(["single", "double", "cgnat"])
        .default("single"),
    )
    .option("--no-ipv6", "leave IPv6 out")
    .option("--no-mapping", "a router without UPnP, NAT-PMP and PCP")
    .option("--no-forward", "a router that does not forward UDP 51820 to the node")
    .option("--guests <count>", "machines out in the internet", "1");
  program
    .command("up")
    .description("bring it up, say how to enter it, hold it until Ctrl+C")
    .action(() => withLab(program.opts<Choices>(), hold));
  program
    .command("shell")
    .argument("<host>", "inet, router, node, neighbour, rival, isp, guest1, …")
    .description("bring it up, open a shell in a host, take it down when the shell ends")
    .action(async (name: string) => {
      status = await withLab(program.opts<Choices>(), (lab) =>
        attached(lab.host(name), [process.env.SHELL ?? "/bin/sh"]),
      );
    });
  program
    .command("exec")
    .argument("<host>")
    .argument("<command...>")
    .passThroughOptions()
    .description("bring it up, run a command in a host, take it down")
    .action(async (name: string, command: string[]) => {
      status = await withLab(program.opts<Choices>(), (lab) => attached(lab.host(name), command));
    });
  await program.parseAsync(argv, { from: "user" });
  return status;
}

async function withLab<T>(choices: Choices, use: (lab: Lab) => Promise<T>): Promise<T> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  await using lab = await Lab.create({
    topology: choices.topology,
    ipv6: choices.ipv6,
    router: { mapping: choices.mapping ? "miniupnpd" : "none", portForward51820: choices.forward },
  });
  for (let n = 0; n < Number(choices.guests); n++) await lab.addGuest();
  return await use(lab);
}

async function hold(lab: Lab): Promise<void> {
  for (const host of lab.hosts) {
    console.log(`${host.name.padEnd(10)} ${host.enter(["bash"]).join(" ")}`);
  }
  console.log("Ctrl+C takes it down.");
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

/** Runs a program in a host on this terminal; its exit status, 128 when a signal ended it. */
function attached(host: LabHost, command: readonly string[]): Promise<number> {
  const [file, ...args] = host.enter(command, process.cwd());
  // Ctrl+C is for the program in the host; the lab goes when that ends.
  const ignore = () => {};
  process.on("SIGINT", ignore);
  const child = spawn(file, args, {
    env: host.environment({ TERM: process.env.TERM ?? "dumb", PS1: `${host.name}# ` }),
    stdio: "inherit",
  });
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 128));
  }).finally(() => process.removeListener("SIGINT", ignore));
}
