/** A node with many clients over a helper in this process, and panels on its WebSocket. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { HelperServer } from "../../native-helpers/server.ts";
import { openPanelServer, type PanelServer } from "../../src-main/headless/panel-server.ts";
import type { NodeApi } from "../../src-main/ipc/node-api.ts";
import { createLogger } from "../../src-main/logs/logger.ts";
import { composeNode } from "../../src-main/node/compose.ts";
import { FakeMachine } from "../../src-main/node/testing/fake-machine.ts";
import { FakeRouter } from "../../src-main/port-forwarding/testing/fake-router.ts";
import { systemClock } from "../../src-shared/clock.ts";
import { ok, unwrap } from "../../src-shared/result.ts";

/** Counters of the active guests grow this often, in steps no reading falls between. */
const TRAFFIC_EVERY_MS = 200;

const CALLER = { signal: new AbortController().signal };

export interface Message {
  readonly atMs: number;
  readonly bytes: number;
  readonly event: string;
  readonly text: string;
}

export class Rig {
  readonly #machine = new FakeMachine();
  readonly #timers: NodeJS.Timeout[] = [];
  #api: NodeApi | undefined;
  #panel: PanelServer | undefined;

  get api(): NodeApi {
    if (this.#api === undefined) throw new Error("the rig is not open");
    return this.#api;
  }

  /** Where a browser opens the panel, with the key in it. */
  get url(): string {
    return this.#panel?.url ?? "";
  }

  /** @param options.renderer the built panel; without it there is an empty page */
  async open({ clients, active, renderer }: { clients: number; active: number; renderer?: string }): Promise<void> {
    await this.#machine.serve(new HelperServer({ ...this.#machine.serverOptions, clock: systemClock }));
    const dataDir = join(this.#machine.folder, "data");
    const rendererDir = renderer ?? join(this.#machine.folder, "renderer");
    mkdirSync(dataDir);
    if (renderer === undefined) {
      mkdirSync(rendererDir);
      writeFileSync(join(rendererDir, "index.html"), "<!doctype html>");
    }
    const router = new FakeRouter(systemClock);
    router.manner = "refusing";
    const api = unwrap(
      await composeNode({
        dataDir,
        helperPath: "/nowhere/helper.mjs",
        logger: createLogger({ sink: { write: () => {}, close: () => {} }, clock: systemClock }),
        helper: this.#machine.link(systemClock),
        dns: { start: async () => ok(undefined), stop: async () => {}, dispose: async () => {} },
        mappingIo: router.io,
      }),
    );
    this.#api = api;
    const keys: string[] = [];
    for (let number = 0; number < clients; number++) {
      keys.push((await api.handlers["clients.add"]({ name: `Client ${number}` }, CALLER)).publicKey);
    }
    await api.handlers["node.on"]({}, CALLER);
    this.#haveTraffic(keys.slice(0, active));
    this.#panel = unwrap(
      await openPanelServer({
        api,
        rendererDir,
        port: 0,
        onUnexpected: (call, thrown) => process.stderr.write(`${call}: ${String(thrown)}\n`),
      }),
    );
  }

  /** A browser's connection that has subscribed; `onMessage` gets everything it is sent. */
  async connect(onMessage: (message: Message) => void): Promise<WebSocket> {
    const { url } = this;
    const answer = await fetch(url, { redirect: "manual" });
    const { origin, host } = new URL(url);
    const socket = new WebSocket(`ws://${host}/api`, {
      headers: { Origin: origin, Cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "" },
    });
    socket.on("message", (data) => {
      const text = data.toString();
      const event = /^\{"event":"([^"]+)"/.exec(text)?.[1] ?? "answer";
      onMessage({ atMs: performance.now(), bytes: Buffer.byteLength(text), event, text });
    });
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    socket.send('{"id":1,"call":"subscribe"}');
    return socket;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#panel?.close();
    await this.#api?.close();
    await this.#machine.stop();
  }

  #haveTraffic(keys: readonly string[]): void {
    let turn = 0;
    const step = () => {
      turn++;
      this.#machine.network.peers = keys.map((publicKey, index) => ({
        publicKey,
        endpoint: `203.0.113.${index % 250}:51820`,
        allowedIps: [`10.66.0.${index + 2}/32`],
        latestHandshakeAtMs: Date.now() - 1_000,
        rxBytes: turn * (1_000 + index),
        txBytes: turn * (20_000 + 7 * index),
      }));
    };
    step();
    this.#timers.push(setInterval(step, TRAFFIC_EVERY_MS));
  }
}
