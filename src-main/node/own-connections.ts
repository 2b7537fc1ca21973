/** The node itself connects from its tunnel addresses, to try whether guests get out: that is nobody's connection. */
import type { ConnectionsEvent } from "../../src-shared/helper/connections.ts";
import { formatAddress, parseAddress } from "../../src-shared/net/address.ts";

/** The event without connections from `own`; the same event where there is none. */
export function withoutOwnConnections(event: ConnectionsEvent, own: readonly string[]): ConnectionsEvent {
  const isOwn = (source: string) => {
    const address = parseAddress(source);
    return address !== undefined && own.includes(formatAddress(address));
  };
  if (!event.ended.some(({ source }) => isOwn(source))) return event;
  return { ...event, ended: event.ended.filter(({ source }) => !isOwn(source)) };
}
