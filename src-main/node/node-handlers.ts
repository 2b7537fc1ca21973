/** What each call of the contract does with the parts of the node. */

import type { Clock } from "../../src-shared/clock.ts";
import type { CallHandlers, EventName } from "../../src-shared/ipc/contract.ts";
import type { Client, ClientConfig } from "../../src-shared/model/client.ts";
import { exitOf, type NodeState } from "../../src-shared/model/node-state.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { formatAddress, splitPrefix } from "../../src-shared/net/address.ts";
import { fail, HiggsFailure, ok, type Result, unwrap } from "../../src-shared/result.ts";
import type { GuestPrefixes } from "../clients/address-allocator.ts";
import { addressesOf, nodeAddressesOf } from "../clients/address-allocator.ts";
import { type ClientRecord, toClient } from "../clients/client-record.ts";
import type { ClientRegistry } from "../clients/client-registry.ts";
import { allChecks } from "../diagnostics/all-checks.ts";
import type { MachineFacts } from "../diagnostics/check.ts";
import { runChecks } from "../diagnostics/run-checks.ts";
import type { CallContext } from "../ipc/node-api.ts";
import type { SettingsStore } from "../storage/settings-store.ts";
import { renderClientConfig } from "../wireguard/client-config.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { NodeService } from "./node-service.ts";
import type { Published } from "./published.ts";

export interface NodeParts {
  clock: Clock;
  version: string;
  dataDir: string;
  node: NodeService;
  registry: ClientRegistry;
  settings: SettingsStore;
  facts: NodeFacts;
  /** The prefixes clients have their addresses from, also before the node has ever shared. */
  prefixes: () => GuestPrefixes;
  machineFacts: () => Promise<Result<MachineFacts>>;
  published: {
    state: Published<NodeState>;
    clients: Published<Client[]>;
    settings: Published<Settings>;
  };
  emit: (name: EventName, payload: unknown) => void;
}

export function nodeHandlers(parts: NodeParts): CallHandlers<CallContext> {
  const { node, registry, settings, published } = parts;
  const shown = (record: ClientRecord): Client => toClient(record, parts.prefixes(), parts.clock.nowMs());

  /** A change of who may use the node is answered once the tunnel knows. */
  async function changeClient(change: () => Result<ClientRecord>): Promise<Client> {
    const record = unwrap(change());
    await node.settle();
    return shown(record);
  }

  return {
    "node.state": async () => published.state.current,
    "node.on": async () => {
      unwrap(await node.on());
      return published.state.current;
    },
    "node.off": async () => {
      unwrap(await node.off());
      return published.state.current;
    },
    "clients.list": async () => published.clients.current,
    "clients.add": ({ name }) => changeClient(() => registry.add(name)),
    "clients.remove": ({ name }) => changeClient(() => registry.remove(name)),
    "clients.pause": ({ name }) => changeClient(() => registry.pause(name)),
    "clients.resume": ({ name }) => changeClient(() => registry.resume(name)),
    "clients.config": async ({ name, newKey }) => {
      if (newKey) {
        // Everything that could be missing is asked before the key that works is thrown away.
        unwrap(clientConfig(parts, unwrap(registry.find(name)), "x", null));
        unwrap(registry.rotateKey(name));
        await node.settle();
      }
      const record = unwrap(registry.find(name));
      const { privateKey, shownUntilMs } = unwrap(registry.privateKeyOf(record.id));
      return unwrap(clientConfig(parts, record, privateKey, shownUntilMs));
    },
    "settings.get": async () => published.settings.current,
    "settings.set": async ({ changes }) => {
      const before = settings.get();
      unwrap(settings.set(changes));
      const settled = await node.settle();
      if (!settled.ok) {
        // What the machine refuses is not kept: the next start would fail on it.
        const former = Object.fromEntries(Object.entries(before).filter(([key]) => Object.hasOwn(changes, key)));
        unwrap(settings.set(former));
        await node.settle();
        throw new HiggsFailure(settled.error);
      }
      return published.settings.current;
    },
    "diagnose.run": async (_, { signal }) => {
      const { plan, state } = node;
      const exit = exitOf(state);
      return runChecks(
        allChecks,
        {
          dataDir: parts.dataDir,
          settings: settings.get(),
          machine: await parts.machineFacts(),
          sharing:
            plan === undefined || exit === undefined
              ? null
              : { state, plan, dnsPort: plan.spec.dns?.port ?? 0, ipv6Failed: exit.ipv6.state === "failed" },
        },
        {
          clock: parts.clock,
          version: parts.version,
          nodePhase: state.phase,
          signal,
          onProgress: (progress) => parts.emit("diagnose.progress", progress),
        },
      );
    },
  };
}

/** Errors: `not-shared-yet`, `no-endpoint`, `guest-network-full`. */
function clientConfig(
  parts: NodeParts,
  record: ClientRecord,
  privateKey: string,
  shownUntilMs: number | null,
): Result<ClientConfig> {
  const { node, settings, facts } = parts;
  const exit = exitOf(node.state);
  const serverPublicKey = exit?.publicKey ?? facts.publicKey;
  if (serverPublicKey === undefined) {
    return fail("not-shared-yet", "The node has no key before it has shared once.", "Turn sharing on: higgsnode on");
  }
  const { publicEndpoint, mtu } = settings.get();
  const endpoint = publicEndpoint === "auto" ? exit?.reach.endpoint : publicEndpoint;
  if (endpoint === undefined || endpoint === null) {
    return fail(
      "no-endpoint",
      "It is not known where guests reach this node.",
      "Turn sharing on, or say it yourself: higgsnode settings set publicEndpoint=home.example.org:51820",
    );
  }
  const prefixes = parts.prefixes();
  const addresses = addressesOf(record.hostNumber, prefixes);
  if (addresses === undefined) {
    return fail("guest-network-full", `The guest network is too small for ${record.name}.`, "Choose a larger one.");
  }
  const config = renderClientConfig({
    privateKey,
    addresses,
    dns: nodeAddressesOf(prefixes).flatMap((text) => {
      const own = splitPrefix(text);
      return own === undefined ? [] : formatAddress(own.address);
    }),
    mtu,
    serverPublicKey,
    presharedKey: record.presharedKey,
    endpoint,
  });
  return ok({
    client: toClient(record, prefixes, parts.clock.nowMs()),
    config,
    ...(shownUntilMs === null ? {} : { shownUntil: new Date(shownUntilMs).toISOString() }),
  });
}
