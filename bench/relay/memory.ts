/** Memory of a whole server with a thousand idle nodes, each registered and with a UDP port of its own. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { join } from "node:path";
import { WebSocket } from "ws";
import { authTranscript, serverToNodeSchema } from "../../src-shared/relay/control.ts";
import { RELAY_PROTOCOL } from "../../src-shared/relay/frame.ts";
import { startServer } from "./server-process.ts";
import { table } from "./stats.ts";
import type { Tls } from "./tables.ts";

const NODES = 1000;
/** Brings code and caches to where they stay. */
const WARM_NODES = 500;
const BATCH = 20;

export async function memory(
  transports: readonly [string, Tls][],
  dir: string,
  print: (text: string) => void,
): Promise<void> {
  const rows: string[][] = [];
  for (const [name, tls] of transports) {
    const ports = ["--udp-ports", "25000-26999", "--set", "limits.halfOpenPerSource=1000"];
    const server = await startServer(join(dir, `memory-${name}`), tls, ports);
    const sockets: WebSocket[] = [];
    try {
      await register(server.url, WARM_NODES, sockets);
      const before = await server.settledBytes();
      await register(server.url, NODES, sockets);
      const after = await server.settledBytes();
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
      await server.stop();
    }
  }
  print(`\nResident memory of bosonserver, ${NODES} more idle nodes (registered, each with its UDP socket)`);
  print(table(["", "before", "after", "per node", "target"], rows));
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
