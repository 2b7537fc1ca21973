/** Starts the interface: in the desktop window over its bridge, in a browser over the panel's WebSocket. */
import "./zod-without-eval.ts";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { systemClock } from "../src-shared/clock.ts";
import type { HiggsBridge } from "../src-shared/ipc/bridge.ts";
import { pickLanguage } from "../src-shared/text/language.ts";
import { App } from "./app/app.tsx";
import { fetchWords } from "./i18n/words.ts";
import { StoreContext } from "./store/hooks.ts";
import { createPanelStore } from "./store/panel-store.ts";
import "./styles/index.css";
import { BridgeTransport } from "./transport/bridge-transport.ts";
import type { Transport } from "./transport/transport.ts";
import { type SocketLike, WebSocketTransport } from "./transport/web-socket-transport.ts";

declare global {
  interface Window {
    readonly higgs?: HiggsBridge;
  }
}

function createTransport(): Transport {
  if (window.higgs !== undefined) return new BridgeTransport(window.higgs);
  const url = new URL("/api", window.location.href.replace(/^http/, "ws"));
  return new WebSocketTransport({ clock: systemClock, connect: () => new WebSocket(url) as SocketLike });
}

const root = document.getElementById("root");
if (root === null) throw new TypeError("index.html has no #root");
const store = createPanelStore(createTransport(), systemClock);
// The words are on their way while the rest of what the node has told, such as a long list of clients, is still read.
const forget = store.state.subscribe(({ settings }) => {
  if (settings === undefined) return;
  forget();
  void fetchWords(pickLanguage(settings.value.language, navigator.languages));
});
createRoot(root).render(
  <StrictMode>
    <StoreContext value={store}>
      <App />
    </StoreContext>
  </StrictMode>,
);
