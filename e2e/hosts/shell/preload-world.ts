/**
 * A preload script as a sandboxed page of Electron's runs it: in a JavaScript world of its own in the same document,
 * with `require("electron")` and nothing else, and bridges into the page's world through `contextBridge`. The worlds are
 * Chromium's own isolated worlds; what crosses between them crosses as text.
 */

/** In the page's world, before any script of the page: makes what the preload script exposes. */
export const PAGE_WORLD = `(() => {
  const callbacks = new Map(); const calls = new Map(); let next = 1;
  const pack = (value) => typeof value === "function"
    ? (callbacks.set(next, value), { callback: next++ })
    : { value };
  addEventListener("shell-to-page", (event) => {
    const message = JSON.parse(event.detail);
    if (message.kind === "expose") {
      const api = Object.fromEntries(message.members.map((member) => [member, (...args) => new Promise((resolve, reject) => {
        const id = next++; calls.set(id, { resolve, reject });
        const detail = JSON.stringify({ id, api: message.name, member, args: args.map(pack) });
        dispatchEvent(new CustomEvent("shell-to-preload", { detail }));
      })]));
      Object.defineProperty(window, message.name, { value: Object.freeze(api) });
    } else if (message.kind === "callback") callbacks.get(message.callback)?.(...message.args);
    else if (message.kind === "result") {
      const call = calls.get(message.id); calls.delete(message.id);
      if (message.error === undefined) call?.resolve(message.value); else call?.reject(new Error(message.error));
    }
  });
})();`;

/** In the preload script's world; \`toMain\` is a binding that exists in no other. */
export function preloadWorld(preload: string): string {
  return `(() => {
  if (window !== window.top) return;
  const exposed = new Map(); const listeners = new Map();
  const toPage = (message) => dispatchEvent(new CustomEvent("shell-to-page", { detail: JSON.stringify(message) }));
  addEventListener("shell-to-preload", async (event) => {
    const { id, api, member, args } = JSON.parse(event.detail);
    const unpack = (arg) => arg.callback === undefined
      ? arg.value
      : (...values) => toPage({ kind: "callback", callback: arg.callback, args: values });
    try { toPage({ kind: "result", id, value: await exposed.get(api)[member](...args.map(unpack)) }); }
    catch (error) { toPage({ kind: "result", id, error: String(error) }); }
  });
  const electron = {
    contextBridge: { exposeInMainWorld(name, value) {
      exposed.set(name, value); toPage({ kind: "expose", name, members: Object.keys(value) });
    } },
    ipcRenderer: {
      send: (channel, ...args) => toMain(JSON.stringify({ channel, args })),
      on(channel, listener) { listeners.set(channel, [...(listeners.get(channel) ?? []), listener]); },
    },
  };
  globalThis.shellFromMain = (channel, args) => {
    for (const listener of listeners.get(channel) ?? []) listener({}, ...args);
  };
  const require = (name) => {
    if (name === "electron") return electron;
    throw new Error("a sandboxed preload script cannot require " + name);
  };
  const module = { exports: {} };
  ((module, exports, require) => {${preload}
  })(module, module.exports, require);
})();`;
}
