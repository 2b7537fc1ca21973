/** `higgsnode client add|list|remove|pause|resume` */
import type { Command } from "commander";
import type { CallName } from "../../src-shared/ipc/contract.ts";
import type { Client } from "../../src-shared/model/client.ts";
import { formatAgo, formatBytes } from "../../src-shared/text/format.ts";
import { addClientConfig } from "./client-config.ts";
import type { Session } from "./session.ts";
import { shellWord } from "./shell-word.ts";
import { table } from "./table.ts";

export function addClient(program: Command, session: Session): void {
  const client = program.command("client").description("who may use this node");
  client
    .command("add")
    .argument("<name>", 'whose device it is, such as "Anna\'s phone"')
    .description("give somebody access")
    .action((name: string) =>
      session.ask(
        (node) => node.call("clients.add", { name }),
        (added) => session.print(added, () => addedText(added)),
      ),
    );
  client
    .command("list")
    .description("show everybody who has access")
    .action(() =>
      session.ask(
        (node) => node.call("clients.list", {}),
        ({ value }) => session.print(value, () => listText(value, session.host.clock.nowMs())),
      ),
    );
  addVerb(client, session, "remove", "take somebody's access away for good", "clients.remove", removedText);
  addVerb(client, session, "pause", "cut somebody off until they are resumed", "clients.pause", pausedText);
  addVerb(client, session, "resume", "let somebody in again", "clients.resume", resumedText);
  addClientConfig(client, session);
}

type VerbCall = Extract<CallName, "clients.remove" | "clients.pause" | "clients.resume">;

function addVerb(
  group: Command,
  session: Session,
  verb: string,
  description: string,
  call: VerbCall,
  words: (client: Client) => string,
): void {
  group
    .command(verb)
    .argument("<name>", "name or id of the client")
    .description(description)
    .action((name: string) =>
      session.ask<Client>(
        (node) => node.call(call, { name }),
        (client) => session.print(client, () => words(client)),
      ),
    );
}

function addedText(client: Client): string {
  const show = `higgsnode client config ${shellWord(client.name)}`;
  return [
    `Added ${client.name}, ${client.addresses.join(", ")}.`,
    `Show the QR code for its WireGuard app:  ${show} --qr`,
    `Or write its configuration to a file:    ${show} > wg0.conf`,
  ].join("\n");
}

const removedText = ({ name }: Client) => `Removed ${name}. Its configuration does not work any more.`;
const pausedText = ({ name }: Client) => `Paused ${name}.`;
const resumedText = ({ name }: Client) => `Resumed ${name}.`;

function listText(clients: readonly Client[], nowMs: number): string {
  if (clients.length === 0) return "Nobody has access yet. Add a client with: higgsnode client add NAME";
  return table(
    ["NAME", "STATE", "LAST SEEN", "FROM CLIENT", "TO CLIENT", "ADDRESSES"],
    clients.map((client) => [
      client.name,
      client.paused ? "paused" : client.connected ? "connected" : "not connected",
      client.lastHandshakeAt === undefined ? "never" : formatAgo(client.lastHandshakeAt, nowMs),
      formatBytes(client.usage.rxBytes),
      formatBytes(client.usage.txBytes),
      client.addresses.join(", "),
    ]),
  );
}
