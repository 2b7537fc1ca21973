/** Joins the privacy manager with what feeds it: helper, clients' counters, settings, and the node's phases. */

import type { ConnectionsEvent } from "../../src-shared/helper/connections.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import type { ClientChange } from "../clients/client-registry.ts";
import type { Logger } from "../logs/logger.ts";
import { ConnectionFeed, type FeedConnection } from "./connection-feed.ts";
import { privacyHandlers } from "./privacy-handlers.ts";
import type { PrivacyManager } from "./privacy-manager.ts";

type Unsubscribe = () => unknown;

export interface PrivacySurroundings {
  manager: PrivacyManager;
  logger: Logger;
  settings: { onChange(listener: (settings: Settings) => void): Unsubscribe };
  registry: { onChange(listener: (change: ClientChange) => void): Unsubscribe };
  /** Whether an address of the guest network is that of no guest: nothing is kept of it. */
  isOwn?: (source: string) => boolean;
  node: { onChange(listener: () => void): Unsubscribe; settle(): Promise<unknown> };
  helper: {
    readonly connected: FeedConnection | undefined;
    onLost(listener: () => void): Unsubscribe;
    onConnections(listener: (event: ConnectionsEvent) => void): () => void;
  };
}

export interface JoinedPrivacy {
  handlers: ReturnType<typeof privacyHandlers>;
  /** Idempotent; writes what waits. */
  close(): Promise<void>;
}

/** To be called after the other listeners of settings and node were added, so that the network is asked to follow first. */
export function joinPrivacy(surroundings: PrivacySurroundings): JoinedPrivacy {
  const { manager, logger, settings, registry, node, helper, isOwn = () => false } = surroundings;
  const feed = new ConnectionFeed({
    connected: () => helper.connected,
    onConnections: (listener) => helper.onConnections(listener),
    wanted: () => manager.canLogMetadata(),
    accept: (event) =>
      manager.acceptConnections({ ...event, ended: event.ended.filter(({ source }) => !isOwn(source)) }),
    lost: () => manager.forgetSource(),
    onUnexpected: (thrown) => logger.error("the helper was not asked for connections", { error: thrown }),
  });
  const look = () => {
    manager.guestsChanged();
    feed.update();
  };
  const unsubscribers: Unsubscribe[] = [
    settings.onChange(look),
    node.onChange(look),
    helper.onLost(look),
    registry.onChange((change) => {
      if (change === "usage") manager.recordUsage();
      else manager.guestsChanged();
    }),
  ];
  manager.start();
  const settle = async () => {
    await node.settle();
    await feed.settle();
  };
  return {
    handlers: privacyHandlers({ privacy: manager, settle }),
    close: async () => {
      for (const unsubscribe of unsubscribers.splice(0)) unsubscribe();
      feed.close();
      await manager.close();
    },
  };
}
