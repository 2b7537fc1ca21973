/** Memory of a whole server with a thousand idle nodes, each registered and with a UDP port of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { authTranscript, serverToNodeSchema } from "../../src-shared/relay/control.ts";
import { RELAY_PROTOCOL } from "../../src-shared/relay/frame.ts";
import { table } from "./stats.ts";
import type { Tls } from "./tables.ts";

const SERVER = fileURLToPath(new URL("../../src-server/bin.ts", import.meta.url));
/** Garbage that was not collected yet is not what a session costs. */
const COLLECT_ON_SIGNAL = "data:text/javascript,process.on('SIGUSR2',()=>{gc();gc()})";
const NODES = 1000;
/** Brings code and caches to where they stay. */
const WARM_NODES = 500;
const SETTLE_MS = 1500;
const BATCH = 20;

export async function memory(
  transports: readonly [string, Tls][],
  dir: string,
  print: (text: string) => void,
): Promise<void> {
  const rows: string[][] = [];
  for (const [name, tls] of transports) {
    const args = [
      "--expose-gc",
      "--import",
      COLLECT_ON_SIGNAL,
      SERVER,
      "start",
      "--listen",
      "127.0.0.1:0",
      "--admin",
      "off",
      "--stun",
      "off",
      "--log-level",
      "error",
    ];
    args.push("--udp-host", "127.0.0.1", "--udp-ports", "25000-26999", "--data-dir", join(dir, `memory-${name}`));
    args.push("--set", "limits.halfOpenPerSource=1000", "--server-name", "localhost");
    if (tls !== null) args.push("--tls-cert", tls.cert, "--tls-key", tls.key);
    const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const sockets: WebSocket[] = [];
    try {
      const [line] = (await once(createInterface(server.stdout), "line")) as [string];
      const { url } = JSON.parse(line) as { url: string };
      await register(url, WARM_NODES, sockets);
      await settle(server);
      const before = residentBytes(server);
      await register(url, NODES, sockets);
      await settle(server);
      const after = residentBytes(server);
      const perNode = (after - before) / NODES;
      rows.push([
        name,
        `${(before / 2 ** 20).toFixed(0)} MiB`,
        `${(after / 2 ** 20).toFixed(0)} MiB`,
        `${(perNode / 1000).toFixed(1)} KB`,
        name === "ws" ? "15 KB" : "65 KB",
      ]);
    } finally {
      for (const socket of sockets) socket.terminate();
      server.kill("SIGKILL");
      await once(server, "exit");
    }
  }
  print(`\nResident memory of bosonserver, ${NODES} more idle nodes (registered, each with its UDP socket)`);
  print(table(["", "before", "after", "per node", "target"], rows));
}

function settle(server: ChildProcess): Promise<void> {
  server.kill("SIGUSR2");
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

function residentBytes(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function register(url: string, count: number, sockets: WebSocket[]): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(BATCH, count - done) }, () => registerOne(url)))));
  }
}

function registerOne(url: string): Promise<WebSocket> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const node = String(publicKey.export({ format: "jwk" }).x);
  const nodeNonce = randomBytes(32).toString("base64url");
  const options = { perMessageDeflate: false, rejectUnauthorized: false };
  const socket = new WebSocket(`${url}/node`, [RELAY_PROTOCOL], options);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (code) => reject(new Error(`closed with ${code}`)));
    socket.on("open", () => {
      socket.send(JSON.stringify({ type: "hello", protocol: RELAY_PROTOCOL, node, nonce: nodeNonce }));
    });
    socket.on("message", (data) => {
      const message = serverToNodeSchema.parse(JSON.parse(String(data)));
      if (message.type === "challenge") {
        const { server, nonce: serverNonce } = message;
        const transcript = authTranscript({ server, serverNonce, nodeNonce, node });
        const signature = sign(null, Buffer.from(transcript), privateKey).toString("base64url");
        socket.send(JSON.stringify({ type: "auth", signature }));
      } else if (message.type === "registered") resolve(socket);
      else if (message.type === "ping") socket.send(JSON.stringify({ type: "pong", id: message.id }));
    });
  });
}
