/** The one gate for windows: a connection per page, for our own page only. */
import { type IpcMainEvent, ipcMain, type WebContents } from "electron";
import { GateConnection } from "../ipc/gate.ts";
import type { NodeApi } from "../ipc/node-api.ts";
import { GATE_CHANNEL, PAGE_ORIGIN } from "./channel.ts";

export interface WindowGate {
  /** Idempotent. */
  dispose(): void;
}

export function openWindowGate(api: NodeApi, onUnexpected: (call: string, thrown: unknown) => void): WindowGate {
  const connections = new Map<WebContents, GateConnection>();

  function connectionOf(sender: WebContents): GateConnection {
    const known = connections.get(sender);
    if (known !== undefined) return known;
    const connection = new GateConnection({
      api,
      onUnexpected,
      transport: {
        send: (text) => {
          if (!sender.isDestroyed()) sender.send(GATE_CHANNEL, text);
        },
        // Electron's IPC has no backlog to ask for; a page of ours reads or is gone.
        backlogBytes: () => 0,
        end: () => forget(sender),
        drop: () => forget(sender),
      },
    });
    connections.set(sender, connection);
    sender.once("destroyed", () => forget(sender));
    // A page that loads anew subscribes anew; what the former one asked for is nobody's any more.
    sender.once("did-start-navigation", () => forget(sender));
    return connection;
  }

  function forget(sender: WebContents): void {
    connections.get(sender)?.close();
    connections.delete(sender);
  }

  function onMessage(event: IpcMainEvent, text: unknown): void {
    if (!isOurPage(event) || typeof text !== "string") return;
    connectionOf(event.sender).receive(text);
  }

  ipcMain.on(GATE_CHANNEL, onMessage);
  return {
    dispose() {
      ipcMain.off(GATE_CHANNEL, onMessage);
      for (const sender of [...connections.keys()]) forget(sender);
    },
  };
}

/** The main frame of our own page: no frame in it, no page it could be led to. */
function isOurPage(event: IpcMainEvent): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame === event.sender.mainFrame && frame.origin === PAGE_ORIGIN;
}
