/**
 * A node that a test plays: it answers the page's WebSocket by the typed contract, and says what it is told to. For
 * states that no lab brings about at will, and for answers that a real node never gives.
 */
import type { WebSocketRoute } from "playwright";
import {
  type CallHandlers,
  type CallName,
  callShapes,
  type EventName,
  type EventPayload,
  eventShapes,
} from "../../src-shared/ipc/contract.ts";
import { ipcRequestSchema, SUBSCRIBE } from "../../src-shared/ipc/wire.ts";
import type { Client } from "../../src-shared/model/client.ts";
import type { NodeState } from "../../src-shared/model/node-state.ts";
import type { PrivacyState } from "../../src-shared/model/privacy.ts";
import type { Settings } from "../../src-shared/model/settings.ts";
import { errorOf, fail, type HiggsError, HiggsFailure } from "../../src-shared/result.ts";
import { scriptedAnswers } from "./scripted-answers.ts";

export interface ScriptedWorld {
  node: NodeState;
  clients: Client[];
  settings: Settings;
  privacy: PrivacyState;
}

export type ScriptedHandlers = CallHandlers<void>;

/** What the page has asked for, oldest first. */
export interface AskedCall {
  readonly name: CallName;
  readonly input: unknown;
}

export class ScriptedNode {
  readonly world: ScriptedWorld;
  readonly asked: AskedCall[] = [];
  /** What came that is no call of the contract. */
  readonly nonsense: string[] = [];
  #answers: ScriptedHandlers;
  #sockets = new Set<WebSocketRoute>();
  #subscribed = new Set<WebSocketRoute>();
  #run = 1;
  #revision = 1;
  /** That of the list the page holds: what the next delta builds on. */
  #clientsRevision = 1;
  #isGone = false;

  constructor(world: ScriptedWorld) {
    this.world = world;
    this.#answers = scriptedAnswers(this);
  }

  /** Answers one call in another way than a well node would. */
  answer<N extends CallName>(name: N, handler: ScriptedHandlers[N]): void {
    this.#answers = { ...this.#answers, [name]: handler };
  }

  /** The call fails with this error from now on. */
  refuse(name: CallName, error: HiggsError): void {
    this.#answers = { ...this.#answers, [name]: () => Promise.reject(new HiggsFailure(error)) };
  }

  /** The call is never answered, until the function that is returned lets it go on. */
  hold<N extends CallName>(name: N): () => void {
    const before: unknown = this.#answers[name];
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler = async (input: unknown) => {
      await released;
      return (before as (input: unknown) => unknown)(input);
    };
    this.#answers = { ...this.#answers, [name]: handler };
    return () => release();
  }

  /** The inputs of every call of this name so far. */
  inputsOf(name: CallName): unknown[] {
    return this.asked.filter((call) => call.name === name).map(({ input }) => input);
  }

  setNode(node: NodeState): void {
    this.world.node = node;
    this.emit("node.stateChanged", this.revised(node));
  }

  setSettings(changes: Partial<Settings>): void {
    this.world.settings = { ...this.world.settings, ...changes };
    this.emit("settings.changed", this.revised(this.world.settings));
  }

  setPrivacy(privacy: PrivacyState): void {
    this.world.privacy = privacy;
    this.emit("privacy.changed", this.revised(privacy));
  }

  setClients(clients: Client[]): void {
    this.world.clients = clients;
    this.emit("clients.changed", this.revisedClients());
  }

  /** Tells of some clients alone, as a node does with a long list. */
  changeClients(changed: Client[], removed: string[] = []): void {
    const base = this.#clientsRevision;
    const byId = new Map(this.world.clients.map((client) => [client.id, client]));
    for (const client of changed) byId.set(client.id, client);
    for (const id of removed) byId.delete(id);
    this.world.clients = [...byId.values()];
    const { run, revision } = this.revisedClients();
    this.emit("clients.delta", { run, base, revision, changed, removed });
  }

  emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
    // The page drops what the contract forbids without a word: better said here.
    eventShapes.get(name)?.payload.parse(payload);
    const text = JSON.stringify({ event: name, payload });
    for (const socket of this.#subscribed) socket.send(text);
  }

  /** Sends any text at all, as something that is no node of ours might. */
  say(text: string): void {
    for (const socket of this.#subscribed) socket.send(text);
  }

  /** A value with the next revision of this run. */
  revised<T>(value: T): { run: string; revision: number; value: T } {
    return { run: `run-${this.#run}`, revision: ++this.#revision, value };
  }

  /** The list of clients, as the one that later deltas build on. */
  revisedClients(): { run: string; revision: number; value: Client[] } {
    const list = this.revised(this.world.clients);
    this.#clientsRevision = list.revision;
    return list;
  }

  /** Hangs up on every page, and lets none in until `comeBack`. */
  async goAway(): Promise<void> {
    this.#isGone = true;
    await Promise.all([...this.#sockets].map((socket) => socket.close()));
    this.#sockets.clear();
    this.#subscribed.clear();
  }

  /** As after a restart: another run, with revisions from the beginning. */
  comeBack(): void {
    this.#isGone = false;
    this.#run++;
    this.#revision = 0;
  }

  /** Takes a WebSocket that a page opens, or hangs up while the node is gone. */
  accept(socket: WebSocketRoute): void {
    if (this.#isGone) {
      void socket.close();
      return;
    }
    this.#sockets.add(socket);
    socket.onClose(() => {
      this.#sockets.delete(socket);
      this.#subscribed.delete(socket);
    });
    socket.onMessage((message) => void this.#receive(socket, String(message)));
  }

  async #receive(socket: WebSocketRoute, text: string): Promise<void> {
    const request = ipcRequestSchema.parse(JSON.parse(text));
    const reply = (answer: object) => {
      if (this.#sockets.has(socket)) socket.send(JSON.stringify({ id: request.id, ...answer }));
    };
    if (request.call === SUBSCRIBE) {
      reply({ ok: true, output: {} });
      this.#greet(socket);
      return;
    }
    try {
      reply({ ok: true, output: await this.#call(request.call, request.input) });
    } catch (thrown) {
      reply({ ok: false, error: errorOf(thrown) });
    }
  }

  async #call(name: string, input: unknown): Promise<unknown> {
    const shape = callShapes.get(name);
    const parsed = shape?.input.safeParse(input ?? {});
    if (shape === undefined || parsed?.success !== true) {
      this.nonsense.push(`${name} ${JSON.stringify(input)}`);
      throw new HiggsFailure(fail("invalid-input", `${name} was not understood`).error);
    }
    this.asked.push({ name: name as CallName, input: parsed.data });
    const handler: unknown = this.#answers[name as CallName];
    return shape.output.parse(await (handler as (input: unknown) => unknown)(parsed.data));
  }

  /** The present value of every revised state, as the real gate sends it first. */
  #greet(socket: WebSocketRoute): void {
    this.#subscribed.add(socket);
    const { node, settings, privacy } = this.world;
    const states = {
      "node.stateChanged": this.revised(node),
      "settings.changed": this.revised(settings),
      "privacy.changed": this.revised(privacy),
      "clients.changed": this.revisedClients(),
    };
    for (const [event, payload] of Object.entries(states)) socket.send(JSON.stringify({ event, payload }));
  }
}
