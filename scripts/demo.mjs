/**
 * npm run demo [-- --once]: a home, a node in it that shares, guests who browse through it, and the panel, all in
 * namespaces, without touching this machine's network. It goes on until Ctrl+C; with --once it ends after the first pages.
 */
import { runDemo } from "../e2e/lab/demo.ts";
import { labObstacle } from "../e2e/lab/support.ts";

const unknown = process.argv.slice(2).filter((word) => word !== "--once");
if (unknown.length > 0) {
  const asked = unknown.includes("--help") || unknown.includes("-h");
  (asked ? console.log : console.error)(
    "npm run demo           until Ctrl+C\nnpm run demo -- --once until the first pages are there",
  );
  process.exit(asked ? 0 : 2);
}
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
