// npm run demo [-- --once]: a node, guests who browse through it and the panel, without touching this machine's network.
import { runDemo } from "../e2e/lab/demo.ts";
import { labObstacle } from "../e2e/lab/support.ts";

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`demo: ${obstacle}`);
  process.exit(1);
}
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
try {
  await runDemo({
    once: process.argv.includes("--once"),
    signal: stop.signal,
    say: (line) => console.log(line),
  });
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
}
