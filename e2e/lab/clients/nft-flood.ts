/** Changes a table of its own again and again, as a program that bans addresses under attack: `nft-flood.ts RATE SECONDS`. */
import { spawn } from "node:child_process";

const [rate = 0, seconds = 0] = process.argv.slice(2).map(Number);
/** Often enough that a second's changes are spread over it. */
const TURN_MS = 20;
const CHAIN = "inet higgs_test_flood bans";

const nft = spawn("nft", ["-i"], { stdio: ["pipe", "ignore", "inherit"] });
nft.stdin.write(`add table inet higgs_test_flood\nadd chain ${CHAIN}\n`);
let sent = 0;
const startedMs = performance.now();
const timer = setInterval(() => {
  const elapsedSeconds = Math.min(seconds, (performance.now() - startedMs) / 1_000);
  for (; sent < elapsedSeconds * rate; sent++) {
    const change = sent % 2 === 0 ? `add rule ${CHAIN} ip saddr 203.0.113.${sent % 250} drop` : `flush chain ${CHAIN}`;
    nft.stdin.write(`${change}\n`);
  }
  if (elapsedSeconds < seconds) return;
  clearInterval(timer);
  nft.stdin.end("delete table inet higgs_test_flood\nquit\n");
}, TURN_MS);
nft.on("exit", (code) => {
  process.stdout.write(`${JSON.stringify({ sent, seconds: (performance.now() - startedMs) / 1_000 })}\n`);
  process.exitCode = code ?? 1;
});
