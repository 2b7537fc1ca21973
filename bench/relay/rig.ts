/** Starts and stops the processes of one run. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FromWorker, Job, ToWorker } from "./worker.ts";

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));
const ANSWER_WITHIN_MS = 20_000;

export class Worker {
  #child: ChildProcess;

  constructor() {
    this.#child = fork(WORKER, [], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  }

  async ask<T extends FromWorker["type"]>(message: ToWorker, type: T): Promise<Extract<FromWorker, { type: T }>> {
    const answer = this.next(type);
    this.#child.send(message);
    return answer;
  }

  next<T extends FromWorker["type"]>(type: T): Promise<Extract<FromWorker, { type: T }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} from a worker`)), ANSWER_WITHIN_MS);
      const onMessage = (message: FromWorker) => {
        if (message.type !== type) return;
        clearTimeout(timer);
        this.#child.off("message", onMessage);
        resolve(message as Extract<FromWorker, { type: T }>);
      };
      this.#child.on("message", onMessage);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}

export interface Pair {
  readonly near: Worker;
  readonly far: Worker;
  /** Where a `udp` source takes packets in. */
  readonly udpPort: number;
  stop(): Promise<void>;
}

export async function startPair(job: Omit<Job, "end">): Promise<Pair> {
  const near = new Worker();
  const far = new Worker();
  const ready = await near.ask({ type: "job", job: { ...job, end: "near" } }, "ready");
  const nearConnected = near.next("connected");
  await far.ask({ type: "job", job: { ...job, end: "far", port: ready.port } }, "connected");
  await nearConnected;
  return {
    near,
    far,
    udpPort: ready.udpPort,
    async stop() {
      await Promise.all([near.stop(), far.stop()]);
    },
  };
}
