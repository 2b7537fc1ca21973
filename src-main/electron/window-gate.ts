/** The one gate for windows: a connection per page, for our own page only. */
import { type IpcMainEvent, ipcMain, type WebContents } from "electron";
import { GateConnection } from "../ipc/gate.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { GATE_CHANNEL, PAGE_ORIGIN } from "./channel.ts";

export interface WindowGate {
  /** Idempotent. */
  dispose(): void;
}

export interface WindowGateOptions {
  readonly api: NodeApi;
  readonly onUnexpected: (call: string, thrown: unknown) => void;
  /** A message came from a page, or a frame in one, that is not ours. */
  readonly onRefused: (what: string, url: string) => void;
}

export function openWindowGate({ api, onUnexpected, onRefused }: WindowGateOptions): WindowGate {
  /** What ends each page's connection. */
  const connections = new Map<WebContents, { connection: GateConnection; end(): void }>();

  function connectionOf(sender: WebContents): GateConnection {
    const known = connections.get(sender);
    if (known !== undefined) return known.connection;
    const end = () => {
      sender.off("destroyed", end);
      sender.off("did-start-navigation", onNavigation);
      connection.close();
      connections.delete(sender);
    };
    // A page that loads anew subscribes anew; what the former one asked for is nobody's any more.
    const onNavigation = (details: { isMainFrame: boolean; isSameDocument: boolean }) => {
      if (details.isMainFrame && !details.isSameDocument) end();
    };
    const connection = new GateConnection({
      api,
      onUnexpected,
      transport: {
        send: (text) => {
          if (!sender.isDestroyed()) sender.send(GATE_CHANNEL, text);
        },
        // Electron's IPC has no backlog to ask for; a page of ours reads or is gone.
        backlogBytes: () => 0,
        end,
        drop: end,
      },
    });
    connections.set(sender, { connection, end });
    sender.on("destroyed", end);
    sender.on("did-start-navigation", onNavigation);
    return connection;
  }

  function onMessage(event: IpcMainEvent, text: unknown): void {
    if (!isOurPage(event) || typeof text !== "string") {
      onRefused("message", event.senderFrame?.url ?? "");
      return;
    }
    connectionOf(event.sender).receive(text);
  }

  ipcMain.on(GATE_CHANNEL, onMessage);
  return {
    dispose() {
      ipcMain.off(GATE_CHANNEL, onMessage);
      for (const { end } of [...connections.values()]) end();
    },
  };
}

/** The main frame of our own page: no frame in it, no page it could be led to. */
function isOurPage(event: IpcMainEvent): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame === event.sender.mainFrame && frame.origin === PAGE_ORIGIN;
}
