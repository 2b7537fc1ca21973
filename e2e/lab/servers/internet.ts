/**
 * Everything the lab's internet serves, in one process: HTTP on port 80 and DNS on port 53.
 * Usage: internet.ts QUERY_LOG ipv6|ipv4-only. Prints one line of JSON when all of it listens.
 */
import { INTERNET } from "../addresses.ts";
import { createDnsSocket, createDnsTcpServer } from "./dns-server.ts";
import { createWebServer } from "./web-server.ts";

const HTTP_PORT = 80;
const DNS_PORT = 53;

const [logFile, mode] = process.argv.slice(2);
if (logFile === undefined) throw new TypeError("usage: internet.ts QUERY_LOG ipv6|ipv4-only");
const ipv6 = mode === "ipv6";
const dns = { logFile, ipv6 };

const listeners: Promise<void>[] = [];
for (const family of ipv6 ? (["ipv4", "ipv6"] as const) : (["ipv4"] as const)) {
  listeners.push(
    new Promise((resolve) => createWebServer().listen(HTTP_PORT, INTERNET.web[family], resolve)),
    new Promise((resolve) => createDnsTcpServer(dns).listen(DNS_PORT, INTERNET.dns[family], resolve)),
    new Promise((resolve) => {
      createDnsSocket(family === "ipv4" ? "udp4" : "udp6", dns).bind(DNS_PORT, INTERNET.dns[family], resolve);
    }),
  );
}
await Promise.all(listeners);
console.log(JSON.stringify({ ready: true }));
