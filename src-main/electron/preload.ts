/** Runs in the window before the page, sandboxed: puts the contract's two verbs into the page, and nothing else. */
import { contextBridge, ipcRenderer } from "electron";
import { z } from "zod";
import { systemClock } from "../../src-shared/clock.ts";
import type { HiggsBridge } from "../../src-shared/ipc/bridge.ts";
import { type CallName, callShapes } from "../../src-shared/ipc/contract.ts";
import { MessageClient } from "../../src-shared/ipc/message-client.ts";
import { fail } from "../../src-shared/result.ts";
import { GATE_CHANNEL } from "./channel.ts";

// The page's content security policy forbids compiling code, which zod otherwise tries.
z.config({ jitless: true });

const client = new MessageClient({ clock: systemClock, send: (text) => ipcRenderer.send(GATE_CHANNEL, text) });
ipcRenderer.on(GATE_CHANNEL, (_event, text: unknown) => {
  if (typeof text === "string") client.receive(text);
});

const bridge: HiggsBridge = {
  call(name, input) {
    if (!callShapes.has(name)) return Promise.resolve(fail("unknown-call", `there is no call "${name}"`));
    // The gate parses the input; the cast only picks the overload.
    return client.call(name as CallName, input as never);
  },
  subscribe: (listener) => client.subscribe(listener),
};

contextBridge.exposeInMainWorld("higgs", bridge);
